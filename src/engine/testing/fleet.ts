// Dumps of a small fleet: a folder for each host, with its groups, reserved regions and log.
import { packTar } from 'modern-tar';
import { filesOf } from './documents.ts';

export interface FleetMachine {
  readonly name: string;
  /** Bus of its devices, two hex digits. */
  readonly bus?: string;
  /** Reserved region of its second group. */
  readonly region?: string;
  /** Further lines of its log. */
  readonly log?: string;
  /** Driver of its second device. */
  readonly driver?: string;
}

const MSI = '0x00000000fee00000 0x00000000feefffff msi\n';

/** The files of a host, below its folder. */
function machineFiles({ name, bus = '3b', region = '', log = '', driver = 'nvme' }: FleetMachine) {
  const devices = [`0000:${bus}:00.0`, `0000:${bus}:01.0`];
  return {
    'sys/kernel/iommu_groups/1/reserved_regions': MSI,
    'sys/kernel/iommu_groups/2/reserved_regions': `${region}${MSI}`,
    'groups.txt': devices.map((device, i) => `/sys/kernel/iommu_groups/${i + 1}/devices/${device}\n`).join(''),
    'lspci.txt': `${devices[0]} USB controller [0c03]: Example [1af4:1111]\n\tKernel driver in use: xhci_hcd\n${devices[1]} Non-Volatile memory controller [0108]: Example [1af4:2222]\n\tKernel driver in use: ${driver}\n`,
    'dmesg.txt': `[    0.000000] Linux version 6.1.0-18-amd64 (gcc)\n[    0.010000] DMAR: Host address width 46\n[    0.020000] DMAR: dmar0: reg_base_addr d37fc000 ver 1:0 cap 8d2078c106f0466 ecap f020df\n${log}[    9.000000] systemd[1]: Hostname set to <${name}>.\n`,
  };
}

/** The folders of the hosts in one folder, as they are dropped. */
export function fleetFiles(machines: readonly FleetMachine[], folder = 'fleet') {
  return filesOf(
    Object.fromEntries(
      machines.flatMap((machine) =>
        Object.entries(machineFiles(machine)).map(([path, text]) => [`${folder}/${machine.name}/${path}`, text]),
      ),
    ),
  );
}

/** `n00` to `n29`, changed as `odd` says. */
export function machines(count: number, odd: Readonly<Record<number, Partial<FleetMachine>>> = {}): FleetMachine[] {
  return Array.from({ length: count }, (_, i) => ({ name: `n${String(i).padStart(2, '0')}`, ...odd[i] }));
}

/** The folders of hosts in one archive. */
export async function tarOfMachines(list: readonly FleetMachine[]): Promise<Blob> {
  const bytes = await packTar(
    list.flatMap((machine) =>
      Object.entries(machineFiles(machine)).map(([path, text]) => ({
        header: { name: `${machine.name}/${path}`, size: text.length, type: 'file' as const },
        body: text,
      })),
    ),
  );
  return new Blob([new Uint8Array(bytes)]);
}
