import { describe, expect, test } from 'vitest';
import { diagnosticsOf, faultsOf, openText } from '../../testing/read.ts';

const open = (...lines: string[]) => openText(`${lines.join('\n')}\n`);
const V3 = 'arm-smmu-v3 2b400000.iommu:';
const RECORDED = [
  `${V3} event 0x10 received:`,
  `${V3}  0x0000010800000010`,
  `${V3}  0x0000020800000000`,
  `${V3}  0x00000000fffc1000`,
  `${V3}  0x0000000000000000`,
];
const DECODED = `${V3} event: F_TRANSLATION client: 0000:01:01.0 sid: 0x108 ssid: 0x0 iova: 0xfffc1000 ipa: 0x0`;

const forms: [name: string, lines: string[], expected: string[]][] = [
  ['quadwords', RECORDED, ['sid:0x108 read fffc1000 (F_TRANSLATION)']],
  [
    "Xen's",
    RECORDED.map((line) => line.replace(V3, '(XEN) SMMUv3: /smmuv3@9050000:')),
    ['sid:0x108 read fffc1000 (F_TRANSLATION)'],
  ],
  [
    'a write, with a substream',
    [
      `${V3} event 0x13 received:`,
      `${V3} 0x0000010800005813`,
      `${V3} 0x0000020000000000`,
      `${V3} 0xffffffffffffff00`,
      `${V3} 0x0`,
    ],
    ['sid:0x108 write ffffffffffffff00 (F_PERMISSION) pasid 5'],
  ],
  [
    'a quadword broken',
    [...RECORDED.slice(0, 3), `${V3}  0x00000000ff`, 'fc1000', ...RECORDED.slice(4)],
    ['sid:0x108 read fffc1000 (F_TRANSLATION)'],
  ],
  [
    'decoded',
    [DECODED, `${V3} unpriv data write s1 "Input address caused fault" stag: 0x0`],
    ['0000:01:01.0 write fffc1000 (F_TRANSLATION)'],
  ],
  ['decoded, broken', [DECODED.slice(0, 75), DECODED.slice(75)], ['0000:01:01.0 ? fffc1000 (F_TRANSLATION)']],
  ['both: one fault', [...RECORDED, DECODED], ['0000:01:01.0 read fffc1000 (F_TRANSLATION)']],
  [
    'both, broken',
    [...RECORDED, DECODED.slice(0, 75), DECODED.slice(75)],
    ['0000:01:01.0 read fffc1000 (F_TRANSLATION)'],
  ],
  [
    'both, of different faults',
    [...RECORDED, DECODED.replace('fffc1000', 'fffc2000')],
    ['sid:0x108 read fffc1000 (F_TRANSLATION)', '0000:01:01.0 ? fffc2000 (F_TRANSLATION)'],
  ],
  [
    'version 2',
    [
      'arm-smmu 5000000.iommu: Unhandled context fault: fsr=0x402, iova=0xbbfff800, fsynr=0x3e0011, cbfrsynra=0x828, cb=9',
    ],
    ['sid:0x828 write bbfff800 (translation fault, fsr=0x402)'],
  ],
  [
    'version 2, broken',
    ['arm-smmu 5000000.iommu: Unhandled context fault: fsr=0x8, iova=0x40,', 'fsynr=0x2f0003, cbfrsynra=0x102, cb=15'],
    ['sid:0x102 read 40 (permission fault, fsr=0x8)'],
  ],
  [
    'version 2, old',
    ['arm-smmu 5000000.iommu: Unhandled context fault: iova=0x08000040, fsynr=0x22, cb=0'],
    ['? read 8000040 (context fault)'],
  ],
];

test.each(forms)('%s', async (_, lines, expected) => {
  const opened = await open(...lines);
  expect(faultsOf(opened)).toEqual(expected);
  expect(diagnosticsOf(opened)).toEqual([]);
});

describe('no fault', () => {
  test('an event without an input address', async () => {
    const opened = await open(`${V3} event 0x02 received:`, ...RECORDED.slice(1));
    expect(faultsOf(opened)).toEqual([]);
    expect(opened.sources[0]?.unrecognized).toBe(0);
  });

  test('quadwords are missing', async () => {
    const opened = await open(...RECORDED.slice(0, 3), 'usb 1-1: reset');
    expect(faultsOf(opened)).toEqual([]);
    expect(diagnosticsOf(opened)).toEqual(['warning damaged-fault 1']);
  });
});

test('page sizes that a line break cut are read whole', async () => {
  const of = 'arm-smmu 12c00000.iommu:';
  for (const sizes of ['0x61311000', '0x6\n  1311000', '0x613110\n00']) {
    const opened = await openText(`${of} Supported page sizes: ${sizes}\n${of} Stage-1: 48-bit VA -> 48-bit IPA\n`);
    expect(opened.facts).toContainEqual(expect.objectContaining({ kind: 'aperture', pgsize_bitmap: 0x6131_1000n }));
  }
});
