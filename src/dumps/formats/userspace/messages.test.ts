import { describe, expect, test } from 'vitest';
import { diagnosticsOf, type Opened, openText } from '../../testing/read.ts';

const open = (...lines: string[]) => openText(`${lines.join('\n')}\n`);

/** Requests and mappings in short: `map 1000-1fff -EINVAL at 7f00 0000:65:00.0`. */
function rangesOf({ facts }: Pick<Opened, 'facts'>): string[] {
  return facts.flatMap((fact) => {
    if (fact.kind !== 'request' && fact.kind !== 'map' && fact.kind !== 'unmap') return [];
    const what = fact.kind === 'request' ? [fact.op] : [fact.origin, fact.kind];
    const range = `${fact.start.toString(16)}-${fact.last.toString(16)}`;
    const at = fact.vaddr === undefined ? [] : [`at ${fact.vaddr.toString(16)}`];
    const result = fact.kind === 'request' ? [fact.result] : [];
    return [[...what, range, ...result, ...at, ...(fact.device === undefined ? [] : [fact.device])].join(' ')];
  });
}

const ranges: [name: string, lines: string[], expected: string[]][] = [
  [
    'what was traced before the ioctl',
    [
      'DPDK dma_map vaddr: 0x200000200000, iova: 0x1000, size: 0x2000, ret: 0',
      'DPDK dma_map vaddr: 0x200000200000, iova: 0x1000, size: 0x2000, ret=-1, errno was set to EEXIST',
      'DPDK dma_unmap iova: 0x1000, size: 0x2000, ret: -22',
    ],
    ['map 1000-2fff 0 at 200000200000', 'map 1000-2fff -EEXIST at 200000200000', 'unmap 1000-2fff -EINVAL'],
  ],
  [
    'memory of the user: the length is decimal behind its 0x, or hexadecimal after all',
    [
      'EAL: Cannot set up DMA remapping, error 22 (Invalid argument)',
      "EAL: Couldn't map user memory for DMA: va: 0x7f00 iova: 0x40000000 len: 0x2097152",
      'EAL: Cannot set up DMA remapping, error 12 (Cannot allocate memory)',
      "EAL: Couldn't map user memory for DMA: va: 0x7f00 iova: 0x40000000 len: 0x200000",
    ],
    ['map 40000000-401fffff -EINVAL at 7f00', 'map 40000000-401fffff -ENOMEM at 7f00'],
  ],
  [
    'vDPA',
    [
      'ifcvf: DMA map, region 0: HVA 0x7f00, GPA 0x0, size 0xa0000.',
      'virtio_vdpa: DMA unmap region: HVA 0x0, GPA 0x1000, HPA 0x5000, size 0x1000.',
    ],
    ['dpdk map 0-9ffff at 7f00', 'dpdk unmap 1000-1fff'],
  ],
  [
    'Cloud Hypervisor',
    [
      'Could not map mmio region to vfio container: iova 0x3000000000, size 0x4000: Failed to DMA map: IommuDmaMap(Error(22)) for device /sys/bus/pci/devices/0000:65:00.1 (guest BDF: 0000:00:06.0), ',
      'Could not unmap mmio region from vfio container: iova 0x3000000000, size 0x4000: failed to remove guest memory map from iommu table: No such file or directory (os error 2), ',
    ],
    ['map 3000000000-3000003fff -EINVAL 0000:65:00.1', 'unmap 3000000000-3000003fff -ENOENT'],
  ],
  [
    'OpenVMM',
    [
      'iommufd IOAS DMA map failed: iova=0x8000000000 user_va=0x7f00 length=0x1000 ioas_id=2: Invalid argument (os error 22)',
      'DMA unmap failed: iova=0x1000 size=0x1000: No such file or directory (os error 2)',
    ],
    ['map 8000000000-8000000fff -EINVAL at 7f00', 'unmap 1000-1fff -ENOENT'],
  ],
  [
    'broken by a mail program',
    [
      '> DPDK dma_map vaddr: 0x200000200000, iova:',
      '> 0x200000200000, size: 0x14200000, ret=-1, errno was set to',
      '> EINVAL',
    ],
    ['map 200000200000-2000143fffff -EINVAL at 200000200000'],
  ],
];

