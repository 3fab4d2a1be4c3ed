// What is wrong with a host's devices, groups and regions by themselves, whatever guest is to run.
import { formatSize, hex } from '../../iova/format.ts';
import { bitLength } from '../../iova/iova.ts';
import { containsAddress, containsRange, intersection, isAligned, overlaps, range, sizeOf } from '../../iova/range.ts';
import { complement, intersect, rangeSet } from '../../iova/range-set.ts';
import { type Bar, type Group, groupTitle, type Host, type MsiMessage, type Region } from '../host/host.ts';
import { ARM_MSI, architectureOf, USUAL_PAGE, X86_MSI } from '../host/platforms.ts';
import { beyondApertures, type CommonSpace } from '../space/common-space.ts';
import { findPlaces } from '../space/fit.ts';
import { type Conflict, describeRange, joinNames } from './conflict.ts';

/** The errno that belongs to the kernel's words: the older check refused the permission, the newer one the domain. */
function errnoOf(reason: string): string {
  return /RMRR requirement/i.test(reason) ? 'EPERM' : 'EINVAL';
}

const DIRECT_RULE = 'Linux 6.12, __iommu_device_set_domain; intel_iommu_attach_device in older kernels';
const DIRECT_WAY_OUT =
  'Look for a firmware setting that gives up the region (legacy USB, management engine, array controller), or assign another device.';

/** Devices that the kernel will not give away because firmware keeps memory of theirs mapped. */
function ineligible(host: Host, groups: readonly Group[]): Conflict[] {
  const found: Conflict[] = [];
  const told = new Set<string>();
  for (const { device, reason, provenance } of host.ineligible) {
    const group = host.groups.find((g) => g.devices.includes(device));
    const regions = [
      ...(group?.regions.filter((region) => region.type === 'direct') ?? []),
      ...host.firmwareRegions.filter(
        (r) => r.device === device && !group?.regions.some((known) => known.start === r.start),
      ),
    ];
    if (group) told.add(group.key);
    const shown = regions.map((r) => `${hex(r.start)}-${hex(r.last)}`);
    // Firmware's regions whose device no source names may be the ones.
    const loose = regions.length > 0 ? [] : host.firmwareRegions.filter((r) => r.device === undefined);
    const where =
      regions.length > 0
        ? `It is ${joinNames(shown)}.`
        : loose.length > 0
          ? `Which region is meant is not said; these dumps have ${joinNames(loose.map((r) => `${hex(r.start)}-${hex(r.last)}`))}.`
          : 'The region itself is not in these dumps: the kernel’s log has it (“RMRR base”), and so have the ACPI tables.';
    found.push({
      id: `device-ineligible ${device}`,
      rule: 'device-ineligible',
      severity: 'fatal',
      title: `${device} cannot be assigned: firmware keeps memory mapped for it`,
      message: `The kernel said: ${reason}. ${where}`,
      errno: errnoOf(reason),
      source: DIRECT_RULE,
      remedy: DIRECT_WAY_OUT,
      marks: [...regions, ...loose].map(({ start, last }) => ({
        start,
        last,
        role: 'obstacle',
        message: `mapped one to one for ${device}`,
      })),
      provenance: [...provenance, ...[...regions, ...loose].flatMap((r) => r.provenance)],
    });
  }
  for (const group of groups) {
    if (told.has(group.key)) continue;
    const direct = group.regions.filter((region) => region.type === 'direct');
    if (direct.length > 0 && group.group !== undefined) found.push(directGroup(host, group, direct));
  }
  return found;
}

