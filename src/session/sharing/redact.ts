// Replaces what a session says about people and their machines before it is shared. An allow-list: a field that is not
// named here, or whose value does not have the expected form, is replaced or dropped. Addresses of the I/O space,
// physical ranges, types, and vendor and device ids stay: they are what a report is about.
import { isFact, isOperation, type SessionEvent, type SessionHeader } from '../events.ts';
import type { FACTS, OPERATIONS } from '../schema.ts';
import { newSession, type Session } from '../session.ts';
import { CPU_NAME, MACHINE_NAME, REASON_WORDS, REGION_NAME, TERMS } from './vocabulary.ts';

export interface RedactOptions {
  /** True to rename PCI addresses as well, each to the same address everywhere. */
  readonly pciAddresses?: boolean;
  /** True to keep the texts of notes: the user who wrote them sees them before sharing. */
  readonly notes?: boolean;
}

/** A replaced value, for a table that the user can check before sharing. */
export interface Replacement {
  /** Kind and field: `host.name`. */
  readonly field: string;
  readonly value: string;
  /** Empty if the value is dropped. */
  readonly replacement: string;
  /** Number of occurrences. */
  readonly count: number;
}

export interface Redacted {
  readonly session: Session;
  /** In order of first occurrence. */
  readonly replacements: readonly Replacement[];
}

/**
 * What happens to a field. `keep`: numbers, addresses, errnos. `word`: a term of the vocabulary. `ids`: vendor and device
 * ids. `version`: its numbers. `code`: of a diagnostic. `reason`: made of known words. `machine`: names of QEMU's machines
 * and CPUs. `region`: names of memory regions. `pci`, `iommu`, `group`: names of devices, IOMMUs and groups. `pointer`:
 * moved, with alignment and distances kept. `drop`: free text. Everything else is a name that is replaced, by the same
 * number everywhere.
 */
type Policy =
  | 'keep'
  | 'word'
  | 'ids'
  | 'version'
  | 'machine'
  | 'pci'
  | 'pointer'
  | 'drop'
  | 'region'
  | 'code'
  | 'reason'
  | 'host'
  | 'file'
  | 'iommu'
  | 'guest'
  | 'object'
  | 'options'
  | 'group';

type EntriesOf<T> = T extends { readonly entries: infer E } ? keyof E : never;
type FactFields = { [K in keyof typeof FACTS]: EntriesOf<(typeof FACTS)[K]> }[keyof typeof FACTS];
type OperationFields = { [O in keyof typeof OPERATIONS]: EntriesOf<(typeof OPERATIONS)[O]> }[keyof typeof OPERATIONS];
type HeaderFields = Exclude<KnownKeys<SessionHeader>, 'format' | 'version'>;
/** The declared keys of an object that may have any other. */
type KnownKeys<T> = keyof { [K in keyof T as string extends K ? never : K]: T[K] };
type Field = Extract<FactFields | OperationFields | HeaderFields, string>;