describe('ranges', () => {
  test.each(ranges)('%s', async (_, lines, expected) => {
    const opened = await open(...lines);
    expect(rangesOf(opened)).toEqual(expected);
    expect(diagnosticsOf(opened).filter((text) => !text.startsWith('error dpdk-dma-map-failed'))).toEqual([]);
    expect(opened.sources[0]?.unrecognized).toBe(0);
  });

  test('an unmap of nothing is a warning', async () => {
    const opened = await open('DPDK dma_unmap iova: 0x20000a400000, size: 0x0, ret: 0');
    expect(rangesOf(opened)).toEqual([]);
    expect(diagnosticsOf(opened)).toEqual(['warning dpdk-partial-unmap 1']);
  });

  test('an error that is not told is unknown', async () => {
    const opened = await open('DPDK dma_map vaddr: 0x1000, iova: 0x1000, size: 0x1000, ret: -1');
    expect(rangesOf(opened)).toEqual(['map 1000-1fff unknown at 1000']);
    expect(diagnosticsOf(opened)).toEqual(['info request-error-unknown 1']);
  });

  test('none is made up', async () => {
    const opened = await open(
      'DPDK dma_map vaddr: 0x1, iova: 0xfffffffffffff000, size: 0x1001, ret: 0',
      'DPDK dma_map vaddr: 0x1, iova: 0x10000000000000000, size: 0x1000, ret: 0',
      'DPDK dma_map vaddr: 0x1, iova: 0x1000, size: 0x0, ret: 0',
    );
    expect(rangesOf(opened)).toEqual([]);
    expect(diagnosticsOf(opened)).toEqual([
      'warning range-beyond-64-bits 1',
      'error too-many-digits 2',
      'warning empty-range 3',
    ]);
  });
});

