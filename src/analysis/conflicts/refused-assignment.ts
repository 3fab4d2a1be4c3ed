// A device that could not be assigned to a guest, as reported by the VMM: which guest and which device, and the commands that
// bind the devices of the group. The messages name a group or a device; the same log has the guest's definition.
import type { DiagnosticCode } from '../../dumps/diagnostics.ts';
import { BIND_GROUP, remedyOf } from '../../dumps/remedies.ts';
import { formatExactSize } from '../../iova/format.ts';
import { bindCommands, groupViabilities } from '../guest/group-viability.ts';
import { deviceLabel } from '../host/devices.ts';
import type { Host } from '../host/host.ts';
import { errnoIn } from './complaints.ts';
import { type Conflict, joinNames, onKernel, type Remedy } from './conflict.ts';
import { hugepagesText, viommuText } from './fix-text.ts';
import type { GuestLayout } from './guest.ts';

/** Refusals that are fixed by binding the devices of the group to vfio-pci. */
const UNBOUND: ReadonlySet<string> = new Set<DiagnosticCode>([
  'qemu-group-not-viable',
  'vfio-group-not-opened',
  'vfio-device-not-handed-out',
  'vfio-devices-not-bound',
  'iommufd-device-not-bound',
  'dpdk-group-not-viable',
]);
/** Refusals with other reasons. */
const OTHERS: ReadonlySet<string> = new Set<DiagnosticCode>([
  'qemu-iommu-not-set',
  'qemu-container-setup-failed',
  'vfio-device-without-group',
  'vfio-device-attached-twice',
  'device-in-use',
  'device-not-isolated',
]);

const HUGE_PAGE = 2n << 20n;
const PCI_ADDRESS = /\b[0-9a-f]{4,8}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]\b/;
const GROUP = /\bgroup (\d{1,9})\b|\/dev\/vfio\/(\d{1,9})\b/;

interface Assignment {
  readonly device: string | undefined;
  readonly group: string | undefined;
  readonly guest: GuestLayout | undefined;
}

/** The assignment that a message is about, according to the message, the definition above it and the groups. */
function assignmentOf(title: string, conflict: Conflict, host: Host, guests: readonly GuestLayout[]): Assignment {
  const named = PCI_ADDRESS.exec(title)?.[0];
  const [, inWords, inPath] = GROUP.exec(title) ?? [];
  const sources = new Set(conflict.provenance.map(({ source }) => source));
  const guest =
    guests.find(({ definition }) => named !== undefined && definition?.assigned?.includes(named)) ??
    guests.find(
      ({ definition, provenance = [] }) =>
        definition !== undefined && named === undefined && provenance.some(({ source }) => sources.has(source)),
    );
  const told = inWords ?? inPath;
  const members = host.groups.find(({ group }) => group !== undefined && group === told)?.devices ?? [];
  const assigned = guest?.definition?.assigned ?? [];
  const inGroup = assigned.filter((device) => members.includes(device));
  const only =
    inGroup.length > 0 ? inGroup[0] : members.length === 0 && assigned.length === 1 ? assigned[0] : undefined;
  const device = named ?? only;
  const own = host.groups.find(({ devices }) => device !== undefined && devices.includes(device))?.group;
  return { device, group: told ?? own ?? (device === undefined ? undefined : host.devices.get(device)?.group), guest };
}

/** Lists the devices of a group with their drivers. */
function listCommand(folder: string): string {
  return `for d in ${folder}/*; do lspci -nnks "\${d##*/}"; done`;
}

/** Binds all devices of a group except bridges, which need no VFIO driver. */
function bindAllCommand(folder: string): string {
  return [
    `for d in ${folder}/*; do`,
    '  case $(cat "$d/class") in 0x06*) continue;; esac',
    '  echo vfio-pci > "$d/driver_override"',
    `  [ -e "$d/driver" ] && echo "\${d##*/}" > "$d/driver/unbind"`,
    `  echo "\${d##*/}" > /sys/bus/pci/drivers_probe`,
    'done',
  ].join('\n');
}

function bindRemedies({ device, group, guest }: Assignment, host: Host): Remedy[] {
  const folder =
    group !== undefined
      ? `/sys/kernel/iommu_groups/${group}/devices`
      : device !== undefined
        ? `/sys/bus/pci/devices/${device}/iommu_group/devices`
        : undefined;
  if (folder === undefined) return [];
  const viability = groupViabilities(host).find((known) => known.group === group);
  const blocking = viability?.members.filter(({ state }) => state === 'blocking') ?? [];
  const which = group === undefined ? "the device's group" : `group ${group}`;
  const detach = guest?.definition?.form === 'libvirt' && blocking.length > 0;
  return [
    blocking.length > 0
      ? {
          text: `Bind ${joinNames(blocking.map((member) => member.device))} to vfio-pci (as root, until the next boot)`,
          form: 'shell',
          copy: bindCommands(blocking.map((member) => member.device)).join('\n'),
        }
      : {
          text: `Bind all devices of ${which} but bridges to vfio-pci (as root, until the next boot)`,
          form: 'shell',
          copy: bindAllCommand(folder),
        },
    ...(detach
      ? [
          {
            text: 'Or by libvirt',
            form: 'shell',
            copy: blocking
              .map((member) => `virsh nodedev-detach pci_${member.device.replace(/[:.]/g, '_')}`)
              .join('\n'),
          },
        ]
      : []),
    { text: `See which driver each device of ${which} has`, form: 'shell', copy: listCommand(folder) },
  ];
}