/** A group whose devices cannot be assigned because of a `direct` region of one of them. */
function directGroup(host: Host, group: Group, direct: readonly Region[]): Conflict {
  const title = groupTitle(group);
  const bringers = host.firmwareRegions.flatMap((r) =>
    r.device !== undefined && direct.some((d) => d.start === r.start && d.last === r.last) ? [r.device] : [],
  );
  const others = group.devices.filter((device) => !bringers.includes(device));
  const message = [
    `${title} has ${joinNames(direct.map((r) => `${hex(r.start)}-${hex(r.last)}`))} as direct: firmware wants this memory mapped one to one at all times.`,
    bringers.length > 0 ? `It is there for ${joinNames(bringers)}.` : '',
    group.devices.length > 1
      ? `All of its ${group.devices.length} devices (${joinNames(group.devices)}) share the group and with it the region${bringers.length > 0 && others.length > 0 ? `, also ${joinNames(others)}` : ''}.`
      : '',
  ];
  return {
    id: `group-has-direct ${group.key}`,
    rule: 'group-has-direct',
    severity: 'fatal',
    title: `${title}${group.devices.length > 0 ? ` (${joinNames(group.devices)})` : ''} cannot be assigned: it has a direct region`,
    message: message.filter(Boolean).join(' '),
    errno: 'EINVAL',
    source: DIRECT_RULE,
    remedy: DIRECT_WAY_OUT,
    marks: direct.map(({ start, last }) => ({ start, last, role: 'obstacle', message: `direct, ${title}` })),
    provenance: direct.flatMap((region) => region.provenance),
  };
}

/** Regions of the firmware that the firmware's own memory map does not keep reserved. */
function unreservedFirmware(host: Host): Conflict[] {
  const { windows } = host;
  // A memory map without RAM is not one: then nothing can be said.
  if (!windows.some((window) => window.type === 'ram')) return [];
  const reserved = rangeSet(
    windows.filter(({ type, name }) => type === 'reserved' || /^(?:reserved|ACPI|.*NVS|Graphics Stolen)/i.test(name)),
  );
  return host.firmwareRegions.flatMap((region): Conflict[] => {
    const outside = intersect([region], complement(reserved));
    const ram = windows.filter((window) => window.type === 'ram' && overlaps(window, region));
    if (outside.length === 0 || ram.length === 0) return [];
    return [
      {
        id: `firmware-region-not-reserved ${region.start}-${region.last}`,
        rule: 'firmware-region-not-reserved',
        severity: 'warning',
        title: `${hex(region.start)}-${hex(region.last)} is asked for by firmware, but its memory map does not reserve it`,
        message: `The kernel may use ${joinNames(outside.map(describeRange))} as ordinary memory while a device still writes there. The kernel says so too: “No firmware reserved region can cover this RMRR”.`,
        source: 'Linux 6.12, arch_rmrr_sanity_check',
        remedy: 'A firmware update; until then, the device’s data and the kernel’s may overwrite each other.',
        marks: [
          {
            start: region.start,
            last: region.last,
            role: 'requested',
            message: `firmware’s region (${region.origin ?? region.type})`,
          },
          ...ram
            .slice(0, 3)
            .map(({ start, last, name }) => ({ start, last, role: 'obstacle' as const, message: name })),
        ],
        provenance: [...region.provenance, ...ram.flatMap((window) => window.provenance)],
      },
    ];
  });
}

/** A software MSI window beside a hardware one. */
function twoMsiKinds(space: CommonSpace): Conflict[] {
  const msi = space.reserved.filter((region) => region.type === 'msi');
  const software = msi.filter((region) => region.start === ARM_MSI.start && region.last === ARM_MSI.last);
  const hardware = msi.filter((region) => !software.includes(region));
  const [one] = software;
  const [other] = hardware;
  if (!one || !other) return [];
  return [
    {
      id: 'two-msi-kinds',
      rule: 'two-msi-kinds',
      severity: 'warning',
      title: 'a software MSI window stands beside a hardware one',
      message: `${describeRange(one)} is the window in which the kernel maps doorbell pages, ${joinNames(hardware.map(describeRange))} is translated by hardware. One address space has one kind: a real MSI region takes the software window’s place.`,
      source: 'Linux 6.12, iommu_get_resv_regions; iommufd_group_setup_msi',
      remedy: 'Check which of the groups brings which window; groups of different kinds cannot share an address space.',
      marks: [
        { start: one.start, last: one.last, role: 'requested', message: 'software MSI window' },
        ...hardware.map(({ start, last }) => ({
          start,
          last,
          role: 'obstacle' as const,
          message: 'hardware MSI window',
        })),
      ],
      provenance: msi.flatMap((region) => region.parts.flatMap((part) => part.provenance)),
    },
  ];
}

