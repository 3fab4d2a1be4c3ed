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
  [
    'registers below the device',
    [
      'arm-smmu 15000000.apps-smmu: Unhandled context fault from soc:qcom,cam_smmu:ife!',
      ...[
        'FAR    = 0x0000000007a00000',
        'PAR    = 0x0',
        'FSR    = 0x00000402 [TF R SS ]',
        'FSYNR0    = 0x003f0031',
      ].map((text) => `arm-smmu 15000000.apps-smmu: ${text}`),
      'arm-smmu 15000000.apps-smmu: context bank#    = 0x00000018',
      'arm-smmu 15000000.apps-smmu: SID = 0x808',
    ],
    ['soc:qcom,cam_smmu:ife read 7a00000 (translation fault)'],
  ],
  [
    'registers without the line above, of two faults',
    [
      ...['FAR    = 0x7a00000', 'FSR    = 0x00000402 [TF W SS ]'].map((text) => `arm-smmu 15000000.iommu: ${text}`),
      ...['FAR    = 0x7a01000', 'FSR    = 0x00000008 [PF]', 'SID=0x808'].map(
        (text) => `arm-smmu 15000000.iommu: ${text}`,
      ),
    ],
    ['15000000.iommu write 7a00000 (translation fault)', 'sid:0x808 ? 7a01000 (permission fault)'],
  ],
  [
    'registers of an old driver, two on a line',
    [
      'msm_iommu: Interesting registers:',
      'FAR    = 70000000    PAR    = 00000000',
      'FSR    = 00000002 [TF ]',
      'FSYNR0 = 00000010    FSYNR1 = 00000000',
      'TTBR0  = 40000000    TTBR1  = 00000000',
    ],
    ['? write 70000000 (translation fault)'],
  ],
  [
    'registers that repeat a fault',
    [
      'arm-smmu 5040000.iommu: Unhandled context fault: fsr=0x402, iova=0x1000, fsynr=0x11, cbfrsynra=0x800, cb=3',
      'arm-smmu 5040000.iommu: FSR    = 00000402 [Format=2 TF], SID=0x800',
      'arm-smmu 5040000.iommu: FSYNR0 = 00000011 [S1CBNDX=0 WNR PLVL=1]',
    ],
    ['sid:0x800 write 1000 (translation fault, fsr=0x402)'],
  ],
];

test.each(forms)('%s', async (_, lines, expected) => {
  const opened = await open(...lines);
  expect(faultsOf(opened)).toEqual(expected);
  expect(diagnosticsOf(opened)).toEqual([]);
});

test.each([
  [['arm-smmu 15000000.iommu: FSR    = 00000402 [TF R SS ]'], ['warning fault-without-address 1']],
  [
    [
      'arm-smmu 5040000.iommu: FSR    = 00000402 [Format=2 TF], SID=0x800',
      'arm-smmu 5040000.iommu: FSYNR0 = 00000011 [WNR]',
    ],
    ['warning fault-without-address 1'],
  ],
  [['arm-smmu 1500.smmu: Unhandled context fault from soc:x!', 'usb 1-1: reset'], ['warning fault-without-address 1']],
  // Of a processor.
  [['Internal error: Oops', 'FAR = 0x0000000007a00000', 'SCTLR = 0x30d00800'], []],
])('registers without the address: %j', async (lines, expected) => {
  const opened = await open(...lines);
  expect(faultsOf(opened)).toEqual([]);
  expect(diagnosticsOf(opened).filter((text) => !text.includes('nothing-recognized'))).toEqual(expected);
});

describe('no fault', () => {
  test('an event without an input address', async () => {
    const opened = await open(`${V3} event 0x02 received:`, ...RECORDED.slice(1));
    expect(faultsOf(opened)).toEqual([]);
    expect(opened.sources[0]?.unrecognized).toBe(0);
  });

  test('a quadword or the address in a register is cut', async () => {
    const cut = await open(...RECORDED.slice(0, 3), `${V3}  0x000000`, '0.1: another message');
    expect(faultsOf(cut)).toEqual([]);
    expect(diagnosticsOf(cut)).toEqual(['warning damaged-fault 1']);
    for (const far of ['0x00000000a0dc4', '0x000\n00000a0dc4000']) {
      const opened = await open(
        `arm-smmu 15000000.iommu: FAR    = ${far}`,
        'arm-smmu 15000000.iommu: FSR    = 0x00000402',
      );
      expect(faultsOf(opened)).toEqual([]);
      expect(diagnosticsOf(opened)).toEqual(['warning fault-without-address 1']);
    }
  });

  test('an address in a register is whole, whatever is below it', async () => {
    const opened = await open(
      'arm-smmu 15000000.iommu: FSR    = 0x00000402 [TF R SS ]',
      'arm-smmu 15000000.iommu: FAR    = 0x0000000012340000',
      '0',
    );
    expect(faultsOf(opened)).toEqual(['15000000.iommu read 12340000 (translation fault)']);
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
