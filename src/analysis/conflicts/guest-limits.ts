// Checks the address widths of a guest against those of the host, and finds guests that their VMM would not start on any host.
import { hex } from '../../iova/format.ts';
import { bitLength } from '../../iova/iova.ts';
import { isAtLeast, qemuVersion } from '../guest/machine-type.ts';
import { commonAperture } from '../space/aperture-limit.ts';
import type { CommonSpace } from '../space/common-space.ts';
import { type Conflict, markOf, refusedBy } from './conflict.ts';
import { hostPhysBitsText, physBitsText, viommuText } from './fix-text.ts';
import type { GuestLayout } from './guest.ts';

/** Address bits of the IOMMUs of a space, and their source; undefined if unknown, or if the aperture does not start at 0. */
export function hostWidth({ apertures }: CommonSpace) {
  const common = commonAperture(apertures);
  if (common?.start !== 0n) return undefined;
  const bits = bitLength(common.last);
  if (common.last !== (1n << BigInt(bits)) - 1n) return undefined;
  return { bits, provenance: apertures.flatMap(({ provenance }) => provenance) };
}

/** Everything that is wrong with a guest because of address widths. */
export function guestLimitConflicts(space: CommonSpace, guest: GuestLayout): Conflict[] {
  return [...refusedGuest(guest), ...narrowIommu(space, guest), ...wideViommu(space, guest)];
}

/** A conflict if the VMM would not start the guest. */
function refusedGuest({ title, refusal, definition, provenance = [] }: GuestLayout): Conflict[] {
  if (refusal === undefined) return [];
  return [
    {
      id: `guest-refused ${title}`,
      rule: 'guest-refused',
      severity: 'fatal',
      title: `${title} would not start: ${refusal}`,
      message: `The monitor compares them before it starts the guest: ${refusal}.`,
      remedy: 'Increase phys-bits of the guest (host-phys-bits=on), or use less memory and smaller PCI windows.',
      marks: [],
      provenance,
      answer: `${title} would not start: ${refusal}. Increase phys-bits of the guest (host-phys-bits=on), or use less memory.`,
      remedies: [{ text: 'Increase phys-bits of the guest', ...hostPhysBitsText(definition) }],
    },
  ];
}

/**
 * A guest that can use addresses beyond the host's IOMMU, although its RAM fits: firmware places 64-bit BARs according to the
 * address width of the guest's CPU.
 */
function narrowIommu(space: CommonSpace, { title, definition, machine, provenance = [] }: GuestLayout): Conflict[] {
  const host = hostWidth(space);
  const own = definition?.phys_bits;
  if (!host || own === undefined || own <= host.bits || !machine) return [];
  const reach = (1n << BigInt(host.bits)) - 1n;
  // RAM above that is another, more severe conflict.
  if (machine.machine.layout(machine.ram).some(({ type, last }) => type === 'ram' && last > reach)) return [];
  const name = definition?.name ?? title;
  return [
    {
      id: `guest-wider-than-iommu ${title}`,
      rule: 'guest-wider-than-iommu',
      severity: 'note',
      title: `${name} has ${own} address bits, the IOMMU has ${host.bits}`,
      message: `The RAM of ${title} fits, but its firmware may place 64-bit BARs above ${hex(reach)}, where they cannot be mapped: peer-to-peer DMA to them does not work then.`,
      ...refusedBy('map-beyond-aperture'),
      remedy: `Limit phys-bits of the guest to ${host.bits}.`,
      marks: [],
      provenance: [...provenance, ...host.provenance],
      answer: `${name} has ${own} address bits, the host's IOMMU has ${host.bits}: BARs that the guest's firmware places above ${hex(reach)} cannot be mapped.`,
      remedies: [{ text: `Limit the guest to ${host.bits} address bits`, ...physBitsText(definition, host.bits) }],
    },
  ];
}

/** A virtual IOMMU that lets the guest use more addresses than the host's translates. */
function wideViommu(space: CommonSpace, { title, definition, provenance = [] }: GuestLayout): Conflict[] {
  const host = hostWidth(space);
  const { viommu, version, name = title, iommufd } = definition ?? {};
  const bits = viommu?.address_width;
  if (!host || bits === undefined || bits <= host.bits) return [];
  const reach = (1n << BigInt(host.bits)) - 1n;
  const running = qemuVersion(version);
  // From 9.1 on QEMU compares them when the device is added.
  const isRefused = viommu?.kind === 'intel' && running !== undefined && isAtLeast(running, 9, 1);
  const consequence = isRefused
    ? 'QEMU refuses the device'
    : `what the guest maps above ${hex(reach)} is refused, and its devices fault`;
  return [
    {
      id: `viommu-wider-than-iommu ${title}`,
      rule: 'viommu-wider-than-iommu',
      severity: isRefused ? 'fatal' : 'warning',
      title: `The virtual IOMMU of ${name} has ${bits} address bits, the host's IOMMU has ${host.bits}`,
      message: `Addresses of the virtual IOMMU are mapped in the host's IOMMU${iommufd === true ? ' (iommufd)' : ''}: ${consequence}.`,
      ...(isRefused ? { source: `QEMU ${version}, vtd_dev_set_iommu_device` } : refusedBy('map-beyond-aperture')),
      remedy: `Set the width of the virtual IOMMU to ${host.bits}.`,
      marks: space.apertures.slice(0, 1).map((aperture) => markOf('obstacle', aperture, `${host.bits} address bits`)),
      provenance: [...provenance, ...host.provenance],
      answer: `The virtual IOMMU of ${name} has ${bits} address bits, the host's IOMMU has ${host.bits}: ${consequence}.`,
      remedies: [{ text: `Set the virtual IOMMU to ${host.bits} bits`, ...viommuText(definition, host.bits) }],
    },
  ];
}
