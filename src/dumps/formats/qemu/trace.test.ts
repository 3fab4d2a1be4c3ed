import { describe, expect, test } from 'vitest';
import { diagnosticsOf, type Opened, openText } from '../../testing/read.ts';

const open = (...lines: string[]) => openText(`${lines.join('\n')}\n`);

/** Facts of traces in short: kind, range, then what there is of name, addresses, domain, time, result. */
function eventsOf({ facts }: Pick<Opened, 'facts'>): string[] {
  return facts.flatMap((fact) => {
    if (fact.kind !== 'map' && fact.kind !== 'unmap' && fact.kind !== 'request' && fact.kind !== 'guest') return [];
    const parts: (string | undefined)[] = [fact.kind, `${fact.start.toString(16)}-${fact.last.toString(16)}`];
    if (fact.kind === 'guest') parts.push(fact.type, fact.name);
    else if (fact.kind === 'request') parts.push(fact.op, fact.api, `${fact.result}`, fact.vaddr?.toString(16));
    else {
      parts.push(fact.origin, fact.vaddr?.toString(16), fact.paddr && `phys ${fact.paddr.toString(16)}`);
      parts.push(fact.domain && `domain ${fact.domain}`, fact.time === undefined ? undefined : `at ${fact.time}`);
    }
    return [parts.filter((part) => part !== undefined).join(' ')];
  });
}