const POLICIES: Readonly<Record<Field, Policy>> = {
  access: 'word',
  accelerator: 'word',
  address: 'keep',
  address_width: 'keep',
  alignment: 'keep',
  alike: 'host',
  aperture: 'keep',
  api: 'word',
  arch: 'word',
  argsz: 'keep',
  assigned: 'pci',
  backend: 'word',
  bits: 'keep',
  bus_dma_limit: 'keep',
  cap: 'keep',
  capacity: 'keep',
  class: 'drop',
  code: 'code',
  container: 'object',
  cpu: 'machine',
  cpu_physical_bits: 'keep',
  cpu_virtual_bits: 'keep',
  data: 'keep',
  depth: 'keep',
  device: 'pci',
  devices: 'pci',
  dma_addr: 'keep',
  dma_bits: 'keep',
  dma_mask: 'keep',
  domain: 'object',
  driver: 'word',
  dst: 'object',
  dst_iova: 'keep',
  ecap: 'keep',
  efr: 'keep',
  efr2: 'keep',
  enabled: 'keep',
  event: 'keep',
  expect: 'keep',
  extension: 'keep',
  fd: 'object',
  file_size: 'keep',
  flags: 'word',
  force_aperture: 'keep',
  form: 'word',
  forcedac: 'keep',
  group: 'group',
  guest: 'guest',
  huge_page_size: 'keep',
  hwpt: 'object',
  ids: 'ids',
  index: 'keep',
  ioas: 'object',
  iommu: 'iommu',
  iommufd: 'keep',
  iova: 'keep',
  ivinfo: 'keep',
  kernel: 'version',
  kind: 'keep',
  last: 'keep',
  length: 'keep',
  line: 'keep',
  machine: 'machine',
  mappings_left: 'keep',
  max_ram: 'keep',
  memlock: 'keep',
  memory: 'word',
  memory_devices: 'keep',
  message: 'drop',
  model: 'word',
  monitor: 'word',
  name: 'object',
  numa_node: 'keep',
  op: 'keep',
  options: 'word',
  origin: 'word',
  paddr: 'keep',
  page_size: 'keep',
  parent: 'pci',
  pasid: 'keep',
  pci: 'keep',
  part: 'keep',
  pgsize_bitmap: 'keep',
  phys: 'keep',
  phys_bits: 'keep',
  pid: 'drop',
  pin: 'object',
  prefetchable: 'keep',
  present: 'keep',
  process: 'object',
  ram: 'keep',
  ranges: 'keep',
  reason: 'reason',
  reserved: 'keep',
  result: 'keep',
  severity: 'word',
  size: 'keep',
  slots: 'keep',
  source: 'file',
  space: 'object',
  src: 'object',
  src_iova: 'keep',
  start: 'keep',
  stream_ids: 'keep',
  started: 'drop',
  subsystem: 'ids',
  text: 'drop',
  time: 'keep',
  title: 'drop',
  type: 'word',
  unmapped: 'keep',
  user_va: 'pointer',
  vaddr: 'pointer',
  value: 'keep',
  varies: 'code',
  vendor: 'word',
  version: 'version',
  viommu: 'keep',
  windows: 'keep',
  write: 'keep',
};

/** Fields whose name has another meaning in this kind. */
const BY_KIND: Readonly<Record<string, Policy>> = {
  'access.create.access': 'object',
  'access.destroy.access': 'object',
  'access.pin.access': 'object',
  'access.unpin.access': 'object',
  'host.name': 'host',
  'iommu.name': 'iommu',
  'device.name': 'drop',
  'window.name': 'region',
  'guest.name': 'region',
  'request.name': 'region',
  'machine.name': 'guest',
  'machine.kind': 'word',
  'machine.options': 'word',
  'host.options': 'options',
};

/** The kind of object that a field names, if the field has another name. */
const OBJECT_KIND: Readonly<Record<string, string>> = { src: 'ioas', dst: 'ioas', name: 'object' };

/** Fields that the format does not declare: those of answers, those nested in other fields, and what dumps say beyond it. */
const UNDECLARED: Readonly<Record<string, Policy>> = {
  ret: 'keep',
  hex: 'keep',
  levels: 'keep',
  offset: 'keep',
  overlap: 'keep',
  read: 'keep',
  register_base: 'keep',
  stream: 'keep',
  sw_msi_start: 'keep',
  num_iovas: 'keep',
  enforce_cache_coherency: 'keep',
  dirty_tracking: 'keep',
};

/** Settings that move a guest's memory, by QEMU's names. */
const OPTION_NAME = /^[a-z][a-z0-9]*(?:[-_.][a-z0-9]+){0,5}$/;
const OPTION_VALUE = /^(?:on|off|yes|no|true|false|auto|0x[0-9a-f]{1,16}|\d{1,20}(?:\.\d+)?[KMGT]?(?:i?B)?)$/i;
/** Options of a kernel about IOMMUs: switches and numbers. */
const KERNEL_OPTION =
  /^(?:intel_iommu|amd_iommu|iommu|iommu\.[a-z]{1,20}|intremap|arm-smmu(?:-v3)?\.[a-z_]{1,30})=(?:[a-z_]{1,20}|\d{1,6})(?:,(?:[a-z_]{1,20}\d?|\d{1,6})){0,8}$/;
