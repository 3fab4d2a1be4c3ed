import { expect, test } from 'vitest';
import { diagnosticsOf, openText } from '../../testing/read.ts';

const PREFIX = '[    6.220014] virtio_iommu virtio0: ';

test.each([
  [
    'page fault from EP 24 at 0xfffff000 [W]',
    { address: 0xffff_f000n, device: 'ep:24', access: 'write', reason: 'page fault' },
  ],
  ['page fault from EP 24 at 0xffffffffffffffff [R]', { address: (1n << 64n) - 1n, access: 'read' }],
  [
    'domain fault from EP 0 at 0 [RWX]',
    { address: 0n, device: 'ep:0', access: 'write', reason: 'the endpoint has no domain' },
  ],
  ['unknown fault from EP 9 PASID 5 at 0x1000 [X]', { address: 0x1000n, pasid: 5, reason: 'fault of unknown reason' }],
])('%s', async (message, expected) => {
  for (const text of [`${PREFIX}${message}\n`, `> virtio_iommu virtio0: ${message.replace(' at ', '\n> at ')}\n`]) {
    const opened = await openText(text);
    expect(opened.facts).toHaveLength(1);
    expect(opened.facts[0]).toMatchObject({ kind: 'fault', driver: 'virtio', ...expected });
    expect(opened.sources[0]?.unrecognized).toBe(0);
  }
});

test('an instruction fetch is neither read nor write', async () => {
  const { facts } = await openText(`${PREFIX}page fault from EP 1 at 0x1000 [X]\n`);
  expect(facts[0]).not.toHaveProperty('access');
});

test('without an address, and with one of more than 64 bits', async () => {
  const opened = await openText(
    `${PREFIX}domain fault from EP 24\n${PREFIX}page fault from EP 24 at 0x10000000000000000 [W]\n`,
  );
  expect(diagnosticsOf(opened)).toEqual(['warning fault-without-address 1', 'warning damaged-fault 2']);
});

test('other faults are left alone', async () => {
  const opened = await openText('[ 1.0] traps: page fault from user space\nunknown fault\n');
  expect(diagnosticsOf(opened)).toEqual(['error nothing-recognized -']);
  expect(opened.sources[0]?.unrecognized).toBe(2);
});

test('a mask of page sizes that a line break cut is read whole', async () => {
  const width = `${PREFIX}input address: 64 bits\n`;
  for (const mask of ['0xfffffffffffff000', '0xf\nffffffffffff000', '0xfffffffffffff0\n00']) {
    const opened = await openText(`${width}${PREFIX}page mask: ${mask}\nnext line\n`);
    expect(opened.facts).toContainEqual(
      expect.objectContaining({ kind: 'aperture', pgsize_bitmap: 0xffff_ffff_ffff_f000n }),
    );
    expect(opened.sources[0]?.unrecognized).toBe(1);
  }
});
