import { describe, expect, test } from 'vitest';
import { diagnosticsOf, type Opened, openText } from '../../testing/read.ts';

const open = (...lines: string[]) => openText(`${lines.join('\n')}\n`);

/** Requests in short: `vfio map 1000-1fff -EINVAL`, then name, device, memory address, as far as they are there. */
function requestsOf({ facts }: Pick<Opened, 'facts'>): string[] {
  return facts.flatMap((fact) => {
    if (fact.kind !== 'request') return [];
    const range = `${fact.start.toString(16)}-${fact.last.toString(16)}`;
    const at = fact.vaddr === undefined ? undefined : `at ${fact.vaddr.toString(16)}`;
    return [
      [fact.api, fact.op, range, fact.result, fact.name, fact.device, at].filter((x) => x !== undefined).join(' '),
    ];
  });
}

describe('a request', () => {
  const forms: [name: string, lines: string[], expected: string[]][] = [
    [
      'with nothing around it',
      ['vfio_dma_map(0x55aa, 0x40000000, 0x100000000, 0x7fb200000000) = -22 (Invalid argument)'],
      ['vfio map 40000000-13fffffff -EINVAL at 7fb200000000'],
    ],
    [
      'an unmap, which has no memory',
      ['qemu-kvm: vfio_container_dma_unmap(0x55aa, 0x1000, 0x2000) = -2 (No such file or directory)'],
      ['vfio unmap 1000-2fff -ENOENT'],
    ],
    ['that was granted', ['vfio_dma_map(0x55aa, 0x1000, 0x2000, (nil)) = 0 (Success)'], ['vfio map 1000-2fff 0 at 0']],
    [
      'up to the very top',
      [
        'vfio_dma_unmap(0x55aa, 0x0, 0xffffffffffffffff) = -22',
        'vfio_dma_map(0x1, 0xfffffffffffff000, 0x1000, 0x2) = -22',
      ],
      ['vfio unmap 0-fffffffffffffffe -EINVAL', 'vfio map fffffffffffff000-ffffffffffffffff -EINVAL at 2'],
    ],
    [
      'a parenthesis is missing',
      ['vfio_dma_map(0x1, 0x1000, 0x1000, 0x2 = -14 (Bad address'],
      ['vfio map 1000-1fff -EFAULT at 2'],
    ],
    [
      'an error that Linux does not have',
      ['vfio_dma_map(0x1, 0x1000, 0x1000, 0x2) = -999 (Unknown error 999)'],
      ['vfio map 1000-1fff -999 at 2'],
    ],
    [
      'the region and the device are named before',
      [
        'qemu-system-x86_64: -device vfio-pci,host=65:00.0: vfio 0000:65:00.0: failed to setup container for group 7: memory listener initialization failed: Region /objects/mem 0: vfio_dma_map(0x1, 0x0, 0x80000000, 0x2) = -12 (Cannot allocate memory)',
      ],
      ['vfio map 0-7fffffff -ENOMEM /objects/mem 0 0000:65:00.0 at 2'],
    ],
    [
      'two devices: the name belongs to its own message',
      [
        'qemu-kvm: -device vfio-pci,host=0000:65:00.0: VFIO_MAP_DMA: -22',
        'qemu-kvm: vfio_dma_map(0x1, 0x0, 0x80000000, 0x2) = -22 (Invalid argument)',
      ],
      ['vfio map 0-7fffffff -EINVAL at 2'],
    ],
    [
      'a region whose name holds colons and blanks',
      ['vfio 0000:65:00.0: Region 0000:65:00.0 BAR 0', 'mmaps[0]: vfio_dma_map(0x1, 0x0, 0x1000, 0x2) = -14'],
      ['vfio map 0-fff -EFAULT 0000:65:00.0 BAR 0 mmaps[0] 0000:65:00.0 at 2'],
    ],
    [
      'a device by its path in sysfs',
      [
        'qemu-kvm: -device vfio-pci,sysfsdev=/sys/bus/pci/devices/0000:65:00.1: vfio_dma_map(0x1, 0x0, 0x1000, 0x2) = -22',
      ],
      ['vfio map 0-fff -EINVAL 0000:65:00.1 at 2'],
    ],
    [
      'of iommufd, by what its ioctl said',
      [
        'IOMMU_IOAS_MAP failed: Invalid argument',
        'vfio_container_dma_map(0x1, 0x1000, 0x1000, 0x2) = -22 (Invalid argument)',
      ],
      ['iommufd map 1000-1fff -EINVAL at 2'],
    ],
    [
      'of iommufd, by the device',
      [
        'qemu-kvm: -device vfio-pci,host=0000:65:00.0,iommufd=fd0: vfio_container_dma_map(0x1, 0x1000, 0x1000, 0x2) = -22',
        'qemu-kvm: -device vfio-pci,host=0000:65:00.1: vfio_container_dma_map(0x1, 0x1000, 0x1000, 0x2) = -22',
      ],
      ['iommufd map 1000-1fff -EINVAL 0000:65:00.0 at 2', 'vfio map 1000-1fff -EINVAL 0000:65:00.1 at 2'],
    ],
    [
      'of iommufd, by the name of the program, which a time stamp took with it',
      [
        '2023-01-02T03:04:05.000006Z qemu-iommufd: vfio_container_dma_map(0x1, 0x1000, 0x1000, 0x2) = -14 (Bad address)',
      ],
      ['iommufd map 1000-1fff -EFAULT at 2'],
    ],
    [
      'whose error only the ioctl tells',
      ['VFIO_MAP_DMA: -12', 'vfio_dma_map(0x1, 0x1000, 0x1000, 0x2)'],
      ['vfio map 1000-1fff -ENOMEM at 2'],
    ],
  ];
  test.each(forms)('%s', async (_, lines, expected) => {
    const opened = await open(...lines);
    expect(requestsOf(opened)).toEqual(expected);
    expect(diagnosticsOf(opened)).toEqual([]);
    expect(opened.sources[0]?.unrecognized).toBe(0);
  });

  test('wherever a mail program breaks the line, it is the same one', async () => {
    const whole =
      'qemu-kvm: -device vfio-pci,host=0000:65:00.0: vfio 0000:65:00.0: failed to setup container for group 7: memory listener initialization failed: Region pc.ram: vfio_dma_map(0x55aa00112233, 0x100000000, 0x9f000000, 0x7fb200000000) = -22 (Invalid argument)';
    for (let cut = whole.indexOf('Region'); cut < whole.length - 1; cut++) {
      const parts = [whole.slice(0, cut).trimEnd(), whole.slice(cut).trimStart()];
      const opened = await open(...parts.map((part) => `> ${part}`), '> and so on');
      expect([cut, requestsOf(opened)]).toEqual([
        cut,
        ['vfio map 100000000-19effffff -EINVAL pc.ram 0000:65:00.0 at 7fb200000000'],
      ]);
    }
  });

  test('quoted-printable, broken inside words and numbers', async () => {
    const opened = await open(
      'internal error: process exited while connecting to monitor: 2021-01-02T03:0=',
      '4:05.000006Z qemu-system-aarch64: -device vfio-pci,host=3D0000:65:00.0,id=3D=',
      'hostdev0,bus=3Dpci.3,addr=3D0x0: VFIO_MAP_DMA: -22',
      '2021-01-02T03:04:05.000007Z qemu-system-aarch64: -device vfio-pci,host=3D000=',
      '0:65:00.0: vfio 0000:65:00.0: failed to setup container for group 7: memory =',
      'listener initialization failed: Region mach-virt.ram: vfio_dma_map(0x5631,=20',
      '0x40000000, 0x100000000, 0x7fb2a3e00000) =3D -22 (Invalid argument)',
    );
    expect(requestsOf(opened)).toEqual([
      'vfio map 40000000-13fffffff -EINVAL mach-virt.ram 0000:65:00.0 at 7fb2a3e00000',
    ]);
    expect(diagnosticsOf(opened)).toEqual([]);
    expect(requestsOf(await open('vfio_dma_map(0x1, 0x1000, 0x1000, 0x2) =3D -22 (Invalid argument)'))).toEqual([
      'vfio map 1000-1fff -EINVAL at 2',
    ]);
  });

  test('no range is made up', async () => {
    const opened = await open(
      'vfio_dma_map(0x1, 0x1000, 0x0, 0x2) = -22 (Invalid argument)',
      'vfio_dma_map(0x1, 0xfffffffffffff000, 0x1001, 0x2) = -22 (Invalid argument)',
      'vfio_dma_map(0x1, 0x10000000000000000, 0x1000, 0x2) = -22 (Invalid argument)',
      'vfio_dma_map(0x1, 0x1000, 0x10',
    );
    expect(requestsOf(opened)).toEqual([]);
    expect(diagnosticsOf(opened)).toEqual([
      'warning empty-range 1',
      'warning range-beyond-64-bits 2',
      'error too-many-digits 3',
      'warning damaged-request 4',
    ]);
  });
});

