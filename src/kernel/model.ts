// What every kernel model offers, whichever kernel it follows.
import type { Iova } from '../iova/iova.ts';
import type { IovaRange } from '../iova/range.ts';
import type { Answer, Operation, SessionHeader } from '../session/events.ts';
import { DEFAULT_HUGE_PAGE_SIZE, DEFAULT_PAGE_SIZE } from './shared/platform-ranges.ts';
import type { PreparedMap, PreparedOperation, Words } from './shared/prepared.ts';
import type { Refusal } from './shared/refusal.ts';
import type { KernelRules } from './version-changes.ts';

/** Why an operation has no answer: the session is wrong, so no kernel could be asked. */
export interface InvalidOperation {
  readonly code: 'not-in-model' | 'unknown-object' | 'name-in-use' | 'bad-argument';
  readonly message: string;
}

/** What a bug of the kernel does beside the answer. */
export interface Hazard {
  /** A stable name. */
  readonly rule: string;
  /** A sentence without its full stop. */
  readonly message: string;
  readonly source: string;
}

/** The result of one operation. Neither an invalid operation nor a refusal changes the state, except an unmap that was refused half way. */
export type Outcome =
  | { readonly ok: true; readonly answer: Answer; readonly hazard?: Hazard }
  | { readonly ok: false; readonly refusal: Refusal; readonly invalid?: undefined }
  | { readonly ok: false; readonly invalid: InvalidOperation; readonly refusal?: undefined };

/** A mapped range of an address space. */
export interface AreaView extends IovaRange {
  /** Address of the first byte in the user's memory. */
  readonly userVa: Iova;
  /** Areas with the same number share pages. */
  readonly pages: number;
  readonly read: boolean;
  readonly write: boolean;
  /** Index of the event that mapped it. */
  readonly origin: number;
}

/** The type of a reserved range that is a memory window of a PCI host bridge: no word of the kernel, which does not print it. */
export const BRIDGE_WINDOW = 'pci-window';

/** A range that cannot be mapped, and its owner. */
export interface ReservedView extends IovaRange {
  /** As the kernel prints it (`msi`, `direct` …); `aperture`: outside of a domain's aperture; `manual`: by request. */
  readonly type: string;
  readonly owner: { readonly kind: 'device' | 'domain' | 'group'; readonly name: string } | undefined;
}

export interface DomainView {
  readonly iommu: string;
  /** Name of a page table that was made by hwpt.alloc. */
  readonly hwpt?: string;
  readonly aperture: IovaRange;
  readonly pgsizeBitmap: bigint;
  readonly devices: readonly string[];
  /** Of a container: the groups that share it. */
  readonly groups?: readonly string[];
  /** Of a container: true if the IOMMU enforces cache coherency. */
  readonly enforcesCoherency?: boolean;
}

export interface AccessView {
  readonly name: string;
  readonly pins: readonly (IovaRange & { readonly name: string })[];
}

/** A freed range that is kept for the next mapping of its size: free for the allocator, but taken for every search. */
export interface KeptRange extends IovaRange {
  /** 2^order pages. */
  readonly order: number;
}

/** How a device of a domain is given addresses. */
export interface DmaDeviceView {
  readonly name: string;
  readonly pci: boolean;
  /** True if addresses below 4 GiB are tried first: a PCI device for which they never ran out. */
  readonly triesLow: boolean;
  /** The highest address that its bus can reach, if that is limited. */
  readonly busLimit?: Iova;
}

/** The allocator behind the kernel's DMA API, for one domain. */
export interface AllocatorView {
  /** Bytes of a page. */
  readonly granule: bigint;
  /** The taken range below which the next search starts: for limits up to 4 GiB, and above. Absent: at the limit. */
  readonly cursor32: IovaRange | undefined;
  readonly cursor64: IovaRange | undefined;
  /** Below 4 GiB, this many pages or more are refused without a search. */
  readonly failingPages: number | undefined;
  readonly keptCount: number;
  /** By ascending start. */
  kept(): Iterable<KeptRange>;
  readonly devices: readonly DmaDeviceView[];
}

