// What the memory of a request is, as far as the request and the host's dumps show it.
import { formatSize } from '../../iova/format.ts';
import { alignDown, roundUpPowerOfTwo } from '../../iova/iova.ts';
import { containsRange, sizeOf } from '../../iova/range.ts';
import type { FactOf } from '../../session/events.ts';
import type { CommonSpace } from '../space/common-space.ts';

export type Request = FactOf<'request'>;

/** `ram`: memory of a guest; `bar`: memory of a device; `unknown`: the request does not show it, RAM is assumed. */
export type MemoryKind = 'ram' | 'bar' | 'unknown';

/** BARs are not placed below this address. */
const LOWEST_BAR = 0x10_0000n;
/** Firmware places 64-bit BARs from here on, and none of them is larger. */
const HIGH_BARS_FROM = 1n << 37n;
const LARGEST_BAR = 1n << 38n;
/** Guests have more RAM than this in one range. */
const SMALL = 1n << 20n;
/** Where the RAM of QEMU's machines starts, or goes on: below the first MiB, above it, virt, above 4 GiB, above 1 TiB. */
const RAM_STARTS: ReadonlySet<bigint> = new Set([0n, 0xc_0000n, 0x10_0000n, 0x4000_0000n, 1n << 32n, 1n << 40n]);

const BAR_NAME = /\bBAR\b|mmap|msi-?x/i;
const RAM_NAME = /ram|mem|rom|bios|dimm|dram|numa|node\d/i;

/** From this size on, the shape tells: smaller ones may be parts of a BAR. */
const SHAPED_FROM = 1n << 28n;

/** False for what cannot be a BAR, nor what an MSI-X table leaves of one: BARs are aligned to their size, a power of two. */
function mayBeBar(request: Request): boolean {
  const size = roundUpPowerOfTwo(sizeOf(request));
  return size < SHAPED_FROM || alignDown(request.start, size) === alignDown(request.last, size);
}

/** Whether a request is about RAM or about device memory: by its name, its host's BARs, its address and its answer. */
export function memoryKindOf(request: Request, { host }: Pick<CommonSpace, 'host'>): MemoryKind {
  const { name, start, result } = request;
  if (name !== undefined && BAR_NAME.test(name)) return 'bar';
  if (name !== undefined && RAM_NAME.test(name)) return 'ram';
  if (host.bars.some((bar) => containsRange(bar, request))) return 'bar';
  if (!mayBeBar(request)) return result === '-EFAULT' ? 'ram' : 'unknown';
  // Memory that cannot be pinned is a BAR, unless it is where machines have their RAM.
  const startsAsRam = start < LOWEST_BAR || (RAM_STARTS.has(start) && sizeOf(request) > SMALL);
  if (result === '-EFAULT') return startsAsRam ? 'ram' : 'bar';
  const isHigh = start >= HIGH_BARS_FROM && !startsAsRam && sizeOf(request) <= LARGEST_BAR;
  return result === '-EINVAL' && isHigh && name === undefined ? 'bar' : 'unknown';
}

/** What is mapped, for a sentence: `guest RAM "pc.ram" of win11, 4 GiB`. `guest`: its name, where that is known. */
export function describeMemory(request: Request, kind: MemoryKind, guest?: string): string {
  const { name } = request;
  const size = formatSize(sizeOf(request));
  const what = kind === 'bar' ? 'device memory' : kind === 'ram' ? 'guest RAM' : undefined;
  const named = name === undefined ? what : what === undefined ? `"${name}"` : `${what} "${name}"`;
  const of = guest === undefined || kind === 'bar' || named === undefined ? '' : ` of ${guest}`;
  return named === undefined ? size : `${named}${of}, ${size}`;
}
