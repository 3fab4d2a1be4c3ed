// A made-up fleet of hosts and the dumps that an administrator would collect of each: a copy of what sysfs says about
// IOMMU groups, the output of lspci and of dmesg. The same number of hosts gives the same bytes in every run.
import { packTar, type TarEntry } from 'modern-tar';
import { numbers } from './numbers.ts';

/** A file of a host's dump, below the host's folder. */
export type FleetFile =
  | { readonly path: string; readonly text: string }
  /** A symbolic link. */
  | { readonly path: string; readonly target: string };

export interface FleetHost {
  /** `r07n12`: what its folder is called, and the host name that dmesg shows. */
  readonly name: string;
  readonly files: readonly FleetFile[];
}

/** What hosts of one purchase have in common, as far as it matters for IOVAs. */
interface Kind {
  readonly vendor: 'intel' | 'amd';
  /** Registers of each IOMMU. */
  readonly cap: string;
  readonly ecap: string;
  /** Regions that the firmware asks for, inclusive: of the management controller, for network controllers. */
  readonly direct: readonly (readonly [start: number, last: number])[];
  readonly board: string;
}

const INTEL_48 = { vendor: 'intel', cap: '8d2078c106f0466', ecap: 'f020df' } as const;

const PLAIN: Kind = { ...INTEL_48, direct: [[0x7b800000, 0x7bffffff]], board: 'Example 2288 V5' };
const NEWER: Kind = {
  ...INTEL_48,
  direct: [
    [0x6d000000, 0x6d0fffff],
    [0x7b800000, 0x7bffffff],
  ],
  board: 'Example 2288 V6',
};
const AMD: Kind = { vendor: 'amd', cap: '194064fe', ecap: '246577efa2254afa', direct: [], board: 'Example 7525' };

/** Hosts that differ from all others: what a firmware update, a card or an option changed on one of them. */
const ODD: readonly Kind[] = [
  { ...PLAIN, direct: [...PLAIN.direct, [0xbdf6f000, 0xbdf7efff]] },
  { ...PLAIN, cap: '1c0000c40660462' },
  { ...PLAIN, direct: [] },
  { ...NEWER, direct: [[0x6d000000, 0x6d1fffff]] },
  { ...AMD, direct: [[0x2_0000_0000, 0x2_003f_ffff]] },
];

/** The kind of a host: 812 of 1,000 are plain, 120 newer, 63 AMD, 5 like no other, spread over all racks. */
function kindOf(index: number, count: number): Kind {
  const odd = ODD.findIndex((_, n) => index === Math.floor(((2 * n + 1) * count) / (2 * ODD.length)));
  const one = ODD[odd];
  if (one) return one;
  const place = (index * 7919) % 1000;
  return place < 815 ? PLAIN : place < 935 ? NEWER : AMD;
}

const GROUPS = 60;

const hex = (value: number, digits: number) => value.toString(16).padStart(digits, '0');

/** The devices of each group: most groups have one, those of a multi-function card two. */
function groupsOf(): readonly (readonly string[])[] {
  return Array.from({ length: GROUPS }, (_, group) => {
    const slot = `0000:${hex(Math.floor(group / 8) * 0x17, 2)}:${hex(group % 8, 2)}`;
    return group % 3 === 2 ? [`${slot}.0`, `${slot}.1`] : [`${slot}.0`];
  });
}

const DEVICES = [
  { what: 'Host bridge [0600]', name: 'Example Corporation Root Complex [1af4:2020] (rev 07)', driver: undefined },
  { what: 'PCI bridge [0604]', name: 'Example Corporation Root Port [1af4:2030] (rev 07)', driver: 'pcieport' },
  {
    what: 'Ethernet controller [0200]',
    name: 'Example Corporation 25GbE Controller [1af4:1583] (rev 02)',
    driver: 'i40e',
  },
  {
    what: 'Non-Volatile memory controller [0108]',
    name: 'Example Corporation NVMe Drive [1af4:a824]',
    driver: 'nvme',
  },
  { what: 'USB controller [0c03]', name: 'Example Corporation xHCI [1af4:a1af] (rev 09)', driver: 'xhci_hcd' },
] as const;

function deviceAt(index: number) {
  return DEVICES[index % DEVICES.length] ?? DEVICES[0];
}

function lspci(groups: readonly (readonly string[])[], board: string): string {
  const lines = groups.flatMap((devices, group) =>
    devices.flatMap((device) => {
      const { what, name, driver } = deviceAt(group);
      return [
        `${device} ${what}: ${name}`,
        `\tSubsystem: ${board} [1af4:1100]`,
        `\tIOMMU group: ${group}`,
        ...(driver === undefined ? [] : [`\tKernel driver in use: ${driver}`, `\tKernel modules: ${driver}`]),
      ];
    }),
  );
  return `${lines.join('\n')}\n`;
}

/** Lines of a boot that say nothing about IOVAs, as most of a log does. */
const CHATTER: readonly ((n: number) => string)[] = [
  (n) => `pci 0000:${hex(n % 256, 2)}:00.0: PME# supported from D0 D3hot D3cold`,
  (n) => `smpboot: CPU ${n % 64} is now online`,
  (n) => `nvme nvme${n % 8}: ${n % 128}/0/0 default/read/poll queues`,
  (n) => `audit: type=1400 audit(1763712000.${n % 1000}:${n % 97}): apparmor="STATUS" operation="profile_load"`,
  (n) => `mlx5_core: port ${n % 2} link becomes ready, speed ${25 * (1 + (n % 4))}000`,
];

