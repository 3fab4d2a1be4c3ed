// Facts of the session format as the library hands them out: written out by hand, so that the published types need no
// other package. The compiler compares them with the schemas of src/session in read-dumps.ts.

/** Bounds of a range, both inclusive: 0 to 2^64 - 1. */
export interface AddressRange {
  readonly start: bigint;
  readonly last: bigint;
}

/** Where a fact was read. */
export interface Origin {
  /** Name of the input, and below it the file in an archive or a folder. */
  readonly source?: string | undefined;
  /** First line, counted from 1. */
  readonly line?: number | undefined;
}

export interface HostFact extends Origin {
  readonly kind: 'host';
  readonly name?: string | undefined;
  /** As `uname -r` prints it. */
  readonly kernel?: string | undefined;
  readonly arch?: string | undefined;
  /** Bits of an address that the platform's DMA can use, as firmware reports it. */
  readonly address_width?: number | undefined;
  /** In a file of several hosts: its number, counted from 1. */
  readonly part?: number | undefined;
}

export interface IommuFact extends Origin {
  readonly kind: 'iommu';
  readonly name: string;
  readonly driver: string;
  /** Bits of an I/O virtual address that this IOMMU translates. */
  readonly address_width?: number | undefined;
  readonly cap?: bigint | undefined;
  readonly ecap?: bigint | undefined;
}

export interface GroupFact extends Origin {
  readonly kind: 'group';
  readonly group: string;
  /** Type of its default domain, such as `DMA-FQ`. */
  readonly type?: string | undefined;
  readonly devices: readonly string[];
}

export interface ReservedFact extends AddressRange, Origin {
  readonly kind: 'reserved';
  /** As the kernel prints it: `msi`, `direct`, `direct-relaxable`, `reserved`. */
  readonly type: string;
  readonly origin?: string | undefined;
  readonly group?: string | undefined;
  readonly device?: string | undefined;
}

export interface ApertureFact extends AddressRange, Origin {
  readonly kind: 'aperture';
  readonly pgsize_bitmap?: bigint | undefined;
  readonly group?: string | undefined;
  readonly iommu?: string | undefined;
  readonly container?: string | undefined;
  /** `manual`: entered by hand, in place of all that the sources say of the host. */
  readonly origin?: string | undefined;
}

export interface ValidRangeFact extends AddressRange, Origin {
  readonly kind: 'valid_range';
  readonly container?: string | undefined;
  readonly ioas?: string | undefined;
  readonly pid?: number | undefined;
  readonly process?: string | undefined;
  readonly guest?: string | undefined;
  readonly mappings_left?: number | undefined;
  readonly pgsize_bitmap?: bigint | undefined;
  readonly alignment?: bigint | undefined;
}

export interface WindowFact extends AddressRange, Origin {
  readonly kind: 'window';
  readonly name: string;
  /** Nesting, 0 for the outermost. */
  readonly depth: number;
  readonly type: string;
}

export interface BarFact extends AddressRange, Origin {
  readonly kind: 'bar';
  readonly device: string;
  readonly index: number;
  readonly prefetchable?: boolean | undefined;
  readonly bits?: number | undefined;
}

export interface MsiMessageFact extends Origin {
  readonly kind: 'msi_message';
  readonly device: string;
  readonly address: bigint;
  readonly data?: bigint | undefined;
  readonly enabled?: boolean | undefined;
}

export interface DeviceFact extends Origin {
  readonly kind: 'device';
  readonly device: string;
  readonly name?: string | undefined;
  readonly class?: string | undefined;
  /** `vendor:device` in lower-case hex; `subsystem` likewise. */
  readonly ids?: string | undefined;
  readonly subsystem?: string | undefined;
  readonly driver?: string | undefined;
  readonly group?: string | undefined;
  readonly iommu?: string | undefined;
  readonly numa_node?: number | undefined;
}

