// Archives that programs collect for support, with the layouts that these programs write: the files that matter are found
// among the others, which give nothing. Hosts, devices and guests are invented.
import { gzipSync } from 'node:zlib';
import { zipSync } from 'fflate';
import { packTar, type TarEntry } from 'modern-tar';
import { describe, expect, test } from 'vitest';
import type { Fact } from '../../session/events.ts';
import { diagnosticsOf, inputOf, type Opened, openAll } from '../testing/read.ts';

const IOMEM =
  '00001000-0009ffff : System RAM\n80000000-dfffffff : PCI Bus 0000:00\n  80000000-800fffff : 0000:06:00.0\n';
const BOOT = [
  '[    0.000000] Linux version 6.1.0-18-amd64 (build@host) #1 SMP',
  '[    0.000000] Command line: BOOT_IMAGE=/vmlinuz root=/dev/sda1 intel_iommu=on',
  '[    0.010000] DMAR: Host address width 39',
  '[    0.010001] DMAR: dmar0: reg_base_addr fed90000 ver 1:0 cap d2008c40660462 ecap f050da',
  '[    0.010002] DMAR: RMRR base: 0x00000079000000 end: 0x0000007b7fffff',
  '[    1.500000] pci 0000:06:00.0: Adding to iommu group 14',
  '',
].join('\n');
const FAULT =
  'DMAR: [DMA Read NO_PASID] Request device [06:00.0] fault addr 0xfff01000 [fault reason 0x06] PTE Read access is not set';
const LSPCI =
  '06:00.0 Ethernet controller [0200]: Example Corp NIC [1234:5678] (rev 01)\n\tSubsystem: Example Corp Device [1234:0001]\n\tMemory at 80000000 (32-bit, non-prefetchable) [size=1M]\n\tKernel driver in use: vfio-pci\n\n';
const REFUSED =
  '2024-02-03T01:02:05.000000Z qemu-system-x86_64: vfio_dma_map(0x55d0c0de, 0x40000000, 0x100000000, 0x7f1200000000) = -22 (Invalid argument)\n';
const DOMAIN = `<domain type='kvm'>
  <name>win11</name>
  <memory unit='KiB'>8388608</memory>
  <os><type arch='x86_64' machine='pc-q35-7.2'>hvm</type></os>
  <devices>
    <hostdev mode='subsystem' type='pci' managed='yes'>
      <source><address domain='0x0000' bus='0x06' slot='0x00' function='0x0'/></source>
    </hostdev>
  </devices>
</domain>
`;

function file(name: string, body: string): TarEntry {
  return { header: { name, size: new TextEncoder().encode(body).length, type: 'file' }, body };
}
function symlink(name: string, linkname: string): TarEntry {
  return { header: { name, size: 0, type: 'symlink', linkname } };
}