function dmesg(name: string, kind: Kind, groups: readonly (readonly string[])[], seed: number): string {
  const next = numbers(seed + 1);
  const lines = [
    'Linux version 6.1.0-18-amd64 (debian-kernel@lists.debian.org) (gcc-12 (Debian 12.2.0-14) 12.2.0) #1 SMP PREEMPT_DYNAMIC Debian 6.1.76-1 (2024-02-01)',
    `Command line: BOOT_IMAGE=/boot/vmlinuz-6.1.0-18-amd64 root=/dev/md0 ro quiet ${kind.vendor}_iommu=on iommu=pt`,
    'BIOS-provided physical RAM map:',
    'BIOS-e820: [mem 0x0000000000000000-0x000000000009ffff] usable',
    'BIOS-e820: [mem 0x0000000000100000-0x000000006bffffff] usable',
    'BIOS-e820: [mem 0x000000006c000000-0x000000008fffffff] reserved',
    'BIOS-e820: [mem 0x0000000100000000-0x000000807fffffff] usable',
    `DMI: ${kind.board}, BIOS 7.${1 + (seed % 3)}`,
    ...(kind.vendor === 'intel'
      ? [
          'DMAR: Host address width 46',
          'DMAR: DRHD base: 0x000000d37fc000 flags: 0x0',
          `DMAR: dmar0: reg_base_addr d37fc000 ver 1:0 cap ${kind.cap} ecap ${kind.ecap}`,
          'DMAR: DRHD base: 0x000000e0ffc000 flags: 0x0',
          `DMAR: dmar1: reg_base_addr e0ffc000 ver 1:0 cap ${kind.cap} ecap ${kind.ecap}`,
          ...kind.direct.map(([start, last]) => `DMAR: RMRR base: 0x${hex(start, 14)} end: 0x${hex(last, 14)}`),
          'DMAR: IOMMU enabled',
        ]
      : ['AMD-Vi: AMD IOMMUv2 loaded and initialized', 'AMD-Vi: Interrupt remapping enabled']),
    ...groups.flatMap((devices, group) => devices.map((device) => `pci ${device}: Adding to iommu group ${group}`)),
    ...Array.from({ length: 160 }, (_, i) => CHATTER[i % CHATTER.length]?.(next()) ?? ''),
    `systemd[1]: Hostname set to <${name}>.`,
  ];
  return `${lines.map((line, i) => `[${`${(i * 0.0173).toFixed(6)}`.padStart(12)}] ${line}`).join('\n')}\n`;
}

function regionLines(regions: readonly (readonly [start: number, last: number, type: string])[]): string {
  return regions.map(([start, last, type]) => `0x${hex(start, 16)} 0x${hex(last, 16)} ${type}\n`).join('');
}

function sysfs(kind: Kind, groups: readonly (readonly string[])[]): FleetFile[] {
  const root = 'sys/kernel/iommu_groups';
  const ofGroups = groups.flatMap((devices, group): FleetFile[] => {
    const direct = group % DEVICES.length === 2 ? kind.direct : [];
    const regions = regionLines([
      ...direct.map(([start, last]) => [start, last, 'direct'] as const),
      [0xfee00000, 0xfeefffff, 'msi'],
      ...(kind.vendor === 'amd' ? ([[0xfd_0000_0000, 0xff_ffff_ffff, 'reserved']] as const) : []),
    ]);
    return [
      ...devices.map((device) => ({
        path: `${root}/${group}/devices/${device}`,
        target: `../../../../devices/pci0000:${device.slice(5, 7)}/${device}`,
      })),
      { path: `${root}/${group}/reserved_regions`, text: regions },
      { path: `${root}/${group}/type`, text: 'DMA-FQ\n' },
    ];
  });
  const ofIommus = [0, 1].flatMap((n): FleetFile[] => {
    const place =
      kind.vendor === 'intel' ? `sys/class/iommu/dmar${n}/intel-iommu` : `sys/class/iommu/ivhd${n}/amd-iommu`;
    return [
      { path: `${place}/cap`, text: `${kind.cap}\n` },
      { path: `${place}/${kind.vendor === 'intel' ? 'ecap' : 'features'}`, text: `${kind.ecap}\n` },
    ];
  });
  return [...ofIommus, ...ofGroups];
}

/** The host number `index` of `count`. */
export function fleetHost(index: number, count: number): FleetHost {
  const kind = kindOf(index, count);
  const name = `r${String(Math.floor(index / 40)).padStart(2, '0')}n${String(index % 40).padStart(2, '0')}`;
  const groups = groupsOf();
  const files: FleetFile[] = [
    { path: 'dmesg.txt', text: dmesg(name, kind, groups, index) },
    { path: 'lspci.txt', text: lspci(groups, kind.board) },
    ...sysfs(kind, groups),
  ];
  return { name, files };
}

/** A host's files as a tar, in a folder of its name. */
export function tarOfHost({ name, files }: FleetHost): Promise<Uint8Array> {
  const encoder = new TextEncoder();
  return packTar(
    files.map((file): TarEntry => {
      const path = `${name}/${file.path}`;
      if ('target' in file) return { header: { name: path, size: 0, type: 'symlink', linkname: file.target } };
      const body = encoder.encode(file.text);
      return { header: { name: path, size: body.length, type: 'file' }, body };
    }),
  );
}

/** Two empty blocks end a tar. */
const TAR_END_BYTES = 1024;

/** The files of all hosts as one tar, in pieces. */
export async function* tarOfFleet(count: number): AsyncGenerator<Uint8Array, void, undefined> {
  for (let index = 0; index < count; index++) {
    const one = await tarOfHost(fleetHost(index, count));
    yield one.subarray(0, index === count - 1 ? one.length : one.length - TAR_END_BYTES);
  }
}