const HOLDERS = (group: string): Remedy => ({
  text: `Find the process that holds group ${group}, and end its guest`,
  form: 'shell',
  copy: `fuser -v /dev/vfio/${group}`,
});

const ACCESS = (group: string): Remedy => ({
  text: `See who may open /dev/vfio/${group}: the user of the VMM has to`,
  form: 'shell',
  copy: `ls -l /dev/vfio/${group}`,
});

const LOG: Remedy = {
  text: 'The kernel log has the reason',
  form: 'shell',
  copy: "dmesg | grep -e 'interrupt remapping' -e 'ineligible' -e '1:1 IOMMU mapping' -e vfio",
};

/** The reason why a group could not be attached to its IOMMU, by errno. */
const ATTACH: Readonly<Record<string, string>> = {
  EPERM:
    'the kernel refuses groups without interrupt remapping, and before about Linux 6.6 on Intel those whose firmware keeps memory (RMRR)',
  EINVAL: 'firmware needs memory of a device of the group mapped one to one, or the group does not fit the container',
  EBUSY: 'a driver of the host or another container uses the group',
  ENODEV: 'the group has no IOMMU that vfio_iommu_type1 can use',
};

/** Refusals to add a group to a container. */
const ATTACHED: ReadonlySet<string> = new Set<DiagnosticCode>(['qemu-iommu-not-set', 'qemu-container-setup-failed']);
export const NO_REMAPPING: DiagnosticCode = 'no-interrupt-remapping';
const hasNoInterruptRemapping = ({ complaints }: Host): boolean => complaints.some(({ code }) => code === NO_REMAPPING);

const UNSAFE_REMEDIES: readonly Remedy[] = [
  { text: 'Enable interrupt remapping in the firmware setup, and start the kernel without intremap=off' },
  {
    text: 'Or accept the risk that a guest can send any interrupt (as root)',
    form: 'shell',
    copy: 'modprobe vfio_iommu_type1 allow_unsafe_interrupts=1',
  },
];

function reasonOf(code: string, title: string, group: string | undefined): string {
  const of = group === undefined ? 'its group' : `group ${group}`;
  const errno = errnoIn(title);
  const refusal = errno === undefined ? '' : ` (${errno})`;
  switch (code) {
    case 'qemu-group-not-viable':
    case 'dpdk-group-not-viable':
    case 'vfio-devices-not-bound':
      return `not all devices of ${of} are bound to vfio-pci`;
    case 'vfio-device-not-handed-out':
      return `it is not bound to vfio-pci, or another process has it${refusal}`;
    case 'iommufd-device-not-bound':
      return `it could not be bound to iommufd${refusal}${errno === 'EBUSY' ? ': another driver or process owns DMA of its group' : ''}`;
    case 'qemu-iommu-not-set':
    case 'qemu-container-setup-failed': {
      const why = ATTACH[errno ?? ''];
      return `the kernel did not attach ${of} to its IOMMU${refusal}${why === undefined ? '' : `: ${why}`}`;
    }
    default: {
      const text = title.replace(/^[0-9a-f:.]{12,16}: /, '').replace(/^the device [0-9a-f:.]{12,16} /, 'it ');
      return `${text.charAt(0).toLowerCase()}${text.slice(1)}`;
    }
  }
}

/** QEMU's message if its emulated IOMMU has more address bits than the host's. */
const WIDTHS = /^the virtual IOMMU has (\d{1,2}) address bits; the host IOMMU has (\d{1,2})$/;

/** Adds the guest, and the option that changes the width in the format of its definition. */
function withViommu(conflict: Conflict, guests: readonly GuestLayout[]): Conflict {
  const [, own, host] = WIDTHS.exec(conflict.title) ?? [];
  const sources = new Set(conflict.provenance.map(({ source }) => source));
  const guest =
    guests.find(
      ({ definition, provenance = [] }) => definition?.viommu && provenance.some((at) => sources.has(at.source)),
    ) ?? guests.find(({ definition }) => definition?.viommu !== undefined);
  if (own === undefined || host === undefined || !guest?.definition) return conflict;
  const { name } = guest.definition;
  const of = name === undefined ? '' : ` of ${name}`;
  return {
    ...conflict,
    title: `the virtual IOMMU${of} has ${own} address bits; the host IOMMU has ${host}`,
    answer: `QEMU refuses to assign devices: the virtual IOMMU${of} has ${own} address bits, the host's IOMMU has ${host}. Set the virtual IOMMU to ${host} bits.`,
    remedies: [{ text: `Set the virtual IOMMU to ${host} bits`, ...viommuText(guest.definition, Number(host)) }],
  };
}

