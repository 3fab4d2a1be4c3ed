import { expect, test } from 'vitest';
import { diagnosticsOf, openText } from '../../testing/read.ts';

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

test('memory that a device cannot reach, with its range, its mask and why', async () => {
  const opened = await openText(
    [
      'nvme 0000:01:00.0: overflow 0x0000000040898000+536576 of DMA mask ffffffff bus mask 0',
      'xhci_hcd 0000:03:00.0: overflow 0x000000023ffff000+4096 of DMA mask ffffffff bus limit 3fffffff',
      'nvme 0000:04:00.0: DMA addr 0x0000000140c98000+8192 overflow (mask ffffffff, bus limit 0).',
    ].join('\n'),
  );
  expect(opened.facts.map((fact) => (fact.kind === 'diagnostic' ? fact.message : fact.kind))).toEqual([
    expect.stringMatching(/^0000:01:00\.0 .*0x40898000-0x4091afff: .*larger \(536576 bytes\)/),
    expect.stringMatching(
      /^0000:03:00\.0 .*0x23ffff000-0x23fffffff: .*0x3fffffff \(30 bits\) \(the limit of its bus\)/,
    ),
    expect.stringMatching(/^0000:04:00\.0 .*0x140c98000-0x140c99fff: .*0xffffffff \(32 bits\) \(its DMA mask\)/),
  ]);
});

test('what the checks of the DMA API find: a leak is one finding with the range of the line below it', async () => {
  const opened = await openText(
    [
      'e1000e 0000:00:19.0: DMA-API: device driver has pending DMA allocations while released from device [count=2]',
      'One of leaked entries details: [device address=0x00000000ffe4c000] [size=1522 bytes] [mapped with DMA_FROM_DEVICE]',
      'DMA-API: e1000e 0000:00:1f.6: device driver tries to free DMA memory it has not allocated [device address=0x00000000fff0a000] [size=2048 bytes]',
      'swiotlb: swiotlb buffer is nothing',
      'sdhci-pci 0000:02:00.0: swiotlb buffer is full (sz: 12288 bytes)',
    ].join('\n'),
  );
  expect(diagnosticsOf(opened)).toEqual(['warning dma-api-debug 1', 'warning dma-api-debug 3', 'error swiotlb-full 5']);
  expect(opened.facts[0]).toHaveProperty('message', expect.stringContaining('2 mappings are left'));
  expect(opened.facts[0]).toHaveProperty('message', expect.stringContaining('0xffe4c000-0xffe4c5f1'));
});