const forms: [name: string, lines: string[], expected: string[]][] = [
  [
    'a mapping with the time of the log',
    ['812@1615369738.285335:vfio_listener_region_add_ram region_add [ram] 0xc0000 - 0xdffff [0x7f6702c00000]'],
    ['map c0000-dffff qemu 7f6702c00000 at 1615369738.285335'],
  ],
  [
    'the first versions: no name, no 0x',
    ['vfio: region_add [ram] 40000000 - 7fffffff [0x7fb200000000]', 'vfio: region_del 40000000 - 7fffffff'],
    ['map 40000000-7fffffff qemu 7fb200000000', 'unmap 40000000-7fffffff qemu'],
  ],
  [
    'without memory behind it, up to the top',
    ['vfio_listener_region_add_ram region_add [ram] 0xfffffffffffff000 - 0xffffffffffffffff [(nil)]'],
    ['map fffffffffffff000-ffffffffffffffff qemu 0'],
  ],
  [
    "the simple backend's",
    [
      'vfio_listener_region_add_ram 12.345 pid=99 iova_start=0x1000 iova_end=0x1fff vaddr=0x7f00',
      'iommufd_backend_map_dma 1.2 pid=99 iommufd=0xc ioas=0x2 iova=0x1000 size=0x1000 vaddr=0x7f00 readonly=0x0 ret=0x0',
      'iommufd_backend_unmap_dma 1.2 pid=99 iommufd=0xc ioas=0x2 iova=0x1000 size=0x1000 ret=0xffffffea',
    ],
    ['map 1000-1fff qemu 7f00', 'request 1000-1fff map iommufd 0 7f00', 'request 1000-1fff unmap iommufd -EINVAL'],
  ],
  [
    'a page that a virtual IOMMU translated',
    ['12@1.500000:virtio_iommu_translate_out 0xfffff040 -> 0x7f000040 for sid=8'],
    ['map fffff000-ffffffff qemu phys 7f000000'],
  ],
  [
    "ftrace's",
    [' qemu-kvm-99 [001] .... 123.456789: tracing_mark_write: vfio_listener_region_del region_del 0x1000 - 0x1fff'],
    ['unmap 1000-1fff qemu at 123.456789'],
  ],
  [
    'what is skipped is part of the guest, what is skipped when it goes is not told twice',
    [
      'vfio_listener_region_add_skip SKIPPING region_add 0xfee00000 - 0xfeefffff',
      'vfio_listener_region_skip SKIPPING region_add 0xa0000 - 0xbffff',
      'vfio_listener_region_del_skip SKIPPING region_del 0xfee00000 - 0xfeefffff',
      'vfio_listener_region_skip SKIPPING region_del 0xa0000 - 0xbffff',
    ],
    ['guest fee00000-feefffff i/o skipped by the VFIO listener', 'guest a0000-bffff i/o skipped by the VFIO listener'],
  ],
  [
    'a piece that is smaller than a page',
    [
      'vfio_listener_region_add_no_dma_map Region "0000:65:00.0 BAR 3 mmaps[0]" 0xfd000000 size=0x800 is not aligned to 0x10000 and cannot be mapped for DMA',
      'vfio_listener_region_add_no_dma_map "x" 0x1000 size 0x10 is not aligned to 0x1000',
    ],
    ['guest fd000000-fd0007ff ram 0000:65:00.0 BAR 3 mmaps[0]', 'guest 1000-100f ram x'],
  ],
  [
    "a guest's IOMMU",
    [
      'vfio_iommu_map_notify iommu map @ 0x1000 - 0x1fff',
      'vfio_iommu_map_notify iommu UNMAP @ 0x1000 - 0x1fff',
      'virtio_iommu_map domain=7 virt_start=0x1000 virt_end=0x1fff phys_start=0x40001000 flags=3',
      'virtio_iommu_unmap domain=7 virt_start=0x1000 virt_end=0x1fff',
      'virtio_iommu_unmap_done domain=7 virt_start=0x1000 virt_end=0x1fff',
    ],
    [
      'map 1000-1fff qemu',
      'unmap 1000-1fff qemu',
      'map 1000-1fff qemu phys 40001000 domain 7',
      'unmap 1000-1fff qemu domain 7',
    ],
  ],
  [
    'vDPA',
    [
      'vhost_vdpa_dma_map vdpa_shared:0x55 fd: 9 msg_type: 2 asid: 0 iova: 0x1000 size: 0x2000 uaddr: 0x7f00 perm: 0x3 type: 2',
      'vhost_vdpa_dma_unmap vdpa_shared:0x55 fd: 9 msg_type: 3 asid: 0 iova: 0x1000 size: 0x2000 type: 3',
    ],
    ['map 1000-2fff qemu 7f00', 'unmap 1000-2fff qemu'],
  ],
  [
    'requests that were granted',
    [
      'iommufd_backend_map_dma  iommufd=10 ioas=2 iova=0x1000 size=0x1000 addr=0x7f00 readonly=1 (0)',
      'iommufd_backend_map_file_dma  iommufd=10 ioas=2 iova=0x0 size=0x80000000 fd=30 start=12128256 readonly=0 (0)',
      'iommufd_backend_unmap_dma  iommufd=10 ioas=2 iova=0xfffffffffffff000 size=0x1000 (0)',
    ],
    [
      'request 1000-1fff map iommufd 0 7f00',
      'request 0-7fffffff map iommufd 0',
      'request fffffffffffff000-ffffffffffffffff unmap iommufd 0',
    ],
  ],
  [
    'an unmap of nothing',
    ['iommufd_backend_unmap_dma_non_exist  Unmap nonexistent mapping: iommufd=1 ioas=2 iova=0x1000 size=0x1000 (-1)'],
    ['request 1000-1fff unmap iommufd -ENOENT'],
  ],
  [
    'the number of the error is there',
    ['iommufd_backend_unmap_dma  iommufd=1 ioas=2 iova=0x1000 size=0x1000 (-22)'],
    ['request 1000-1fff unmap iommufd -EINVAL'],
  ],
  [
    'the error is told behind',
    [
      'iommufd_backend_map_dma  iommufd=1 ioas=2 iova=0x1000 size=0x1000 addr=0x7f00 readonly=0 (-1)',
      'qemu-kvm: IOMMU_IOAS_MAP failed: Bad',
      'address, PCI BAR?',
      'iommufd_backend_map_dma  iommufd=1 ioas=2 iova=0x2000 size=0x1000 addr=0x7f00 readonly=0 (-1)',
      'vfio_listener_region_add_ram region_add [ram] 0x5000 - 0x5fff [0x7f00]',
      'qemu-kvm: vfio_container_dma_map(0x55, 0x2000, 0x1000, 0x7f00) = -17 (File exists)',
    ],
    [
      'request 1000-1fff map iommufd -EFAULT 7f00',
      'request 2000-2fff map iommufd -EEXIST 7f00',
      'map 5000-5fff qemu 7f00',
      'request 2000-2fff map iommufd -EEXIST 7f00',
    ],
  ],
  [
    'no addresses that a device uses',
    [
      'vfio_region_mmap Region 0000:65:00.0 BAR 0',
      'mmaps[0] [0x0 - 0xffffff]',
      'vfio_region_dmabuf Device 0000:65:00.0, region "0000:65:00.0 BAR 0", offset: 0x0, size: 0x1000000',
      'vfio_listener_region_add_iommu region_add [iommu] 0x0 - 0xffffffffffffffff',
      'vfio_listener_region_del_iommu region_del [iommu] amdvi',
      'vfio_device_dirty_tracking_update section 0x0 - 0xfff -> update [0x0 - 0xfff]',
      'iommufd_cdev_alloc_ioas  [iommufd=1] new IOMMUFD container with ioasid=2',
      'iommufd_backend_connect fd=10 owned=1 users=1',
    ],
    [],
  ],
];