describe('what an ioctl said', () => {
  test('belongs to the call before it as well as to the one behind', async () => {
    const opened = await open(
      'vfio_dma_map(0x1, 0x1000, 0x1000, 0x2) = -14 (Bad address)',
      'VFIO_MAP_DMA failed: Bad address',
    );
    expect(diagnosticsOf(opened)).toEqual([]);
  });

  test('alone is a diagnostic with the error', async () => {
    const opened = await open(
      'VFIO_MAP_DMA failed: -22',
      'VFIO_UNMAP_DMA failed: Invalid argument',
      'warning: IOMMU_IOAS_MAP failed: Bad address, PCI BAR?',
    );
    expect(diagnosticsOf(opened)).toEqual([
      'error qemu-map-failed 1',
      'error qemu-unmap-failed 2',
      'warning qemu-map-failed 3',
    ]);
    expect(opened.facts.map((fact) => fact.kind === 'diagnostic' && /: (-E\w+);/.exec(fact.message)?.[1])).toEqual([
      '-EINVAL',
      '-EINVAL',
      '-EFAULT',
    ]);
  });

  test.each([
    ['on one line', '-device {"driver":"vfio-pci","host":"0000:3b:00.0","id":"hostdev0"}: '],
    ['behind a device that was broken', '-device {"driver":"vfio-pci","host":"0000:3b:00.0",\n"id":"hostdev0"}: '],
  ])('counts where the call has another error, %s', async (_, device) => {
    const opened = await open(
      `qemu-system-x86_64: ${device}VFIO_MAP_DMA failed: Cannot allocate memory`,
      'qemu-system-x86_64: vfio_container_dma_map(0x1, 0x1000, 0x1000, 0x2) = -2 (No such file or directory)',
    );
    expect(requestsOf(opened).map((request) => request.replace(/ at \d$/, ''))).toEqual(['vfio map 1000-1fff -ENOMEM']);
    expect(diagnosticsOf(opened).map((text) => text.replace(/ \d$/, ''))).toEqual(['info request-errors-differ']);
  });

  test('one call answers for one ioctl', async () => {
    const opened = await open(
      'warning: IOMMU_IOAS_MAP failed: Bad address, PCI BAR?',
      'warning: vfio_container_dma_map(0x1, 0x1000, 0x1000, 0x2) = -14 (Bad address)',
      'warning: IOMMU_IOAS_MAP failed: Bad address, PCI BAR?',
    );
    expect(requestsOf(opened)).toEqual(['iommufd map 1000-1fff -EFAULT at 2']);
    expect(diagnosticsOf(opened)).toEqual(['warning qemu-map-failed 3']);
  });
});

