import { expect, test } from 'vitest';
import { openText } from '../../testing/read.ts';

async function widths(...lines: string[]): Promise<string[]> {
  const { facts } = await openText(`${lines.join('\n')}\n`);
  return facts.flatMap((fact) =>
    fact.kind === 'device' && fact.dma_bits !== undefined ? [`${fact.device} ${fact.dma_bits}`] : [],
  );
}

test.each<[string, string[], string[]]>([
  ['one device', ['ahci 0000:28:00.0: Using 64-bit DMA addresses'], ['0000:28:00.0 64']],
  ['with a prefix', ['Jan  4 host kernel: [ 1.5] nvme 0000:01:00.0: Using 48-bit DMA addresses'], ['0000:01:00.0 48']],
  ['wrapped by a mail program', ['[ 1.5] nvme 0000:01:00.0: Using 64-bit DMA', 'addresses'], ['0000:01:00.0 64']],
])('%s', async (_name, lines, expected) => {
  expect(await widths(...lines)).toEqual(expected);
});

test.each([
  'nvme 0000:01:00.0: Using 32-bit DMA addresses',
  'Using 64-bit DMA addresses',
  'x: Using 99-bit DMA addresses',
])('nothing of %s', async (line) => {
  expect(await widths(line)).toEqual([]);
});