test.each(forms)('%s', async (_, lines, expected) => {
  const opened = await open(...lines);
  expect(eventsOf(opened)).toEqual(expected);
  expect(diagnosticsOf(opened)).toEqual([]);
  expect(opened.sources[0]?.unrecognized).toBe(0);
});

test('ranges in which dirty pages are tracked', async () => {
  const messagesOf = async (...lines: string[]) => {
    const opened = await open(...lines);
    expect(eventsOf(opened)).toEqual([]);
    expect(opened.sources[0]?.unrecognized).toBe(0);
    return opened.facts.map((fact) => (fact.kind === 'diagnostic' ? fact.message : fact.kind));
  };
  const says = (ranges: string, bits: number) => [
    `QEMU tracks dirty pages from the lowest to the highest address of memory, in ${ranges}: a device that tracks them needs ${bits} address bits`,
  ];
  const old = 'vfio_device_dirty_tracking_start nr_ranges 2 32:[0x0 - 0x807fffff], 64:[0x100000000 - 0x3838000fffff]';
  const both = says('0x0-0x807fffff and 0x100000000-0x3838000fffff', 46);
  expect(await messagesOf(old)).toEqual(both);
  expect(await messagesOf(old.slice(0, 74), old.slice(74))).toEqual(both);
  const unused = '[0xffffffffffffffff - 0x0]';
  expect(
    await messagesOf(
      `17@1.5:vfio_device_dirty_tracking_start nr_ranges 1 32:[0x0 - 0x7fffffff], 64:${unused}, pci64:${unused}`,
    ),
  ).toEqual(says('0x0-0x7fffffff', 31));
  expect(
    await messagesOf(
      `vfio_device_dirty_tracking_start nr_ranges 2 32:[0x0 - 0xc1ffffff], 64:${unused}, pci64:[0x4000000000 - 0x47ffffffff]`,
    ),
  ).toEqual(says('0x0-0xc1ffffff and 0x4000000000-0x47ffffffff', 39));
});

describe('wherever a mail program breaks the line, it is the same one', () => {
  test.each([
    [
      'vfio_listener_region_add_ram region_add [ram] 0xf8000000 - 0xf8005fff [0x7f691e800000]',
      'map f8000000-f8005fff qemu 7f691e800000',
    ],
    [
      'iommufd_backend_map_dma  iommufd=10 ioas=2 iova=0x380000001000 size=0x3000 addr=0x7fce2c28b000 readonly=0 (0)',
      'request 380000001000-380000003fff map iommufd 0 7fce2c28b000',
    ],
  ])('%s', async (whole, expected) => {
    for (let cut = whole.indexOf(' ') + 1; cut < whole.length; cut++) {
      const opened = await open(whole.slice(0, cut), whole.slice(cut), 'the next line');
      expect([cut, eventsOf(opened)]).toEqual([cut, [expected]]);
    }
  });
});

test('an error that nothing tells is unknown, and that is said', async () => {
  const opened = await open(
    'iommufd_backend_map_dma  iommufd=1 ioas=2 iova=0x1000 size=0x1000 addr=0x7f00 readonly=0 (-1)',
    'iommufd_backend_map_dma  iommufd=1 ioas=2 iova=0x9000 size=0x1000 addr=0x7f00 readonly=0 (-1)',
    'vfio_container_dma_map(0x55, 0x9000, 0x1000, 0x7f00) = -22 (Invalid argument)',
  );
  expect(eventsOf(opened)[0]).toBe('request 1000-1fff map iommufd unknown 7f00');
  expect(diagnosticsOf(opened)).toEqual(['info qemu-error-unknown 1']);
});

test('no range is made up', async () => {
  const opened = await open(
    'region_add [ram] 0x2000 - 0x1fff [0x7f00]',
    'region_del 0x0 - 0x1ffffffffffffffff',
    'iommufd_backend_unmap_dma  iommufd=1 ioas=2 iova=0x1000 size=0x0 (0)',
    'iommufd_backend_map_dma  iommufd=1 ioas=2 iova=0xfffffffffffff000 size=0x1001 addr=0x1 readonly=0 (0)',
  );
  expect(eventsOf(opened)).toEqual([]);
  expect(diagnosticsOf(opened)).toEqual([
    'error start-above-last 1',
    'error too-many-digits 2',
    'warning empty-range 3',
    'warning range-beyond-64-bits 4',
  ]);
});
