// Where the kernel's DMA API would put the next buffers of a device.

import { commonSpace } from '../analysis/space/common-space.ts';
import { type NextDma, nextDmaIn } from '../analysis/space/next-dma.ts';
import type { Dumps } from './dumps.ts';
import { choose, documentsOf, select } from './opened.ts';

export interface NextDmaOptions {
  /** PCI address of the device; the groups that can be assigned if left out. */
  readonly device?: string | undefined;
  /** Version of the kernel whose rules answer. */
  readonly kernel?: string | undefined;
  /** Bytes of a buffer. */
  readonly size: bigint;
  /** Address bits of the device, 1 to 64. */
  readonly bits: number;
}

/** One answer for each host of the dumps. Throws a RangeError for a device that no host has. */
export function nextDma(dumps: Dumps, { device, kernel, size, bits }: NextDmaOptions): readonly NextDma[] {
  const documents = choose(documentsOf(dumps), { device, kernel }).filter(({ kind }) => kind === 'host');
  const { groups } = select(documents);
  return documents.flatMap((document) => {
    const own = groups.get(document) ?? [];
    if (device !== undefined && document.assigned === undefined) return [];
    return nextDmaIn(commonSpace(document.host, own), { device, bits, size }) ?? [];
  });
}