test.each([
  ['Address space limit 0xffffffffff < 0x101ffffffff phys-bits too low (40)', 'error qemu-phys-bits-too-low 1'],
  [
    'Address space limit 0xffffffffff < 0x20000000000 (max configured memory), phys-bits too low (40)',
    'error qemu-phys-bits-too-low 1',
  ],
  [
    "warning: vfio_register_ram_discard_listener: possibly running out of DMA mappings. E.g., try increasing the 'block-size' of virtio-mem devies. Maximum possible DMA mappings: 65535, Maximum possible memslots: 509",
    'warning qemu-few-dma-mappings 1',
  ],
  ['warning: x: Notified about new host\nreserved regions after probe', 'warning qemu-late-reserved-regions 1'],
  ['x Conflicting host reserved ranges set!', 'error qemu-conflicting-reserved-regions 1'],
  ['0000:65:00.0: PCI peer-to-peer transactions on BARs are not supported.', 'warning qemu-no-peer-to-peer 1'],
  ['qemu: hardware error: vfio: DMA mapping failed, unable to continue', 'error qemu-dma-mapping-fatal 1'],
  [
    'vfio 0000:65:00.0: failed to setup container for group 7: Failed to set iommu for container: Operation not permitted',
    'error qemu-container-setup-failed 1',
  ],
  ['vfio 0000:65:00.1: group 7 used in multiple address spaces', 'error qemu-several-address-spaces 1'],
  ['vfio 0000:65:00.0: group 7 is not viable', 'error qemu-group-not-viable 1'],
  [
    'qemu-system-x86_64: unable to map backing store for guest RAM: Cannot allocate memory',
    'error qemu-memory-not-allocated 1',
  ],
  [
    "qemu-system-x86_64: cannot set up guest memory 'pc.ram': Cannot allocate memory",
    'error qemu-memory-not-allocated 1',
  ],
  [
    "kvm: can't open backing store /dev/hugepages/x for guest RAM: No such file or directory",
    'error qemu-memory-not-allocated 1',
  ],
  [
    'qemu: os_mem_prealloc: Insufficient free host memory pages available to allocate guest RAM',
    'error qemu-memory-not-allocated 1',
  ],
  ["Container 0x55aa can't map guest IOVA region 0x40000000..0x7fffffff", 'error qemu-outside-host-window 1'],
  [
    'vfio_listener_valid_section received unaligned region tpm iova=0xfed40000 offset_within_region=0x80 qemu_real_host_page_size=0x1000',
    'warning qemu-unaligned-region 1',
  ],
  ['qemu-kvm: aw-bits 48 > host aw-bits 39', 'error qemu-address-width-mismatch 1'],
  ['vfio 0000:65:00.0: No available IOMMU models', 'error qemu-no-iommu 1'],
  ['vfio_ram_discard_notify_discard: vfio_container_dma_unmap() failed: Invalid argument', 'error qemu-unmap-failed 1'],
])('%s', async (line, expected) => {
  const opened = await open(line);
  expect(diagnosticsOf(opened)).toEqual([expected]);
  expect(opened.sources[0]?.unrecognized).toBe(0);
});

