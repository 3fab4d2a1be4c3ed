// A CPU whose physical addresses are wider than what the IOMMU translates: guests that use its width place their large BARs
// where they cannot be mapped.
import { hex } from '../../iova/format.ts';
import type { CommonSpace } from '../space/common-space.ts';
import { type Conflict, refusedBy } from './conflict.ts';
import { hostWidth } from './guest-limits.ts';

/** The note about a host's widths; none if they are unknown, or the IOMMU translates as many bits as the CPU. */
export function cpuWidthConflicts(space: CommonSpace): Conflict[] {
  const { cpu } = space.host;
  const iommu = hostWidth(space);
  if (!cpu || !iommu || cpu.physicalBits <= iommu.bits) return [];
  const reach = (1n << BigInt(iommu.bits)) - 1n;
  return [
    {
      id: 'cpu-wider-than-iommu',
      rule: 'cpu-wider-than-iommu',
      severity: 'note',
      title: `The processor has ${cpu.physicalBits} physical address bits, the IOMMU translates ${iommu.bits}`,
      message: `A guest that takes over the width of the processor (host-phys-bits=on) may place its 64-bit BARs above ${hex(reach)}, where they cannot be mapped.`,
      ...refusedBy('map-beyond-aperture'),
      remedy: `Limit such guests to ${iommu.bits} address bits (host-phys-bits-limit=${iommu.bits}).`,
      marks: [],
      provenance: [...cpu.provenance, ...iommu.provenance],
      answer: `The processor has ${cpu.physicalBits} physical address bits, the IOMMU translates only ${iommu.bits}: BARs that a guest with host-phys-bits=on places above ${hex(reach)} cannot be mapped.`,
      remedies: [
        {
          text: `Limit such guests to ${iommu.bits} address bits`,
          form: 'qemu',
          copy: `-cpu host,host-phys-bits-limit=${iommu.bits}`,
        },
      ],
    },
  ];
}
