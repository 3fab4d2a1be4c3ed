// Computes where a guest's memory is from its own definition (`machine` facts), and what had to be assumed.
import {
  bitsOf32BitModel,
  bitsOfArmModel,
  isGenericModel,
  vendorByName,
  vendorOfModel,
} from '../../dumps/formats/guest/cpu-models.ts';
import { formatExactSize, hex } from '../../iova/format.ts';
import { bitLength, IOVA_MAX } from '../../iova/iova.ts';
import { parseSize } from '../../iova/parse.ts';
import { HYPERTRANSPORT_RANGE } from '../../kernel/shared/platform-ranges.ts';
import type { Fact, FactOf } from '../../session/events.ts';
import type { LayoutRange } from './layout.ts';
import { type Machine, pcMachine, splitMachine, virtMachine } from './layouts.ts';
import { isAtLeast, type MachineKind, machineType, NEWEST, type QemuVersion, qemuVersion } from './machine-type.ts';
import { placeMemoryDevices } from './memory-devices.ts';
import type { SplitName } from './other-monitors.ts';
import { isRelocated, type PcSetup, pcLayout } from './pc.ts';
import { type VirtSetup, virtLayout } from './virt.ts';

/** A `machine` fact without its source. */
export type GuestDefinition = Pick<
  FactOf<'machine'>,
  | 'name'
  | 'monitor'
  | 'machine'
  | 'version'
  | 'cpu'
  | 'vendor'
  | 'ram'
  | 'max_ram'
  | 'slots'
  | 'phys_bits'
  | 'options'
  | 'backend'
  | 'viommu'
  | 'assigned'
  | 'iommufd'
  | 'accelerator'
  | 'arch'
  | 'form'
  | 'started'
  | 'memory_devices'
  | 'memlock'
>;

/**
 * An assumption about something that the definition does not specify or that is not modelled. `code` is stable, in
 * kebab-case.
 */
export interface LayoutNote {
  readonly code:
    | 'machine-unknown'
    | 'machine-version-assumed'
    | 'vendor-assumed'
    | 'option-not-understood'
    | 'option-not-modelled'
    | 'layout-from-documentation'
    | 'memory-device-not-placed'
    | 'room-for-hotplug';
  readonly message: string;
}

export interface GuestMemory {
  /** For display: `win11: pc-q35-7.2, 16 GiB`. */
  readonly title: string;
  /** Ascending, disjoint: memory (`isGuestMemory`), windows of devices, room for hotplug. */
  readonly ranges: readonly LayoutRange[];
  /** The same machine with any RAM size. The size of the hotplug area does not change. */
  readonly machine: Machine;
  /** In bytes. */
  readonly ram: bigint;
  /** The last guest physical address that may be used, including the hotplug area and the 64-bit PCI hole. */
  readonly lastUsed: bigint;
  /** Why the VMM would refuse to start it; undefined if it would not. */
  readonly refusal: string | undefined;
  readonly notes: readonly LayoutNote[];
}

export type GuestMemoryResult =
  | { readonly ok: true; readonly memory: GuestMemory }
  | {
      readonly ok: false;
      readonly code: 'ram-unknown' | 'machine-unknown' | 'too-large' | 'bad-option';
      readonly message: string;
    };

/** What is known about the host that the guest runs on. */
export interface HostKnowledge {
  /** Vendor of its CPU: KVM passes it to guests whose definition names no particular CPU. */
  readonly vendor?: string | undefined;
}

/** What a VMM does with a RAM size in bytes, at least 1. */
interface Plan {
  readonly machine: Machine;
  readonly lastUsed: (ram: bigint) => bigint;
  /** Known width of guest physical addresses, and what determines it. */
  readonly width: { readonly bits: number; readonly of: string } | undefined;
}

/**
 * Where the memory of a guest is. Follows QEMU's rules for pc, q35, virt and microvm by version and option, and the
 * documentation of Cloud Hypervisor and crosvm. All assumptions are in `notes`.
 */