const PCI_ADDRESS = /^(?:([0-9a-f]{4}):)?([0-9a-f]{2}):([0-9a-f]{2})\.([0-7])$/i;
const NUMBERED_DEVICE = /^(?:sid|devid|ep|endpoint|stream):(?:0x)?[0-9a-f]{1,8}$/i;
const IOMMU_NAME =
  /^(?:(?:dmar|ivhd|iommu|smmu|vtd|virtio)[-_:]?\d{0,4}|arm-smmu(?:-v3)?\.[\da-f.]{1,20}(?:auto)?|[0-9a-f]{4,16}\.(?:iommu|smmu|dart))$/;
const IOMMU_FAMILY = /^(?:vt-?d|dmar|intel|amd(?:-?vi)?|ivhd|virtio(?:-iommu)?|smmu(?:v[23])?|arm-smmu(?:-v3)?|riscv)/i;
/** Start of the addresses that pointers are moved to, and the alignment that is kept: the kernel checks nothing else. */
const POINTER_BASE = 0x7f00_0000_0000n;
const POINTER_GRAIN = 1n << 30n;
/** End of user addresses on x86-64 and arm64; anything above belongs to the kernel or is not an address. */
const USER_END = 1n << 47n;

class Redaction {
  readonly #options: RedactOptions;
  readonly #replacements = new Map<string, { field: string; value: string; replacement: string; count: number }>();
  /** Replaced names, by kind of object. */
  readonly #names = new Map<string, Map<string, string>>();
  readonly #pointerShift: bigint;
  /** Size of the memory of the current event. */
  #size = 0n;

  constructor(session: Session, options: RedactOptions) {
    this.#options = options;
    let lowest: bigint | undefined;
    for (const event of session.events) {
      for (const field of ['vaddr', 'user_va']) {
        const pointer = (event as Readonly<Record<string, unknown>>)[field];
        if (typeof pointer !== 'bigint' || pointer >= USER_END) continue;
        if (lowest === undefined || pointer < lowest) lowest = pointer;
      }
    }
    this.#pointerShift = lowest === undefined ? 0n : POINTER_BASE - (lowest & -POINTER_GRAIN);
  }