/** For RAM that could not be allocated: adds the guest, and the hugepages that it needs if it uses them. */
function withMemory(conflict: Conflict, guests: readonly GuestLayout[]): Conflict {
  const sources = new Set(conflict.provenance.map(({ source }) => source));
  const guest = guests.find(({ provenance = [] }) => provenance.some(({ source }) => sources.has(source)));
  const { name, ram, backend } = guest?.definition ?? {};
  if (ram === undefined) return conflict;
  const size = formatExactSize(ram);
  const who = name === undefined ? 'the guest' : name;
  const errno = errnoIn(conflict.title);
  const refusal = errno === undefined ? '' : ` (${errno})`;
  const isHuge = backend === 'hugetlb';
  const huge = isHuge
    ? ` from hugepages: with pages of 2 MiB it needs ${(ram + HUGE_PAGE - 1n) / HUGE_PAGE} free ones`
    : '';
  return {
    ...conflict,
    title: name === undefined ? conflict.title : `${name}: ${conflict.title}`,
    answer: `The RAM of ${who} could not be allocated${refusal}: ${size}${huge}. ${conflict.remedy}`,
    ...(isHuge
      ? {
          remedies: [
            { text: 'See how many hugepages are free', form: 'shell', copy: 'grep Huge /proc/meminfo' },
            { text: 'Allocate them (as root, until the next boot)', ...hugepagesText(ram) },
          ],
        }
      : {}),
  };
}

/** Adds the guest, the device and the commands to a complaint about an assignment; returns other complaints unchanged. */
export function withAssignment(conflict: Conflict, host: Host, guests: readonly GuestLayout[]): Conflict {
  const { rule, title } = conflict;
  if (rule === 'qemu-memory-not-allocated') return withMemory(conflict, guests);
  if (rule === 'qemu-address-width-mismatch') return withViommu(conflict, guests);
  const isUnbound = UNBOUND.has(rule);
  if (!isUnbound && !OTHERS.has(rule)) return conflict;
  const assignment = assignmentOf(title, conflict, host, guests);
  const { device, group, guest } = assignment;
  const name = guest?.definition?.name;
  if (device === undefined && group === undefined && name === undefined) return conflict;
  const label = device === undefined ? undefined : deviceLabel(host.devices, device);
  const inGroup = group === undefined ? '' : ` (group ${group})`;
  const devices = (guest?.definition?.assigned ?? []).map((one) => deviceLabel(host.devices, one));
  const all = devices.length === 0 ? 'its devices' : joinNames(devices);
  const what = label === undefined ? (group === undefined ? all : `group ${group}`) : `${label}${inGroup}`;
  // The kernel logs this as the reason for the same refusal.
  const isUnsafe = errnoIn(title) === 'EPERM' && ATTACHED.has(rule) && hasNoInterruptRemapping(host);
  const reason = isUnsafe ? 'the host has no interrupt remapping' : reasonOf(rule, title, group);
  const errno = isUnsafe ? ` (EPERM${onKernel(host.about.kernel, undefined)})` : '';
  const who = name === undefined ? `${what} cannot be assigned${errno}` : `${name} cannot be given ${what}${errno}`;
  const isInUse = rule === 'vfio-group-not-opened' && / is in use/.test(title);
  const isDenied = rule === 'vfio-group-not-opened' && /\bE(?:ACCES|PERM)\b/.test(title);
  const own: readonly Remedy[] = isUnsafe
    ? UNSAFE_REMEDIES
    : isInUse && group !== undefined
      ? [HOLDERS(group)]
      : isDenied && group !== undefined
        ? [ACCESS(group)]
        : isUnbound
          ? bindRemedies(assignment, host)
          : ATTACHED.has(rule)
            ? [LOG]
            : [];
  const remedies = own.length > 0 ? own : conflict.remedies;
  const advice = isUnsafe
    ? (remedyOf(NO_REMAPPING) ?? '')
    : own.length === 0
      ? conflict.remedy
      : isInUse || isDenied
        ? `${own[0]?.text}.`
        : isUnbound
          ? BIND_GROUP
          : 'See the kernel log.';
  return {
    ...conflict,
    title: name === undefined ? title : `${name}: ${title}`,
    ...(isUnsafe ? { follows: false, errno: 'EPERM' } : {}),
    answer: `${capitalized(who, name)}: ${reason}. ${advice}`,
    ...(remedies === undefined ? {} : { remedies }),
  };
}

/** Capitalizes a sentence, unless it begins with the name of a guest. */
function capitalized(text: string, name: string | undefined): string {
  return name === undefined ? text.charAt(0).toUpperCase() + text.slice(1) : text;
}