export function layoutOf(definition: GuestDefinition, host: HostKnowledge = {}): GuestMemoryResult {
  const { ram } = definition;
  if (ram === undefined || ram === 0n) {
    const message = 'the definition does not say how much RAM the guest has';
    return { ok: false, code: 'ram-unknown', message };
  }
  const notes: LayoutNote[] = [];
  const sizes = movingSizes(definition, notes);
  const limit = sizes.maxRamBelow4g;
  if (limit !== undefined && limit > 1n << 32n) {
    const message = `max-ram-below-4g is ${formatExactSize(limit)}: QEMU accepts at most 4 GiB`;
    return { ok: false, code: 'bad-option', message };
  }
  const plan = planOf(definition, host, sizes, notes);
  if (!plan) {
    const message = `the memory layout of the machine "${definition.machine}" is not known; known are q35, pc, virt, microvm, cloud-hypervisor, crosvm`;
    return { ok: false, code: 'machine-unknown', message };
  }
  const { machine, width } = plan;
  if (ram > machine.maxRam) {
    return { ok: false, code: 'too-large', message: `${machine.name} has no room for ${formatExactSize(ram)} of RAM` };
  }
  const lastUsed = plan.lastUsed(ram);
  const refusal =
    fixedWidthRefusal(definition) ??
    (width !== undefined && lastUsed >= 1n << BigInt(width.bits)
      ? `the guest needs ${bitLength(lastUsed)} address bits (up to ${hex(lastUsed)}), ${width.of} has ${width.bits}`
      : undefined);
  const name = definition.name === undefined ? '' : `${definition.name}: `;
  const title = `${name}${definition.machine}, ${formatExactSize(ram)}`;
  const ranges = withMemoryDevices(machine.layout(ram), definition, notes);
  return { ok: true, memory: { title, ranges, machine, ram, lastUsed, refusal, notes } };
}

/** The layout with the memory devices that are plugged in above the RAM. */
function withMemoryDevices(
  layout: readonly LayoutRange[],
  { memory_devices: devices = [], backend }: GuestDefinition,
  notes: LayoutNote[],
): readonly LayoutRange[] {
  if (devices.length === 0) return layout;
  const { ranges, left } = placeMemoryDevices(layout, devices);
  if (left.length > 0) {
    const what = left.map(({ kind, size }) => `${kind} of ${formatExactSize(size)}`).join(', ');
    const message = `${what}: there is no room for it above the RAM (maxmem, slots): it is not in the layout`;
    notes.push({ code: 'memory-device-not-placed', message });
  }
  const isGuess = backend === 'hugetlb' && devices.some(({ address }) => address === undefined);
  if (isGuess) {
    const message = 'addresses of memory devices are not given: they are as with huge pages of 2 MiB';
    notes.push({ code: 'option-not-modelled', message });
  }
  return ranges;
}

interface MovingSizes {
  readonly maxRamBelow4g: bigint | undefined;
  readonly pciHole64: bigint | undefined;
  readonly hotplug: bigint;
  readonly slots: number;
}

/** Options that the layout accounts for. */
const UNDERSTOOD = new Set([
  'max-ram-below-4g',
  'pci-hole64-size',
  'highmem',
  'highmem-mmio',
  'highmem-ecam',
  'highmem-redists',
  'compact-highmem',
  'host-phys-bits',
  'host-phys-bits-limit',
  'vga',
  // These do not move memory.
  'accel',
  'gic-version',
  'iommu',
  'its',
  'kernel-irqchip',
  'kernel_irqchip',
  'mte',
  'ras',
  'secure',
  'smm',
  'usb',
  'virtualization',
  'vmport',
]);

function movingSizes(definition: GuestDefinition, notes: LayoutNote[]): MovingSizes {
  const { options = {}, ram = 0n, max_ram: maxRam, slots = 0, memory_devices: devices = [] } = definition;
  const size = (name: string) => {
    const text = options[name];
    if (text === undefined) return undefined;
    const parsed = parseSize(text);
    if (parsed.ok) return parsed.value;
    notes.push({ code: 'option-not-understood', message: `${name}=${text} is not a size: the default is used` });
    return undefined;
  };
  for (const [name, value] of Object.entries(options)) {
    if (UNDERSTOOD.has(name)) continue;
    notes.push({ code: 'option-not-modelled', message: `${name}=${value} may move memory: it is not accounted for` });
  }
  const hotplug = maxRam !== undefined && maxRam > ram ? maxRam - ram : 0n;
  if (hotplug > 0n) {
    const plugged = devices.reduce((sum, { size: own, plugged: part = own }) => sum + part, 0n);
    const room = hotplug > plugged ? hotplug - plugged : 0n;
    const message = `${formatExactSize(room)} can be plugged in later, above the RAM: not counted as guest memory`;
    if (room > 0n) notes.push({ code: 'room-for-hotplug', message });
  }
  return { maxRamBelow4g: size('max-ram-below-4g'), pciHole64: size('pci-hole64-size'), hotplug, slots };
}