  get replacements(): Replacement[] {
    return [...this.#replacements.values()];
  }

  object(kind: string, source: Readonly<Record<string, unknown>>): Record<string, unknown> {
    const result: Record<string, unknown> = {};
    this.#size = [source.size, source.length].find((size) => typeof size === 'bigint') ?? 0n;
    for (const [field, value] of Object.entries(source)) {
      if (value === undefined) continue;
      const kept = this.#value(kind, field, value);
      if (kept !== undefined) result[field] = kept;
    }
    return result;
  }

  /** The value to write; undefined: none. */
  #value(kind: string, field: string, value: unknown): unknown {
    if ((field === 'kind' || field === 'op') && isConstant(kind, value)) return value;
    const known = POLICIES as Readonly<Record<string, Policy | undefined>>;
    const policy = BY_KIND[`${kind}.${field}`] ?? known[field] ?? UNDECLARED[field];
    // Stream ids would reveal the address of their device.
    if ((field === 'stream_ids' || field === 'stream') && this.#options.pciAddresses === true) return undefined;
    if (policy === undefined) return this.#note(`${kind}.${field}`, value, undefined);
    if (field === 'options' && typeof value === 'object' && value !== null) return this.#settings(kind, value);
    if (Array.isArray(value)) {
      const items: unknown[] = value.map((item: unknown) => this.#single(kind, field, policy, item));
      return items.filter((item) => item !== undefined);
    }
    return this.#single(kind, field, policy, value);
  }

  #single(kind: string, field: string, policy: Policy, value: unknown): unknown {
    if (Array.isArray(value)) return value.map((item: unknown) => this.#single(kind, field, policy, item));
    if (typeof value === 'object' && value !== null) return this.object(kind, value as Record<string, unknown>);
    const name = `${kind}.${field}`;
    if (typeof value === 'bigint' && policy === 'pointer') return this.#pointer(name, value, this.#size);
    if (typeof value === 'string') return this.#text(name, policy, value);
    return policy === 'drop' ? this.#note(name, value, undefined) : value;
  }

  #settings(kind: string, options: object): Record<string, unknown> {
    const kept: Record<string, unknown> = {};
    for (const [name, value] of Object.entries(options)) {
      if (OPTION_NAME.test(name) && OPTION_VALUE.test(String(value))) kept[name] = value;
      else this.#note(`${kind}.options`, `${name}=${String(value)}`, undefined);
    }
    return kept;
  }

  #text(field: string, policy: Policy, value: string): string | undefined {
    switch (policy) {
      case 'keep':
        return /^(?:-?E[A-Z0-9]{1,20}|(?:0x)?[0-9a-f]*)$/i.test(value) ? value : this.#note(field, value, undefined);
      case 'word':
        return TERMS.has(value.toLowerCase()) ? value : this.#named(field, lastPart(field), value);
      case 'code':
        return /^[a-z]+(?:-[a-z0-9]+){0,6}$/.test(value) ? value : this.#note(field, value, 'other');
      case 'reason':
        return isReason(value) ? value : this.#note(field, value, '(removed)');
      case 'ids':
        return /^[0-9a-f]{4}:[0-9a-f]{4}$/i.test(value) ? value : this.#note(field, value, undefined);
      case 'version': {
        const numbers = /^\d+(?:\.\d+){0,3}/.exec(value)?.[0];
        return numbers === value ? value : this.#note(field, value, numbers);
      }
      case 'machine':
        return MACHINE_NAME.test(value) || CPU_NAME.test(value) ? value : this.#named(field, 'machine', value);
      case 'region':
        return REGION_NAME.test(value) ? value : this.#named(field, 'region', value);
      case 'pci':
        return this.#device(field, value);
      case 'iommu':
        if (PCI_ADDRESS.test(value)) return this.#device(field, value);
        // The models recognize the driver by the beginning of the name.
        return IOMMU_NAME.test(value) ? value : this.#named(field, IOMMU_FAMILY.exec(value)?.[0] ?? 'iommu', value);
      case 'options': {
        const kept = value
          .split(/\s+/)
          .filter((option) => KERNEL_OPTION.test(option))
          .join(' ');
        return kept === value ? value : this.#note(field, value, kept);
      }
      case 'group':
        return /^\d{1,6}$/.test(value) ? value : this.#named(field, 'group', value);
      case 'pointer':
        return this.#note(field, value, undefined);
      case 'drop':
        if (field === 'note.text' && this.#options.notes) return value;
        // The format requires a text in these fields.
        return this.#note(
          field,
          value,
          field === 'diagnostic.message' || field === 'note.text' ? '(removed)' : undefined,
        );
      case 'object': {
        // A note names an object that earlier operations created.
        const known = field === 'note.space' ? this.#madeName(value) : undefined;
        if (known !== undefined) return this.#note(field, value, known);
        const name = lastPart(field);
        return this.#named(field, OBJECT_KIND[name] ?? name, value);
      }
      default:
        return this.#named(field, policy, value);
    }
  }

  #device(field: string, value: string): string {
    const parts = PCI_ADDRESS.exec(value);
    if (!parts) return NUMBERED_DEVICE.test(value) ? value : this.#named(field, 'device', value);
    if (!this.#options.pciAddresses) return value;
    // A device keeps its function number, so that functions of one device stay together.
    const [, domain = '0000', bus = '', slot = '', digit = ''] = parts;
    const names = this.#namesOf('pci');
    const key = `${domain}:${bus}:${slot}`;
    let name = names.get(key);
    if (name === undefined) {
      const number = names.size + 1;
      name = `0000:${(0x80 + (number >> 5)).toString(16)}:${(number & 0x1f).toString(16).padStart(2, '0')}`;
      names.set(key, name);
    }
    return this.#note(field, value, `${name}.${digit}`) ?? '';
  }