/** A guest's own definition. Sizes in bytes. */
export interface MachineFact extends Origin {
  readonly kind: 'machine';
  readonly name?: string | undefined;
  readonly monitor: string;
  readonly machine: string;
  readonly version?: string | undefined;
  readonly cpu?: string | undefined;
  readonly vendor?: string | undefined;
  readonly ram?: bigint | undefined;
  readonly max_ram?: bigint | undefined;
  readonly slots?: number | undefined;
  readonly phys_bits?: number | undefined;
  readonly options?: Readonly<Record<string, string>> | undefined;
  readonly backend?: string | undefined;
  readonly viommu?: { readonly kind: string; readonly address_width?: number | undefined } | undefined;
  readonly assigned?: readonly string[] | undefined;
  readonly iommufd?: boolean | undefined;
  /** `qemu`, `libvirt`, `proxmox`, `kubevirt` … */
  readonly form?: string | undefined;
  /** ISO 8601 */
  readonly started?: string | undefined;
  readonly memory_devices?:
    | readonly {
        readonly kind: string;
        readonly size: bigint;
        readonly address?: bigint | undefined;
        readonly plugged?: bigint | undefined;
      }[]
    | undefined;
  readonly memlock?: bigint | undefined;
}

export interface GuestFact extends AddressRange, Origin {
  readonly kind: 'guest';
  readonly name: string;
  readonly type: string;
  readonly space?: string | undefined;
}

interface Mapping extends AddressRange, Origin {
  readonly paddr?: bigint | undefined;
  readonly vaddr?: bigint | undefined;
  readonly device?: string | undefined;
  readonly domain?: string | undefined;
  /** Seconds, on the clock of the source. */
  readonly time?: number | undefined;
  readonly origin?: string | undefined;
}

export interface MapFact extends Mapping {
  readonly kind: 'map';
}

export interface UnmapFact extends Mapping {
  readonly kind: 'unmap';
  /** Bytes. */
  readonly unmapped?: bigint | undefined;
}

export interface RequestFact extends AddressRange, Origin {
  readonly kind: 'request';
  readonly op: 'map' | 'unmap';
  readonly api: 'vfio' | 'iommufd';
  readonly vaddr?: bigint | undefined;
  /** 0, or an errno such as `-EINVAL`. */
  readonly result: 0 | string;
  readonly name?: string | undefined;
  readonly device?: string | undefined;
}

export interface FaultFact extends Origin {
  readonly kind: 'fault';
  readonly address: bigint;
  readonly device?: string | undefined;
  readonly access?: string | undefined;
  readonly reason?: string | undefined;
  readonly driver?: string | undefined;
  readonly pasid?: number | string | undefined;
}

/** Of a session recorded from a live host: the event with this number (from 1) no longer holds. */
export interface GoneFact extends Origin {
  readonly kind: 'gone';
  readonly event: number;
  readonly time?: number | undefined;
}

/** Entered by hand: the reserved regions with these bounds do not count, of one group or of all. */
export interface IgnoredFact extends AddressRange, Origin {
  readonly kind: 'ignored';
  readonly type: string;
  readonly group?: string | undefined;
  readonly origin?: string | undefined;
}

export interface IneligibleFact extends Origin {
  readonly kind: 'ineligible';
  readonly device: string;
  readonly reason: string;
}

export interface DiagnosticFact extends Origin {
  readonly kind: 'diagnostic';
  readonly severity: 'info' | 'warning' | 'error';
  readonly code: string;
  readonly message: string;
}

/** What a person wrote about the case, or about a range of it (inclusive). */
export interface NoteFact extends Origin {
  readonly kind: 'note';
  readonly text: string;
  readonly start?: bigint | undefined;
  readonly last?: bigint | undefined;
  /** The address space of a model, by its name. */
  readonly space?: string | undefined;
}

export type Fact =
  | HostFact
  | IommuFact
  | GroupFact
  | ReservedFact
  | ApertureFact
  | ValidRangeFact
  | WindowFact
  | BarFact
  | MsiMessageFact
  | DeviceFact
  | MachineFact
  | GuestFact
  | MapFact
  | UnmapFact
  | RequestFact
  | FaultFact
  | GoneFact
  | IgnoredFact
  | IneligibleFact
  | DiagnosticFact
  | NoteFact;
