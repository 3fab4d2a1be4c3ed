// A guest's definition while it is read, from whatever form.
import { type Iova, isIova } from '../../../iova/iova.ts';
import type { FactOf } from '../../../session/events.ts';
import type { Severity } from '../../diagnostic-rule.ts';
import type { DiagnosticCode, DiagnosticParameters } from '../../diagnostics.ts';
import type { FactSink } from '../../format.ts';
import { isGenericModel, vendorOfModel } from './cpu-models.ts';

/** What a guest's memory is made of: anonymous memory, a memfd, huge pages, or a file on a disk or in shared memory. */
export type Backend = 'ram' | 'memfd' | 'hugetlb' | 'file';

/** The forms of definitions: fixes are said in their terms. */
export type DefinitionForm = 'qemu' | 'libvirt' | 'proxmox' | 'kubevirt' | 'kata' | 'cloud-hypervisor' | 'crosvm';

/** Memory that is plugged in above the RAM, in bytes; `plugged`: of virtio-mem, what is there of it. */
export interface MemoryDevice {
  readonly kind: string;
  readonly size: bigint;
  readonly address?: bigint | undefined;
  readonly plugged?: bigint | undefined;
}

/** Definitions that name more are cut there: no host has so many. */
const ASSIGNED_MAX = 256;
const OPTIONS_MAX = 64;
const MEMORY_DEVICES_MAX = 256;
/** Other words are not passed on. */
const MEMORY_DEVICE = /^(?:dimm|nvdimm|virtio-mem|virtio-pmem)$/;
const PROBLEMS_MAX = 20;
const TEXT_MAX = 200;

/** What is undefined was not said. Sizes are bytes. */
export class GuestDraft {
  readonly monitor: string;
  name: string | undefined;
  machine: string | undefined;
  version: string | undefined;
  /** The model's name, without its features. */
  cpu: string | undefined;
  /** Set by the definition itself; else it follows from the model. */
  vendor: string | undefined;
  ram: bigint | undefined;
  maxRam: bigint | undefined;
  slots: number | undefined;
  physBits: number | undefined;
  backend: Backend | undefined;
  viommu: { readonly kind: string; readonly address_width?: number } | undefined;
  iommufd: boolean | undefined;
  accelerator: string | undefined;
  arch: string | undefined;
  form: DefinitionForm | undefined;
  started: string | undefined;
  memlock: bigint | undefined;
  readonly #memoryDevices: MemoryDevice[] = [];
  readonly #options = new Map<string, string>();
  readonly #assigned = new Set<string>();
  /** Each puts a diagnostic out; by what it says, so that the same is said once. */
  readonly #problems = new Map<string, (sink: FactSink, line: number | undefined) => void>();

  constructor(monitor: string) {
    this.monitor = monitor;
  }

  /** An option that moves memory, by QEMU's name. The last of several counts. */
  option(name: string, value: string): void {
    if (this.#options.size < OPTIONS_MAX || this.#options.has(name)) {
      this.#options.set(name.slice(0, TEXT_MAX), value.slice(0, TEXT_MAX));
    }
  }

  /** Forgets what an earlier option of the CPU said: the last one counts, as a whole. */
  resetCpu(): void {
    this.cpu = undefined;
    this.vendor = undefined;
    this.physBits = undefined;
    this.#options.delete('host-phys-bits');
    this.#options.delete('host-phys-bits-limit');
  }

  /** A device of the host, by its PCI address in full. */
  assign(device: string): void {
    if (this.#assigned.size < ASSIGNED_MAX) this.#assigned.add(device);
  }

  /** Memory that is plugged in above the RAM. */
  plug(device: MemoryDevice): void {
    if (this.#memoryDevices.length >= MEMORY_DEVICES_MAX) return;
    this.#memoryDevices.push(MEMORY_DEVICE.test(device.kind) ? device : { ...device, kind: 'memory' });
  }

  get hasAssigned(): boolean {
    return this.#assigned.size > 0;
  }

  /** Something in the definition that was not understood: goes out with the fact. */
  problem<C extends DiagnosticCode>(code: C, parameters: DiagnosticParameters<C>, severity?: Severity): void {
    const key = `${code} ${JSON.stringify(parameters)}`;
    if (this.#problems.size >= PROBLEMS_MAX || this.#problems.has(key)) return;
    this.#problems.set(key, (sink, line) => sink.diagnostic(code, parameters, line, severity));
  }

  /** Puts out the fact, and what was not understood, as read at `line`. */
  emit(sink: FactSink, line: number | undefined): void {
    sink.fact(this.#fact(), line);
    for (const report of this.#problems.values()) report(sink, line);
    if (this.ram === undefined) sink.diagnostic('guest-ram-unknown', { name: this.name }, line);
  }

  #pluggedDevices(): FactOf<'machine'>['memory_devices'] {
    const devices = this.#memoryDevices.flatMap(({ kind, size: bytes, address, plugged }) => {
      const size = sizeOrNothing(bytes);
      return size === undefined
        ? []
        : [
            {
              kind,
              size,
              ...present('address', sizeOrNothing(address)),
              ...present('plugged', sizeOrNothing(plugged)),
            },
          ];
    });
    return devices.length === 0 ? undefined : devices;
  }

  #fact(): FactOf<'machine'> {
    const { cpu, accelerator } = this;
    const ofModel =
      cpu === undefined || (accelerator === 'kvm' && isGenericModel(cpu)) ? undefined : vendorOfModel(cpu);
    return {
      kind: 'machine',
      ...present('name', this.name?.slice(0, TEXT_MAX)),
      monitor: this.monitor,
      machine: this.machine?.slice(0, TEXT_MAX) ?? 'unknown',
      ...present('version', this.version),
      ...present('cpu', cpu?.slice(0, TEXT_MAX)),
      ...present('vendor', this.vendor ?? ofModel),
      ...present('ram', sizeOrNothing(this.ram)),
      ...present('max_ram', sizeOrNothing(this.maxRam)),
      ...present('slots', this.slots),
      ...present('phys_bits', this.physBits),
      options: Object.fromEntries(this.#options),
      ...present('backend', this.backend),
      ...present('viommu', this.viommu),
      assigned: [...this.#assigned],
      ...present('iommufd', this.iommufd),
      ...present('form', this.form),
      ...present('started', this.started),
      ...present('memlock', sizeOrNothing(this.memlock)),
      ...present('memory_devices', this.#pluggedDevices()),
      ...present('accelerator', accelerator),
      ...present('arch', this.arch),
    };
  }
}

function present<const K extends string, T>(key: K, value: T | undefined): { readonly [P in K]?: T } {
  return value === undefined ? {} : ({ [key]: value } as { readonly [P in K]?: T });
}

function sizeOrNothing(value: bigint | undefined): Iova | undefined {
  return value !== undefined && isIova(value) ? value : undefined;
}
