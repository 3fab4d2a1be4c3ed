import fc from 'fast-check';
import { expect, test } from 'vitest';
import { FUZZ_TIMEOUT, inputOf, openAll } from '../testing/read.ts';

const piece = fc.constantFrom(
  ...[
    '\n',
    '\n',
    '\r\n',
    '\r',
    '\r\r\n',
    ' ',
    '> ',
    '=',
    '=\n',
    '=20\n',
    '=3D0x',
    '\0',
    '\u00e9',
    '\ufeff',
    '...',
    '---',
  ],
  ...[
    '# cat /sys/kernel/iommu_groups/7/reserved_regions\n',
    '0x00000000fee00000 0x00000000feefffff msi',
    'x'.repeat(17_000),
  ],
  ...[
    'map: IOMMU: iova=0x1000 - 0x2000 paddr=0x5000 size=4096',
    'map: IOMMU: iova=0x1000 - ',
    '0x2000 paddr=0x5000 size=4096',
  ],
  ...[
    'Jan  3 12:00:01 maple kernel: [    1.500000] ',
    'iommu: map: iova 0x1000 pa 0x2000 size 0x1000',
    '<<<< here',
    'plain words',
  ],
);

test('text is read the same in pieces of any size', { timeout: FUZZ_TIMEOUT }, async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(piece, { maxLength: 40 }), fc.integer({ min: 1, max: 500 }), async (pieces, size) => {
      const text = pieces.join('');
      const whole = await openAll([inputOf('x', text, 1 << 20)]);
      const cut = await openAll([inputOf('x', text, size)]);
      expect(cut).toEqual(whole);
    }),
    { numRuns: 400 },
  );
});
