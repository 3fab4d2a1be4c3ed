// Where the kernel's DMA API would put the next buffers of a device.

import { commonSpace, spaceTitle } from '../analysis/space/common-space.ts';
import { allocatorStepText, nextDmaAddresses } from '../analysis/space/next-dma.ts';
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

export interface NextDma {
  /** Host and groups. */
  readonly space: string;
  /** The first buffers, in the order of their requests. */
  readonly addresses: readonly bigint[];
  /** How the first one was chosen, a line a step. */
  readonly steps: readonly string[];
  readonly assumed: readonly string[];
}

/** Buffers that are placed. */
const COUNT = 3;

/** One answer for each host of the dumps. Throws a RangeError for a device that no host has. */
export function nextDma(dumps: Dumps, { device, kernel, size, bits }: NextDmaOptions): readonly NextDma[] {
  const documents = choose(documentsOf(dumps), { device, kernel }).filter(({ kind }) => kind === 'host');
  const { groups } = select(documents);
  return documents.flatMap((document) => {
    const own = groups.get(document) ?? [];
    if (device !== undefined && document.assigned === undefined) return [];
    const space = commonSpace(document.host, own);
    if (own.length === 0 && space.apertures.length === 0) return [];
    const mask = (1n << BigInt(bits)) - 1n;
    const { addresses, steps, assumed } = nextDmaAddresses(space, { device, mask, size, count: COUNT });
    return [{ space: spaceTitle(space), addresses, steps: steps.map(allocatorStepText), assumed }];
  });
}