function planOf(
  definition: GuestDefinition,
  host: HostKnowledge,
  sizes: MovingSizes,
  notes: LayoutNote[],
): Plan | undefined {
  const { monitor, arch } = definition;
  const isArm = arch === 'aarch64' || arch === 'arm64';
  if (monitor === 'cloud-hypervisor' || monitor === 'crosvm') {
    const message = `the layout follows the documentation of ${monitor}; it was not compared with a running guest`;
    notes.push({ code: 'layout-from-documentation', message });
    return splitPlan(isArm ? `${monitor}-arm64` : monitor, definition, sizes);
  }
  const own = machineType(definition.machine);
  if (!own && /^(?:s390-ccw-virtio|pseries)/.test(definition.machine)) return splitPlan('flat', definition, sizes);
  const kind = own?.kind ?? nearestKind(definition);
  if (kind === undefined) return undefined;
  if (!own) {
    const message = `the machine "${definition.machine}" is not known: its layout is taken to be that of ${kind}`;
    notes.push({ code: 'machine-unknown', message });
  }
  if (kind === 'microvm') return splitPlan('microvm', definition, sizes);
  const version = versionOf(definition, own?.version, notes);
  return kind === 'virt'
    ? virtPlan(definition, version, sizes)
    : pcPlan(definition, kind, version, isAmd(definition, host), sizes, notes);
}

/** For an unknown machine: the most similar one by name or architecture. */
function nearestKind({ machine, arch }: GuestDefinition): MachineKind | undefined {
  if (/q35/i.test(machine)) return 'q35';
  if (/virt/i.test(machine) || arch === 'aarch64' || arch === 'riscv64') return 'virt';
  return /^pc|i440|^xenfv/i.test(machine) || arch === 'x86_64' || arch === 'i386' ? 'pc' : undefined;
}

function versionOf(
  { machine, version: program }: GuestDefinition,
  own: QemuVersion | undefined,
  notes: LayoutNote[],
): QemuVersion {
  const [major, minor] = NEWEST;
  if (own !== undefined) {
    if (own[0] > major || (own[0] === major && own[1] > minor)) {
      const message = `${machine} is newer than the newest machine that is known, ${major}.${minor}: its rules are used`;
      notes.push({ code: 'machine-version-assumed', message });
    }
    return own;
  }
  const running = qemuVersion(program);
  if (running !== undefined) return running;
  const message = `"${machine}" names no version: the rules of QEMU ${major}.${minor} are used`;
  notes.push({ code: 'machine-version-assumed', message });
  return NEWEST;
}

/** Whether the guest's CPU is AMD's; undefined if neither the definition nor the host says. */
function isAmd({ vendor, cpu, accelerator }: GuestDefinition, host: HostKnowledge): boolean | undefined {
  if (vendor !== undefined) return vendorByName(vendor) === 'amd';
  const isEmulated = accelerator === 'tcg';
  const model = cpu?.split(',')[0] ?? (isEmulated ? 'qemu64' : 'host');
  if (isEmulated && /^(?:max|base)$/.test(model)) return true;
  const own = vendorOfModel(model);
  if (own !== undefined && (accelerator !== 'kvm' || !isGenericModel(model))) return own === 'amd';
  if (host.vendor !== undefined) return vendorByName(host.vendor) === 'amd';
  return undefined;
}

function pcPlan(
  definition: GuestDefinition,
  chipset: 'q35' | 'pc',
  version: QemuVersion,
  amd: boolean | undefined,
  sizes: MovingSizes,
  notes: LayoutNote[],
): Plan {
  const { machine, options, phys_bits: given, accelerator, version: program } = definition;
  const narrow = bitsOf32BitModel(modelOf(definition));
  // QEMU's default width, unless the definition sets one; with KVM it depends on the host and on the build of QEMU.
  const physBits = narrow ?? given ?? (accelerator === 'tcg' ? 40 : undefined);
  const setup: PcSetup = {
    chipset,
    version,
    isAmd: amd === true,
    hotplug: sizes.hotplug,
    slots: sizes.slots,
    ...(sizes.maxRamBelow4g === undefined ? {} : { maxRamBelow4g: sizes.maxRamBelow4g }),
    ...(sizes.pciHole64 === undefined ? {} : { pciHole64: sizes.pciHole64 }),
    ...(physBits === undefined ? {} : { physBits }),
    hasVga: options?.vga !== 'none',
  };
  if (amd === undefined && isRelocated({ ...setup, isAmd: true }, definition.ram ?? 1n)) {
    const message =
      "the vendor of the guest's CPU is not known, it is taken not to be AMD: on AMD, RAM moves above 1 TiB if it would reach 0xfd00000000";
    notes.push({ code: 'vendor-assumed', message });
  }
  const running = qemuVersion(program);
  // QEMU before 7.1 does not check the width.
  const looks = running === undefined || running[0] > 7 || (running[0] === 7 && running[1] >= 1);
  return {
    machine: pcMachine(setup, machine, machine),
    lastUsed: (ram) => pcLayout(setup, ram).lastUsed,
    width: physBits === undefined || !looks ? undefined : { bits: physBits, of: "the guest's CPU (phys-bits)" },
  };
}

