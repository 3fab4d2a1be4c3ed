// The allocator behind the kernel's DMA API: n mappings of one domain, and their end.
import type { Iova } from '../src/iova/iova.ts';
import { DmaIommuModel } from '../src/kernel/dma-iommu/model.ts';
import type { Outcome } from '../src/kernel/model.ts';
import { AREA_SIZE } from './workload.ts';

const A = (value: bigint): Iova => value as Iova;
const MASK = A(0xffff_ffff_ffffn);
/** Larger than what is kept after an unmap, so that every one of them frees. */
const LARGE = 64n * 0x1000n;

function succeed(outcome: Outcome): Iova {
  if (!outcome.ok) throw new Error(outcome.refusal?.message ?? outcome.invalid?.message);
  return outcome.answer.dma_addr ?? A(0n);
}

function attached(): DmaIommuModel {
  const model = new DmaIommuModel();
  succeed(
    model.apply(
      {
        op: 'dma.attach',
        device: 'nic',
        domain: 'd',
        aperture: [A(0n), MASK],
        force_aperture: true,
        pgsize_bitmap: A(0x1000n),
        pci: true,
        forcedac: false,
        windows: [],
        reserved: [{ start: A(0xfee0_0000n), last: A(0xfeef_ffffn), type: 'msi' }],
      },
      0,
    ),
  );
  return model;
}

function perSecond(operations: number, run: () => void): number {
  const began = performance.now();
  run();
  return Number(((operations * 1000) / (performance.now() - began)).toPrecision(4));
}

/** One line for each of: n mappings of two pages, unmapped into the caches and mapped from them, and large ones that free. */
export function measureDma(n: number, impl: string, report: (line: object) => void): void {
  const model = attached();
  const addresses: Iova[] = [];
  const mapAll = (size: bigint): void => {
    for (let i = 0; i < n; i++) {
      const phys = A(BigInt(i) * 0x10_0000n);
      addresses.push(succeed(model.apply({ op: 'dma.map', device: 'nic', phys, size: A(size), dma_mask: MASK }, i)));
    }
  };
  const unmapAll = (size: bigint): void => {
    // In the order of mapping: every hole is above the cursor.
    for (const dma_addr of addresses) {
      succeed(model.apply({ op: 'dma.unmap', device: 'nic', dma_addr, size: A(size) }, 0));
    }
    addresses.length = 0;
  };
  const line = (bench: string, run: () => void) => report({ bench, n, impl, ops_per_s: perSecond(n, run) });
  line('dma-map', () => mapAll(AREA_SIZE));
  line('dma-unmap', () => unmapAll(AREA_SIZE));
  line('dma-map-kept', () => mapAll(AREA_SIZE));
  unmapAll(AREA_SIZE);
  line('dma-map-large', () => mapAll(LARGE));
  line('dma-unmap-large', () => unmapAll(LARGE));
}