/** Interrupts that are written to where no window is. */
function msiOutside(space: CommonSpace): Conflict[] {
  const { host } = space;
  const listed = host.groups.flatMap((group) => group.regions.filter((region) => region.type === 'msi'));
  const windows = listed.length > 0 ? listed : architectureOf(host) === 'x86' ? [X86_MSI] : [];
  if (windows.length === 0) return [];
  const outside = host.msiMessages.filter(({ address }) => !windows.some((window) => containsAddress(window, address)));
  const byAddress = new Map<bigint, MsiMessage[]>();
  for (const message of outside) byAddress.set(message.address, [...(byAddress.get(message.address) ?? []), message]);
  return [...byAddress].map(([address, messages]): Conflict => {
    const devices = [...new Set(messages.map(({ device }) => device))];
    return {
      id: `msi-outside-window ${address}`,
      rule: 'msi-outside-window',
      severity: 'warning',
      title: `${joinNames(devices)} writes its interrupts to ${hex(address)}, outside every MSI window`,
      message: `The windows are ${joinNames(windows.map(describeRange))}. A write elsewhere is translated like any other DMA: it faults, or lands in memory, and the interrupt is lost.`,
      remedy:
        'On ARM the address may be the physical doorbell of a device that no domain translates: then it is right. Else see who programmed it.',
      marks: [
        { ...range(address, address), role: 'requested', message: `interrupts of ${joinNames(devices)}` },
        ...windows
          .slice(0, 2)
          .map(({ start, last }) => ({ start, last, role: 'obstacle' as const, message: 'MSI window' })),
      ],
      provenance: messages.flatMap(({ provenance }) => provenance),
    };
  });
}

/** A software MSI window in the way of a PCI window of the host: bridges do not pass such addresses up. */
function msiOverHostWindow(space: CommonSpace): Conflict[] {
  const { host } = space;
  return space.reserved
    .filter((region) => region.type === 'msi' && containsRange(ARM_MSI, region))
    .flatMap((region): Conflict[] => {
      const hit = host.windows
        .filter(({ type }) => type === 'pci' || type === 'ecam')
        .filter((w) => overlaps(w, region));
      const [window] = hit;
      if (!window) return [];
      const busy = rangeSet([
        ...host.windows.filter(({ type }) => type !== 'other'),
        ...space.reserved.filter((r) => r !== region),
        range(0n, 0xf_ffffn),
      ]);
      const free = findPlaces(complement(busy, range(0n, 0xffff_ffffn)), {
        size: sizeOf(region),
        alignment: sizeOf(region),
      });
      const places = free.places.slice(0, 3).map(({ first }) => hex(first));
      return [
        {
          id: `msi-window-over-pci ${region.start}-${region.last}`,
          rule: 'msi-window-over-pci',
          severity: 'warning',
          title: `the MSI window ${hex(region.start)}-${hex(region.last)} lies over the host’s “${window.name}”`,
          message: `${describeRange(window)} belongs to a PCI host bridge: a device’s write to it may be taken for a write to another device and never reach the IOMMU.`,
          source: 'Linux 6.12, iommu_dma_get_resv_regions',
          remedy:
            places.length > 0
              ? `A window of ${formatSize(sizeOf(region))} would be free at ${joinNames(places)}; the device tree’s iommu-addresses can move it.`
              : 'No window of this size is free below 4 GiB in these dumps.',
          marks: [
            { start: region.start, last: region.last, role: 'requested', message: 'MSI window' },
            { start: window.start, last: window.last, role: 'obstacle', message: window.name },
          ],
          provenance: [...region.parts.flatMap((part) => part.provenance), ...window.provenance],
        },
      ];
    });
}