/** The model of the guest's CPU, without its features; empty if the definition names none. */
const modelOf = ({ cpu = '' }: GuestDefinition) => cpu.split(',')[0] ?? '';

/** QEMU does not start a model with 32-bit registers if any width is given. */
function fixedWidthRefusal(definition: GuestDefinition): string | undefined {
  const model = modelOf(definition);
  return definition.phys_bits !== undefined && bitsOf32BitModel(model) !== undefined
    ? `phys-bits cannot be set for ${model}, which has 32-bit registers`
    : undefined;
}

const isOff = (text: string | undefined) => text === 'off' || text === 'no' || text === 'false';

function virtPlan(definition: GuestDefinition, version: QemuVersion, sizes: MovingSizes): Plan {
  const { machine, options = {}, arch, accelerator, cpu = 'cortex-a15', version: program } = definition;
  const running = qemuVersion(program) ?? NEWEST;
  // QEMU before 7.0 does not check the width of an emulated CPU.
  const isEmulated = accelerator === 'tcg' && arch !== 'riscv64' && isAtLeast(running, 7, 0);
  const physBits = definition.phys_bits ?? (isEmulated ? bitsOfArmModel(cpu.split(',')[0] ?? '') : undefined);
  const highmem = !isOff(options.highmem);
  const compact = options['compact-highmem'];
  const setup: VirtSetup = {
    arch: arch === 'riscv64' ? 'riscv64' : 'arm64',
    highmem,
    hasHighWindow: !isOff(options['highmem-mmio']),
    isCompact: compact === undefined ? version[0] > 7 || (version[0] === 7 && version[1] >= 2) : !isOff(compact),
    hotplug: sizes.hotplug,
    slots: sizes.slots,
    ...(physBits === undefined ? {} : { physBits }),
  };
  const width = virtLayout(setup, 1n).width;
  return {
    machine: virtMachine(setup, machine, machine),
    lastUsed: (ram) => virtLayout(setup, ram).lastUsed,
    width: width === undefined ? undefined : { bits: width, of: highmem ? "the guest's CPU" : 'highmem=off' },
  };
}

function splitPlan(name: SplitName, { machine }: GuestDefinition, sizes: MovingSizes): Plan {
  const found = splitMachine(name, machine);
  return {
    machine: found,
    lastUsed: (ram) => (found.layout(ram).at(-1)?.last ?? IOVA_MAX) + sizes.hotplug,
    width: undefined,
  };
}

/** A guest, and the facts that describe it. */
export interface DescribedGuest {
  readonly definition: GuestDefinition;
  readonly facts: readonly FactOf<'machine'>[];
  /** Problems found while reading the definition. */
  readonly problems: readonly { readonly code: string; readonly message: string }[];
  readonly memory: GuestMemoryResult;
}

/**
 * The guests that the `machine` facts of one host describe, in the order of their first mention. Facts with the same name are
 * one guest (for example its XML and its command line): later fields replace earlier ones. If one source has several, such as
 * a log with every start, only the last one counts. Without a name, each fact is a guest. The CPU's vendor is the host's, if
 * the host's IOMMU shows it.
 */
export function guestFromFacts(facts: Iterable<Fact>): DescribedGuest[] {
  const guests: { definition: GuestDefinition; facts: FactOf<'machine'>[] }[] = [];
  const problems: FactOf<'diagnostic'>[] = [];
  let vendor: string | undefined;
  for (const fact of facts) {
    if (fact.kind === 'iommu' && (fact.driver === 'intel' || fact.driver === 'amd')) vendor = fact.driver;
    // Only AMD's IOMMU reserves it.
    if (fact.kind === 'reserved' && fact.start === HYPERTRANSPORT_RANGE.start) vendor ??= 'amd';
    if (fact.kind === 'diagnostic' && fact.code.startsWith('guest-') && fact.severity !== 'info') problems.push(fact);
    if (fact.kind !== 'machine') continue;
    const { kind: _kind, source: _source, line: _line, ...definition } = fact;
    const known = fact.name === undefined ? undefined : guests.find((guest) => guest.definition.name === fact.name);
    if (known) {
      // A log has every start of a guest: the last one counts, unless it was cut.
      const isSameSource = fact.ram !== undefined && known.facts.some(({ source }) => source === fact.source);
      known.definition = isSameSource ? definition : { ...known.definition, ...definition };
      known.facts.push(fact);
    } else guests.push({ definition, facts: [fact] });
  }
  return guests.map((guest) => {
    // Diagnostics at the same place as the last fact of a guest belong to that guest.
    const [last] = guest.facts.slice(-1);
    return {
      ...guest,
      problems: problems.filter(({ source, line }) => source === last?.source && line === last?.line),
      memory: layoutOf(guest.definition, { vendor }),
    };
  });
}