/** A read-only view of one I/O address space (an IOAS, a container) in the state of its model. */
export interface AddressSpaceView {
  readonly id: string;
  readonly areaCount: number;
  /** Areas that share an address with first…last (inclusive; the whole space if left out), by ascending start. */
  areas(first?: bigint, last?: bigint): Iterable<AreaView>;
  /** Number of areas that start in first…last (inclusive). O(log n). */
  countAreas(first: bigint, last: bigint): number;
  /** Calls `visit` for each unmapped range of at least `length` bytes in first…last, cut to it; `true` ends the visit. */
  visitHoles(first: bigint, last: bigint, length: bigint, visit: (hole: IovaRange) => boolean | undefined): void;
  /** Every reservation by ascending start; they may overlap. */
  readonly reserved: readonly ReservedView[];
  /** Where the kernel may choose an IOVA, by ascending start; empty: anywhere. */
  readonly allowed: readonly IovaRange[];
  readonly domains: readonly DomainView[];
  readonly accesses: readonly AccessView[];
  /** Bytes: a power of two. */
  readonly alignment: bigint;
  readonly hugePages: boolean;
  /** Of a container: ranges that can be mapped, by ascending start; a mapping must be inside one of them. */
  readonly validRanges?: readonly IovaRange[];
  /** Of a container: mappings left until the limit is reached. */
  readonly mappingsLeft?: number;
  /** Of a container: the page sizes that all domains have, bit n set: 2^n bytes. */
  readonly pageSizes?: bigint;
  /** Of a container: the version of its backend. */
  readonly version?: 'type1' | 'type1v2';
  /** Of a domain of the kernel's DMA API. */
  readonly allocator?: AllocatorView;
}

/** The state of a model, read-only. */
export interface KernelView {
  /** As in session headers: `iommufd` … */
  readonly name: string;
  /** In the order of creation. */
  spaces(): readonly AddressSpaceView[];
  space(id: string): AddressSpaceView | undefined;
}

export interface KernelModel extends KernelView {
  /** Runs one operation. `origin` is the index of its event in the session. Never throws for any input of that type. */
  apply(operation: Operation, origin: number): Outcome;
  /**
   * Runs an operation of the session of this model by its numbers, if it succeeds without a question and has no effect but the
   * one that its name says. False: nothing was changed, and `apply` has to run it. Absent: never.
   */
  applyPrepared?(operation: PreparedOperation, words: Words, origin: number): boolean;
  /**
   * Writes the address that a map would be given to its place; nothing is changed. False if it has to be run by `apply`. Absent:
   * addresses are never chosen.
   */
  choosePrepared?(map: PreparedMap, words: Words): boolean;
  /** An independent copy, for checkpoints: cheap, because arrays are copied. */
  clone(): KernelModel;
}

/** The model of sessions whose header does not name one. */
export const DEFAULT_MODEL = 'iommufd';

/** Sizes in bytes, powers of two. */
export interface PageSizes {
  readonly page: bigint;
  readonly hugePage: bigint;
}

/** What a model needs to know before the first operation. */
export interface ModelSettings extends PageSizes {
  /** The rules of the session's kernel; the newest if left out. */
  readonly rules?: KernelRules;
  /** RLIMIT_MEMLOCK in bytes of a process without CAP_IPC_LOCK; no limit if left out. */
  readonly memlock?: bigint | undefined;
}

/** The page sizes of a session's header, by default 4 KiB and 2 MiB. `undefined` if one is not a power of two. */
export function pageSizesOf(header: Pick<SessionHeader, 'page_size' | 'huge_page_size'>): PageSizes | undefined {
  const page: bigint = header.page_size ?? DEFAULT_PAGE_SIZE;
  const hugePage: bigint = header.huge_page_size ?? DEFAULT_HUGE_PAGE_SIZE;
  const powers = [page, hugePage].every((size) => size > 0n && (size & (size - 1n)) === 0n);
  return powers ? { page, hugePage } : undefined;
}