test('a device in JSON whose message is broken anywhere: neither the first error nor the device is lost', async () => {
  const message = (range: string, error: string) =>
    `2024-05-06T12:00:00.123456Z qemu-system-x86_64: -device {"driver":"vfio-pci","host":"0000:01:00.0","id":"hostdev0","bus":"pci.5","addr":"0x0"}: vfio 0000:01:00.0: failed to setup container for group 15: memory listener initialization failed: Region pc.ram: vfio_container_dma_map(0x55d8c0a04560, ${range}, 0x7f0000000000) = ${error}`;
  const wrap = (line: string, limit: number) => {
    const parts: string[] = [];
    let rest = line;
    while (rest.length > limit) {
      const blank = rest.lastIndexOf(' ', limit);
      const cut = blank <= 0 ? limit : blank;
      parts.push(rest.slice(0, cut));
      rest = rest.slice(cut).replace(/^ /, '');
    }
    return [...parts, rest].join('\n');
  };
  const lines = [
    message('0x0, 0x80000000', '-12 (Cannot allocate memory)'),
    message('0x100000000, 0x80000000', '-2 (No such file or directory)'),
  ];
  for (const limit of [64, 72, 74, 76, 80, 96, 100, 120, 1000]) {
    const { facts } = await openText(lines.map((line) => wrap(line, limit)).join('\n'));
    const requests = facts.flatMap((fact) =>
      fact.kind === 'request' ? [`${fact.start.toString(16)} ${fact.result} ${fact.device}`] : [],
    );
    expect([limit, requests]).toEqual([limit, ['0 -ENOMEM 0000:01:00.0', '100000000 -ENOENT 0000:01:00.0']]);
  }
});