/** What was found, by file: `proc/iomem: window 3`. */
function foundIn({ facts }: Pick<Opened, 'facts'>, root: string): string[] {
  const counts = new Map<string, number>();
  for (const { kind, source = '' } of facts as readonly (Fact & { source?: string })[]) {
    const key = `${source.replace(root, '')}: ${kind}`;
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  return [...counts].map(([key, count]) => `${key} ${count}`).sort();
}

/** Names and kernels of hosts, each once. */
function hostOf({ facts }: Opened): { names: string[]; kernels: string[] } {
  const values = (key: 'name' | 'kernel') => [
    ...new Set(facts.flatMap((fact) => (fact.kind === 'host' && fact[key] !== undefined ? [fact[key]] : []))),
  ];
  return { names: values('name'), kernels: values('kernel') };
}

describe('a sosreport', () => {
  const ROOT = 'sosreport-maple-2024-02-03-abcdefg';
  const at = (name: string, body: string) => file(`${ROOT}/${name}`, body);
  const link = (name: string, to: string) => symlink(`${ROOT}/${name}`, to);
  const ENTRIES = [
    at('version.txt', 'sosreport: 4.5.6\n'),
    at('sos_commands/host/hostname', 'maple\n'),
    at('sos_commands/kernel/uname_-a', 'Linux maple 6.1.0-18-amd64 #1 SMP PREEMPT_DYNAMIC x86_64 GNU/Linux\n'),
    at('sos_commands/kernel/dmesg', BOOT),
    at('sos_commands/kernel/lsmod', 'Module                  Size  Used by\nvfio_pci               16384  0\n'),
    at('sos_commands/pci/lspci_-nnvv', LSPCI),
    at('sos_commands/processor/lscpu', 'Architecture: x86_64\nAddress sizes: 39 bits physical, 48 bits virtual\n'),
    at('sos_commands/logs/journalctl_--no-pager_--boot', `Feb 03 01:02:04 maple kernel: ${FAULT}\n`),
    at('var/log/libvirt/qemu/win11.log', REFUSED),
    at('etc/libvirt/qemu/win11.xml', DOMAIN),
    at('etc/fstab', '/dev/sda1 / ext4 defaults 0 1\n'),
    at('proc/iomem', IOMEM),
    at('proc/cmdline', 'BOOT_IMAGE=/vmlinuz root=/dev/sda1 intel_iommu=on\n'),
    at(
      'sos_reports/manifest.json',
      '{"version": "4.5.6", "cmdline": "sos report --batch", "components": {"report": {}}}\n',
    ),
    at('sos_logs/sos.log', "2024-02-03 01:02:03,004 INFO: [plugin:pci] collecting output of 'lspci -nnvv'\n"),
    link('dmesg', 'sos_commands/kernel/dmesg'),
    link('lspci', 'sos_commands/pci/lspci_-nnvv'),
    link('uname', 'sos_commands/kernel/uname_-a'),
  ];

  test('the log, the devices, the memory, the guest and its errors, each once', async () => {
    const opened = await openAll([inputOf(`${ROOT}.tar.gz`, gzipSync(await packTar(ENTRIES)))]);
    expect(foundIn(opened, `${ROOT}.tar.gz/${ROOT}/`)).toEqual([
      'etc/libvirt/qemu/win11.xml: machine 1',
      'proc/cmdline: diagnostic 1',
      'proc/cmdline: host 1',
      'proc/iomem: window 3',
      'sos_commands/kernel/dmesg: diagnostic 1',
      'sos_commands/kernel/dmesg: group 1',
      'sos_commands/kernel/dmesg: host 3',
      'sos_commands/kernel/dmesg: iommu 1',
      'sos_commands/kernel/dmesg: reserved 1',
      'sos_commands/kernel/uname_-a: host 1',
      'sos_commands/logs/journalctl_--no-pager_--boot: fault 1',
      'sos_commands/logs/journalctl_--no-pager_--boot: host 1',
      'sos_commands/pci/lspci_-nnvv: bar 1',
      'sos_commands/pci/lspci_-nnvv: device 1',
      'sos_commands/processor/lscpu: host 1',
      'var/log/libvirt/qemu/win11.log: request 1',
    ]);
    expect(diagnosticsOf(opened)).toEqual(['info kernel-options 2', 'info kernel-options 1']);
    expect(hostOf(opened)).toEqual({ names: ['maple'], kernels: ['6.1.0-18-amd64'] });
  });
});

describe('diagnostics of Unraid', () => {
  const ROOT = 'tower-diagnostics-20240203-0102';
  const bytes = (text: string) => new TextEncoder().encode(text.replaceAll('\n', '\r\n'));

  test('the log, the devices, the guest and its errors, with line ends of DOS', async () => {
    const zip = zipSync({
      [`${ROOT}/unraid-6.12.6.txt`]: bytes('6.12.6\n'),
      [`${ROOT}/system/lspci.txt`]: bytes(LSPCI),
      [`${ROOT}/system/lscpu.txt`]: bytes('Address sizes:  39 bits physical, 48 bits virtual\n'),
      [`${ROOT}/system/cmdline.txt`]: bytes('BOOT_IMAGE=/bzimage initrd=/bzroot vfio-pci.ids=1234:5678\n'),
      [`${ROOT}/system/iommu_groups.txt`]: bytes('/sys/kernel/iommu_groups/14/devices/0000:06:00.0\n'),
      [`${ROOT}/system/ps.txt`]: bytes('USER PID COMMAND\nroot 1 init\n'),
      [`${ROOT}/logs/syslog.txt`]: bytes(
        `Feb  3 01:01:00 tower kernel: Linux version 6.1.64-Unraid (root@build) #1 SMP\nFeb  3 01:02:04 tower kernel: ${FAULT}\n`,
      ),
      [`${ROOT}/qemu/win11.txt`]: bytes(REFUSED),
      [`${ROOT}/xml/win11.xml`]: bytes(DOMAIN),
      [`${ROOT}/shares/appdata.cfg`]: bytes('# Share exists\nshareUseCache="only"\n'),
      [`${ROOT}/smart/disk-20240203.txt`]: bytes('smartctl 7.4\nRaw_Read_Error_Rate 0x000b 100 100 016\n'),
    });
    const opened = await openAll([inputOf(`${ROOT}.zip`, zip)]);
    expect(foundIn(opened, `${ROOT}.zip/${ROOT}/`)).toEqual([
      'logs/syslog.txt: fault 1',
      'logs/syslog.txt: host 2',
      'qemu/win11.txt: request 1',
      'system/cmdline.txt: diagnostic 1',
      'system/cmdline.txt: host 1',
      'system/iommu_groups.txt: group 1',
      'system/lscpu.txt: host 1',
      'system/lspci.txt: bar 1',
      'system/lspci.txt: device 1',
      'xml/win11.xml: machine 1',
    ]);
    expect(diagnosticsOf(opened)).toEqual(['info kernel-options 1']);
    expect(hostOf(opened)).toEqual({ names: ['tower'], kernels: ['6.1.64-Unraid'] });
  });
});

describe('the report of Proxmox VE', () => {
  const section = (title: string, ...commands: (readonly [string, string])[]) =>
    `==== ${title} ====\n\n${commands.map(([command, output]) => `# ${command}\n\n${output}\n\n`).join('')}`;

  test('one text of many commands: the devices, the guest, the options of the kernel', async () => {
    const report = [
      section(
        'general system info',
        ['hostname', 'maple'],
        ['pveversion --verbose', 'proxmox-ve: 8.1.0 (running kernel: 6.5.11-7-pve)\npve-manager: 8.1.3'],
        ['cat /proc/cmdline', 'BOOT_IMAGE=/boot/vmlinuz-6.5.11-7-pve root=/dev/mapper/pve-root ro intel_iommu=on'],
        ['lscpu', 'Architecture: x86_64\nAddress sizes: 39 bits physical, 48 bits virtual'],
      ),
      section('info about storage', ['cat /etc/pve/storage.cfg', 'dir: local\n\tpath /var/lib/vz\n\tcontent iso']),
      section('info about virtual guests', [
        'cat /etc/pve/qemu-server/101.conf',
        'bios: ovmf\ncpu: host\nhostpci0: 0000:06:00.0,pcie=1\nmachine: q35\nmemory: 8192\nname: win11',
      ]),
      section(
        'info about hardware',
        ['dmidecode -t bios', 'BIOS Information\n\tVendor: Example'],
        ['lspci -nnk', LSPCI],
      ),
    ].join('\n');
    const opened = await openAll([inputOf('maple-pve-report-Sat-03-February-2024.txt', report)]);
    expect(foundIn(opened, 'maple-pve-report-Sat-03-February-2024.txt')).toEqual([
      ': bar 1',
      ': device 1',
      ': diagnostic 1',
      ': host 4',
      ': machine 1',
    ]);
    expect(diagnosticsOf(opened)).toEqual(['info kernel-options 14']);
    expect(hostOf(opened)).toEqual({ names: ['maple'], kernels: ['6.5.11-7-pve'] });
  });
});
