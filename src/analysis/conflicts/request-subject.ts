// What kind of memory a request maps, as far as the request and the host's dumps show it.
import { formatSize } from '../../iova/format.ts';
import { alignDown, roundUpPowerOfTwo } from '../../iova/iova.ts';
import { containsRange, sizeOf } from '../../iova/range.ts';
import type { FactOf } from '../../session/events.ts';
import type { CommonSpace } from '../space/common-space.ts';

export type Request = FactOf<'request'>;

/** `ram`: guest memory; `bar`: device memory; `unknown`: the request does not show it, and RAM is assumed. */
export type MemoryKind = 'ram' | 'bar' | 'unknown';

/** BARs are not placed below this address. */
const LOWEST_BAR = 0x10_0000n;
/** Firmware places 64-bit BARs from here on, and none of them is larger. */
const HIGH_BARS_FROM = 1n << 37n;
const LARGEST_BAR = 1n << 38n;
/** A range of guest RAM is larger than this. */
const SMALL = 1n << 20n;
/** Where ranges of RAM start in QEMU's machines: in the first MiB, above it, on virt, above 4 GiB, above 1 TiB. */
const RAM_STARTS: ReadonlySet<bigint> = new Set([0n, 0xc_0000n, 0x10_0000n, 0x4000_0000n, 1n << 32n, 1n << 40n]);

const BAR_NAME = /\bBAR\b|mmap|msi-?x/i;
const RAM_NAME = /ram|mem|rom|bios|dimm|dram|numa|node\d/i;

/** From this size on, the shape of a range shows what it is: smaller ones may be parts of a BAR. */
const SHAPED_FROM = 1n << 28n;

/** False if the range cannot be a BAR or the rest of one beside an MSI-X table: BARs are naturally aligned powers of two. */
function mayBeBar(request: Request): boolean {
  const size = roundUpPowerOfTwo(sizeOf(request));
  return size < SHAPED_FROM || alignDown(request.start, size) === alignDown(request.last, size);
}

/** Whether a request maps RAM or device memory, according to its name, the host's BARs, its address and its result. */
export function memoryKindOf(request: Request, { host }: Pick<CommonSpace, 'host'>): MemoryKind {
  const { name, start, result } = request;
  if (name !== undefined && BAR_NAME.test(name)) return 'bar';
  if (name !== undefined && RAM_NAME.test(name)) return 'ram';
  if (host.bars.some((bar) => containsRange(bar, request))) return 'bar';
  if (!mayBeBar(request)) return result === '-EFAULT' ? 'ram' : 'unknown';
  // Memory that cannot be pinned is a BAR, unless it starts where machines have RAM.
  const startsAsRam = start < LOWEST_BAR || (RAM_STARTS.has(start) && sizeOf(request) > SMALL);
  if (result === '-EFAULT') return startsAsRam ? 'ram' : 'bar';
  const isHigh = start >= HIGH_BARS_FROM && !startsAsRam && sizeOf(request) <= LARGEST_BAR;
  return result === '-EINVAL' && isHigh && name === undefined ? 'bar' : 'unknown';
}

/** The mapped memory as a noun phrase: `guest RAM "pc.ram" of win11, 4 GiB`. `guest`: its name, if known. */
export function describeMemory(request: Request, kind: MemoryKind, guest?: string): string {
  const { name } = request;
  const size = formatSize(sizeOf(request));
  const what = kind === 'bar' ? 'device memory' : kind === 'ram' ? 'guest RAM' : undefined;
  const named = name === undefined ? what : what === undefined ? `"${name}"` : `${what} "${name}"`;
  const of = guest === undefined || kind === 'bar' || named === undefined ? '' : ` of ${guest}`;
  return named === undefined ? size : `${named}${of}, ${size}`;
}
