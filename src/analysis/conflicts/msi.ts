// What is wrong with the MSI windows of a host and with the interrupts that its devices write.
import { formatSize, hex, hexRange } from '../../iova/format.ts';
import { containsAddress, containsRange, overlaps, range, rangesEqual, sizeOf } from '../../iova/range.ts';
import { complement, rangeSet } from '../../iova/range-set.ts';
import { DEFAULT_SW_MSI_WINDOW, X86_MSI_WINDOW } from '../../kernel/shared/platform-ranges.ts';
import type { MsiMessage } from '../host/host.ts';
import { architectureOf } from '../host/platforms.ts';
import type { CommonSpace, MergedRegion } from '../space/common-space.ts';
import { findPlaces } from '../space/fit.ts';
import { type Conflict, describeRange, joinNames, markOf, partPlaces, refusedBy } from './conflict.ts';
import { allOwnersOf } from './region-clause.ts';

/** Where a window could be moved: below 4 GiB, above the first MiB. */
const WINDOW_PLACES = range(0x10_0000n, 0xffff_ffffn);

/** A software MSI window together with a hardware one. */
function twoMsiKinds(space: CommonSpace): Conflict[] {
  const msi = space.reserved.filter((region) => region.type === 'msi');
  const software = msi.find((region) => rangesEqual(region, DEFAULT_SW_MSI_WINDOW));
  const hardware = msi.filter((region) => !rangesEqual(region, DEFAULT_SW_MSI_WINDOW));
  if (!software || hardware.length === 0) return [];
  return [
    {
      id: 'two-msi-kinds',
      rule: 'two-msi-kinds',
      severity: 'warning',
      title: 'A software MSI window coexists with a hardware MSI window',
      message: `In ${describeRange(software)} the kernel maps doorbell pages; ${joinNames(hardware.map(describeRange))} is handled by hardware. An address space has one kind: a hardware MSI region replaces the software window.`,
      source: refusedBy('hardware-msi-first').source,
      remedy: 'Check which group has which window: groups of different kinds cannot share an address space.',
      answer: `${hexRange(software)} (the software MSI window of ${allOwnersOf(software)}) coexists with ${joinNames(hardware.map((region) => `${hexRange(region)} (a hardware MSI region of ${allOwnersOf(region)})`))}: the kernel prints "msi" for both. VFIO maps doorbells only in a software window, and a hardware region takes precedence; guest RAM must avoid all of them.`,
      marks: [
        markOf('requested', software, 'software MSI window'),
        ...hardware.map((region) => markOf('obstacle', region, 'hardware MSI window')),
      ],
      provenance: msi.flatMap(partPlaces),
    },
  ];
}

/** Interrupts that are written outside all windows. */
function msiOutside({ host }: CommonSpace): Conflict[] {
  const listed = host.groups.flatMap((group) => group.regions.filter((region) => region.type === 'msi'));
  const windows = listed.length > 0 ? listed : architectureOf(host) === 'x86' ? [X86_MSI_WINDOW] : [];
  if (windows.length === 0) return [];
  const byAddress = new Map<bigint, MsiMessage[]>();
  for (const message of host.msiMessages) {
    const { address } = message;
    if (windows.some((window) => containsAddress(window, address))) continue;
    byAddress.set(address, [...(byAddress.get(address) ?? []), message]);
  }
  return [...byAddress].map(([address, messages]): Conflict => {
    const devices = joinNames([...new Set(messages.map(({ device }) => device))]);
    return {
      id: `msi-outside-window ${address}`,
      rule: 'msi-outside-window',
      severity: 'warning',
      title: `${devices}: interrupts are written to ${hex(address)}, outside every MSI window`,
      message: `The MSI windows are ${joinNames(windows.map(describeRange))}. A write elsewhere is translated like any other DMA: it faults or changes memory, and the interrupt is lost.`,
      remedy:
        'On ARM the address may be the physical doorbell of a device that no domain translates: then it is correct. Otherwise check who programmed it.',
      marks: [
        markOf('requested', range(address, address), `interrupts of ${devices}`),
        ...windows.slice(0, 2).map((window) => markOf('obstacle', window, 'MSI window')),
      ],
      provenance: messages.flatMap(({ provenance }) => provenance),
    };
  });
}

/** A software MSI window that overlaps a PCI window of the host: bridges do not forward such addresses upstream. */
function msiOverHostWindow(space: CommonSpace): Conflict[] {
  return space.reserved
    .filter((region) => region.type === 'msi' && containsRange(DEFAULT_SW_MSI_WINDOW, region))
    .flatMap((region) => overWindow(space, region));
}

function overWindow({ host, reserved }: CommonSpace, region: MergedRegion): Conflict[] {
  const window = host.windows.find(({ type, ...w }) => (type === 'pci' || type === 'ecam') && overlaps(w, region));
  if (!window) return [];
  const busy = rangeSet([
    ...host.windows.filter(({ type }) => type !== 'other'),
    ...reserved.filter((r) => r !== region),
  ]);
  const size = sizeOf(region);
  const free = findPlaces(complement(busy, WINDOW_PLACES), { size, alignment: size });
  const places = free.places.slice(0, 3).map(({ first }) => hex(first));
  return [
    {
      id: `msi-window-over-pci ${region.start}-${region.last}`,
      rule: 'msi-window-over-pci',
      severity: 'warning',
      title: `The MSI window ${hexRange(region)} overlaps "${window.name}" of the host`,
      message: `${describeRange(window)} belongs to a PCI host bridge: an interrupt write to it may be taken for a write to another device, and never reaches the IOMMU.`,
      ...refusedBy('sw-msi-over-windows'),
      remedy:
        places.length > 0
          ? `A window of ${formatSize(size)} would fit at ${joinNames(places)}; iommu-addresses in the device tree can move it.`
          : 'These dumps show no free place for a window of this size below 4 GiB.',
      marks: [markOf('requested', region, 'MSI window'), markOf('obstacle', window, window.name)],
      provenance: [...partPlaces(region), ...window.provenance],
    },
  ];
}

/** Everything that is wrong with MSI windows and interrupts. */
export function msiConflicts(space: CommonSpace): Conflict[] {
  return [...twoMsiKinds(space), ...msiOutside(space), ...msiOverHostWindow(space)];
}