  /** The new name of an object of the operations. */
  #madeName(value: string): string | undefined {
    const kinds = ['ioas', 'container', 'domain'];
    return kinds.map((kind) => this.#namesOf(kind).get(value)).find((name) => name !== undefined);
  }

  #namesOf(kind: string): Map<string, string> {
    const names = this.#names.get(kind) ?? new Map<string, string>();
    this.#names.set(kind, names);
    return names;
  }

  #named(field: string, kind: string, value: string): string {
    const names = this.#namesOf(kind);
    const name = names.get(value) ?? `${kind}-${names.size + 1}`;
    names.set(value, name);
    return this.#note(field, value, name) ?? '';
  }

  /** `size`: of the memory that the pointer is the start of, as far as it is given. */
  #pointer(field: string, value: bigint, size: bigint): bigint {
    const moved = this.#moved(value, size);
    if (moved !== value) this.#note(field, value, `0x${moved.toString(16)}`);
    return moved;
  }

  #moved(value: bigint, size: bigint): bigint {
    const offset = value & (POINTER_GRAIN - 1n);
    if (value < USER_END) {
      if (size < USER_END) return value + this.#pointerShift;
      // No memory is that large: only whether the end is above 2^64−1 matters, and that is preserved.
      return value + size > 1n << 64n ? USER_END - POINTER_GRAIN + offset : offset;
    }
    // Powers of two and the last pages of the space are deliberate choices, to test what happens there.
    const isChosen = (value & (value - 1n)) === 0n || value >= (1n << 64n) - 0x20_0000n || size >= USER_END;
    return isChosen ? value : 0xffff_8880_0000_0000n | offset;
  }

  #note<T extends string | undefined>(field: string, value: unknown, replacement: T): T {
    const text = typeof value === 'bigint' ? `0x${value.toString(16)}` : plain(value);
    if (text === replacement) return replacement;
    const key = `${field}\0${text}`;
    const entry = this.#replacements.get(key);
    if (entry) entry.count++;
    else this.#replacements.set(key, { field, value: text, replacement: replacement ?? '', count: 1 });
    return replacement;
  }
}

/** The field of a kind and field: operations have a dot in their name. */
const lastPart = (field: string) => field.slice(field.lastIndexOf('.') + 1);

function plain(value: unknown): string {
  if (typeof value === 'string') return value;
  return JSON.stringify(value, (_, inner: unknown) => (typeof inner === 'bigint' ? `0x${inner.toString(16)}` : inner));
}

/** True for the name of a kind or an operation, which the format fixes. */
function isConstant(kind: string, value: unknown): boolean {
  return value === kind || value === 'map' || value === 'unmap';
}

/** True if all words are known and no number has more than four digits. */
function isReason(text: string): boolean {
  return text
    .toLowerCase()
    .split(/[\s,.;()[\]'"]+/)
    .every((word) => word === '' || REASON_WORDS.has(word) || /^(?:0x)?[0-9a-f]{1,4}h?$/.test(word));
}

/**
 * The session without information about people and machines, and a table of the replacements. Unknown lines are dropped, because
 * their contents cannot be checked. Times, addresses of the I/O space and physical ranges stay.
 */
export function redactSession(session: Session, options: RedactOptions = {}): Redacted {
  const redaction = new Redaction(session, options);
  const { format, version, ...rest } = session.header;
  const header = { format, version, ...redaction.object('session', rest) } as SessionHeader;
  const events: SessionEvent[] = [];
  for (const event of session.events) {
    if (isFact(event)) events.push(redaction.object(event.kind, event) as SessionEvent);
    else if (isOperation(event)) events.push(redaction.object(event.op, event) as SessionEvent);
    else redaction.object('session', { 'unknown line': event.name });
  }
  return { session: { ...newSession(), header, events }, replacements: redaction.replacements };
}