/** BARs that the IOMMU cannot reach, or that lie over what it reserves: of use only for DMA from device to device. */
function bars(space: CommonSpace, pageSize: bigint): Conflict[] {
  const { host } = space;
  const beyond = beyondApertures(space.apertures);
  return host.bars.flatMap((bar): Conflict[] => {
    const name = `BAR ${bar.index} of ${bar.device}`;
    const requested = { start: bar.start, last: bar.last, role: 'requested' as const, message: name };
    const outside = beyond.find((r) => overlaps(r, bar));
    if (outside) {
      const has = bitLength(outside.start > 0n ? outside.start - 1n : 0n);
      return [
        {
          id: `bar-beyond-aperture ${bar.device} ${bar.index}`,
          rule: 'bar-beyond-aperture',
          severity: 'note',
          title: `${name} needs ${bitLength(bar.last)} bits, the IOMMU has ${has}`,
          message: `${describeRange(bar)} lies outside the aperture. If a guest or the firmware sees the BAR at this address, it cannot be mapped for DMA from device to device; everything else works.`,
          errno: 'EINVAL',
          source: 'Linux 6.12, vfio_iommu_iova_dma_valid; iopt_map_pages',
          remedy: `Place BARs below ${hex(outside.start)}: limit the guest’s phys-bits to ${has}, or set the firmware’s window for 64-bit BARs.`,
          marks: [
            requested,
            { ...(intersection(outside, bar) ?? outside), role: 'obstacle', message: 'outside the aperture' },
          ],
          provenance: [...bar.provenance, ...space.apertures.flatMap((aperture) => aperture.provenance)],
        },
      ];
    }
    const region = space.reserved.find((r) => (r.type === 'msi' || r.type === 'reserved') && overlaps(r, bar));
    if (!region) return barOffPages(bar, pageSize);
    return [
      {
        id: `bar-over-reserved ${bar.device} ${bar.index}`,
        rule: 'bar-over-reserved',
        severity: 'note',
        title: `${name} lies over the ${region.type === 'msi' ? 'MSI window' : 'reserved region'} ${hex(region.start)}-${hex(region.last)}`,
        message: `${describeRange(bar)} cannot be mapped where the regions are: DMA from device to device does not reach it.`,
        errno: 'EINVAL',
        source: 'Linux 6.12, vfio_iommu_iova_dma_valid; iopt_map_pages',
        remedy: 'Usually nothing is lost. Where devices must reach each other, move the BAR.',
        marks: [requested, { start: region.start, last: region.last, role: 'obstacle', message: region.type }],
        provenance: [...bar.provenance, ...region.parts.flatMap((part) => part.provenance)],
      },
    ];
  });
}

/** A BAR whose ends are not on pages, where pages are larger than those that BARs are made for. */
function barOffPages(bar: Bar, pageSize: bigint): Conflict[] {
  if (pageSize <= USUAL_PAGE || isAligned(bar, pageSize)) return [];
  const name = `BAR ${bar.index} of ${bar.device}`;
  return [
    {
      id: `misaligned ${bar.device} ${bar.index}`,
      rule: 'misaligned',
      severity: 'note',
      title: `${name} (${formatSize(sizeOf(bar))}) does not end on pages of ${formatSize(pageSize)}`,
      message: `${describeRange(bar)}: a mapping is made of whole pages, ${formatSize(pageSize)} each. QEMU leaves such a BAR out, so DMA from device to device does not reach it; a monitor that asks all the same is refused, and may give up.`,
      errno: 'EINVAL',
      source: 'Linux 6.12, vfio_dma_do_map; QEMU does not ask',
      remedy:
        'With QEMU usually nothing is lost. Where devices must reach each other, or the monitor gives up, use a host kernel with smaller pages.',
      marks: [{ start: bar.start, last: bar.last, role: 'requested', message: name }],
      provenance: bar.provenance,
    },
  ];
}

function contradictions(host: Host): Conflict[] {
  return host.contradictions.map(({ about, message, provenance }, index) => ({
    id: `contradiction ${index} ${about}`,
    rule: 'contradiction',
    severity: 'warning',
    title: `the sources contradict each other about ${about}`,
    message: `${message.charAt(0).toUpperCase()}${message.slice(1)}. Both are drawn.`,
    remedy: 'See whether the dumps are of the same host and the same boot; open them apart if not.',
    marks: [],
    provenance,
  }));
}

/** Everything that is wrong with the host and the ticked groups by themselves. `pageSize` in bytes, a power of two. */
export function deviceConflicts(space: CommonSpace, pageSize: bigint): Conflict[] {
  const { host, groups } = space;
  return [
    ...ineligible(host, groups),
    ...unreservedFirmware(host),
    ...twoMsiKinds(space),
    ...msiOutside(space),
    ...msiOverHostWindow(space),
    ...bars(space, pageSize),
    ...contradictions(host),
  ];
}