const messages: [line: string, expected: string, words: RegExp][] = [
  [
    "EAL: alloc_pages_on_heap(): couldn't allocate memory due to IOVA exceeding limits of current DMA mask",
    'error dpdk-iova-above-mask 1',
    /above the address width/,
  ],
  [
    'EAL: memseg iova 200000200000, len 40000000, out of range',
    'error dpdk-iova-above-mask 1',
    /0x200000200000-0x2000401fffff/,
  ],
  [
    "EAL:   Expecting 'PA' IOVA mode but current mode is 'VA', not initializing",
    'error dpdk-iova-mode 1',
    /needs IOVA mode PA; EAL uses VA/,
  ],
  ['EAL:   cannot set up DMA remapping, error 22 (Invalid argument)', 'error dpdk-dma-map-failed 1', /: EINVAL;/],
  [
    'memory.c: 801:_vfio_iommu_map_dma: *NOTICE*: Cannot set up DMA mapping, error 17, ignored',
    'info dpdk-dma-map-failed 1',
    /: EEXIST;/,
  ],
  [
    'memory.c: 835:vtophys_iommu_map_dma: *ERROR*: Cannot set up DMA mapping, error 22',
    'error dpdk-dma-map-failed 1',
    /: EINVAL;/,
  ],
  [
    'EAL:   cannot clear DMA remapping, error 22 (Invalid argument)',
    'error dpdk-dma-unmap-failed 1',
    /unmapped: EINVAL;/,
  ],
  [
    'EAL:   0000:65:00.0 DMA remapping failed, error 12 (Cannot allocate memory)',
    'error dpdk-device-dma-failed 1',
    /0000:65:00\.0: ENOMEM$/,
  ],
  [
    'EAL: Unexpected size 0 of DMA remapping cleared instead of 2097152',
    'error dpdk-partial-unmap 1',
    /2097152 bytes unmapped 0:/,
  ],
  [
    'Unexpected size 0x1000 of DMA remapping cleared instead of 0x200000',
    'error dpdk-partial-unmap 1',
    /2097152 bytes unmapped 4096:/,
  ],
  ['EAL: Driver cannot attach the device (65:00.0)', 'error dpdk-device-not-attached 1', / 0000:65:00\.0 /],
  ['EAL: Requested device 0000:65:00.0 cannot be used', 'error dpdk-device-not-attached 1', / 0000:65:00\.0 /],
  [
    'EAL: 0000:65:00.0 VFIO group is not viable! Not all devices in IOMMU group bound to VFIO or unbound',
    'error dpdk-group-not-viable 1',
    / 0000:65:00\.0 /,
  ],
  ['EAL: 0000:65:00.0 not managed by VFIO driver, skipping', 'info dpdk-not-vfio 1', / 0000:65:00\.0 /],
  ["EAL: Couldn't map new region for DMA", 'error dpdk-region-not-mapped 1', /newly added/],
  ['EAL: DMA map attempt outside DMA window', 'error dpdk-outside-window 1', /outside/],
  ['EAL: 0000:65:00.0 failed to select IOMMU type', 'error dpdk-no-iommu-type 1', / 0000:65:00\.0$/],
  [
    'Error booting VM: VfioMapRegion(DmaMap(IommuDmaMap(Error(17)))) &{BDF:0000:65:00.0}',
    'error vmm-dma-map-failed 1',
    /, 0000:65:00\.0: EEXIST$/,
  ],
  [
    'failed to add guest memory map into iommu table: Invalid argument (os error 22)',
    'error vmm-dma-map-failed 1',
    /: EINVAL$/,
  ],
  [
    'Failed to DMA map: failed to map an IOVA range to the IOAS: Bad address (os error 14)',
    'error vmm-dma-map-failed 1',
    /: EFAULT$/,
  ],
  [
    'ERROR:pci/src/vfio.rs:651 -- failed to remove all guest memory regions from iommu table',
    'error vmm-dma-unmap-failed 1',
    /could not be unmapped/,
  ],
];

test.each(messages)('%s', async (line, expected, words) => {
  const opened = await open(line);
  expect(diagnosticsOf(opened)).toEqual([expected]);
  expect(opened.facts.map((fact) => fact.kind === 'diagnostic' && fact.message)).toEqual([
    expect.stringMatching(words),
  ]);
  expect(opened.sources[0]?.unrecognized).toBe(0);
});

test('half-open ranges of vfio-user, in hexadecimal or decimal; what fails below is not mapped', async () => {
  const opened = await openText(
    [
      'tgt: adding DMA region [0xc4000, 0xe8000) offset=0xc4000 flags=0x3',
      'tgt: failed to add DMA region [0xc4000, 0xe8000) offset=0xc4000 flags=0x3: Invalid argument',
      'tgt: adding DMA region [802816, 950272) flags=0x3',
      'tgt: failed to remove DMA region [0x1000, 0x2000): No such file or directory',
      'tgt: new DMA region [0xd2000, 0xe8000) overlaps with DMA region [0xc0000, 0xd4000)',
      'tgt: failed to add DMA region [0x2000, 0x1000): Invalid argument',
    ].join('\n'),
  );
  const found = opened.facts.flatMap((fact) =>
    fact.kind === 'request' || fact.kind === 'map'
      ? [`${fact.kind} ${fact.start.toString(16)}-${fact.last.toString(16)} ${fact.result ?? ''}`.trim()]
      : [],
  );
  expect(found).toEqual([
    'request c4000-e7fff -EINVAL',
    'map c4000-e7fff',
    'request 1000-1fff -ENOENT',
    'request d2000-e7fff unknown',
  ]);
  expect(diagnosticsOf(opened)).toEqual(['warning empty-range 6']);
});
