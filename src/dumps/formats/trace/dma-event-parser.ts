// One event of the kernel's DMA API; the grammar is in dma-events.ts.
import type { Iova } from '../../../iova/iova.ts';
import { type IovaRange, rangeOfLength } from '../../../iova/range.ts';
import { normalizeDevice } from '../../fields/pci-address.ts';
import { timeBefore } from './event-time.ts';

export interface DmaRange extends IovaRange {
  /** Of the first byte, if the event has it for this range. */
  readonly paddr?: Iova | undefined;
}

interface Named {
  readonly device: string;
  /** Seconds. */
  readonly time: number | undefined;
}

/** What an event says. `list`: what a later unmap of a scatter list names it by, which has no addresses of the device. */
export type DmaEvent =
  | (Named & {
      readonly kind: 'map' | 'unmap';
      readonly ranges: readonly DmaRange[];
      readonly list?: string | undefined;
      /** True if the event has only the first ranges of a long list. */
      readonly isCut: boolean;
    })
  | (Named & { readonly kind: 'unmap-list'; readonly list: string })
  | (Named & { readonly kind: 'failed'; readonly size: bigint | undefined })
  | { readonly kind: 'empty'; readonly op: 'map' | 'unmap'; readonly start: Iova }
  /** A range beyond 64 bits, or lists of different lengths. */
  | { readonly kind: 'damaged'; readonly reason: string }
  /** An event that changes no mapping. */
  | { readonly kind: 'other' };

/** Names of events, each with its kind. Kernels before 6.18 say `page` and `resource` where newer ones say `phys`. */
const KINDS: Readonly<Record<string, 'map' | 'unmap' | 'map-list' | 'unmap-list' | 'failed' | 'other'>> = {
  dma_map_page: 'map',
  dma_map_phys: 'map',
  dma_map_resource: 'map',
  dma_alloc: 'map',
  dma_alloc_pages: 'map',
  dma_alloc_sgt: 'map',
  dma_unmap_page: 'unmap',
  dma_unmap_phys: 'unmap',
  dma_unmap_resource: 'unmap',
  dma_free: 'unmap',
  dma_free_pages: 'unmap',
  dma_free_sgt: 'unmap',
  dma_map_sg: 'map-list',
  dma_unmap_sg: 'unmap-list',
  dma_map_sg_err: 'failed',
  dma_alloc_sgt_err: 'failed',
  dma_sync_single_for_cpu: 'other',
  dma_sync_single_for_device: 'other',
  dma_sync_sg_for_cpu: 'other',
  dma_sync_sg_for_device: 'other',
};

/** An event's name with its colon, the device, and the first field. */
const EVENT = /(?:^|[\s:])(dma_[a-z_]{4,24}): {1,4}(\S{1,128}) {1,4}(?=(?:dir|dma_addrs?|phys_addrs)=)/;
const OTHER_EVENT = /IOMMU:|dma_[a-z_]{4,24}: /;
const FIELD = /(?:^| )([a-z_]{3,12})=(\{[^{}]{0,8192}\}|[^\s{}]{0,128})/g;
const ADDRESS = /^(?:0x)?([0-9a-f]{1,16})$/i;
const COUNT = /^\d{1,20}$/;
/** A pointer that tells whether an allocation failed. */
const POINTER = /^(?:(?:0x)?[0-9a-f]{1,16}|\(n(?:ull|il)\)|\(_{4}ptrval_{4}\))$/i;
/** What the kernel returns for a mapping that failed. */
const MAPPING_ERROR = 0xffff_ffff_ffff_ffffn;

function addressOf(text: string | undefined): Iova | undefined {
  const digits = text === undefined ? undefined : ADDRESS.exec(text)?.[1];
  return digits === undefined ? undefined : (BigInt(`0x${digits}`) as Iova);
}

function countOf(text: string | undefined): bigint | undefined {
  if (text === undefined || !COUNT.test(text)) return undefined;
  const value = BigInt(text);
  return value >> 64n === 0n ? value : undefined;
}

/** The numbers in `{0x1000,0x2000}`; undefined if one is malformed. Those without a prefix are hex if `isHex`. */
function listOf(text: string | undefined, isHex: boolean): bigint[] | undefined {
  const inner = text?.match(/^\{(.*)\}$/)?.[1];
  if (inner === undefined) return undefined;
  if (inner.trim() === '') return [];
  const numbers = inner.split(',').map((part) => {
    const number = part.trim();
    return isHex || /^0x/i.test(number) ? addressOf(number) : countOf(number);
  });
  return numbers.every((number) => number !== undefined) ? numbers : undefined;
}

/**
 * The event in a text; undefined if there is none, or not all of it. `isWhole`: only with its last field (`attrs`, which
 * may be empty), because a line that was broken may go on. Otherwise a number at the very end is not used: it may be cut.
 */
export function readDmaEvent(text: string, isWhole: boolean): DmaEvent | undefined {
  if (!text.includes('dma_')) return undefined;
  const found = EVENT.exec(text);
  const [all, name = '', deviceName = ''] = found ?? [];
  const kind = KINDS[name];
  if (!found || all === undefined || kind === undefined) return undefined;
  if (kind === 'other') return { kind };
  const rest = text.slice(found.index + all.length);
  // A line that was broken does not go on in another event.
  if (OTHER_EVENT.test(rest)) return undefined;
  const fields = fieldsOf(rest, isWhole);
  if (isWhole && !(name === 'dma_free_sgt' ? fields.has('phys_addrs') : fields.has('attrs'))) return undefined;
  const named = {
    device: normalizeDevice(deviceName),
    time: timeBefore(text, text.indexOf(name, found.index)),
  };
  const size = countOf(fields.get('size'));
  if (kind === 'failed') return { kind, ...named, size };
  if (kind === 'map-list') return mapList(fields, named);
  if (kind === 'unmap-list') {
    const list = listOf(fields.get('phys_addrs'), true);
    return list && { kind, ...named, list: keyOf(list) };
  }
  const start = addressOf(fields.get('dma_addr'));
  if (start === undefined || size === undefined) return undefined;
  if (kind === 'map') {
    const pointer = fields.get('virt_addr');
    const isNull = /^(?:0+|\(n(?:ull|il)\))$/.test(pointer ?? '');
    const isPointerKnown = pointer === undefined ? isWhole : POINTER.test(pointer);
    if (start === 0n && name.startsWith('dma_alloc') && !isPointerKnown) {
      return { kind: 'damaged', reason: 'address 0 is a failure if the pointer is null, which cannot be read' };
    }
    if (start === MAPPING_ERROR || (isNull && start === 0n)) return { kind: 'failed', ...named, size };
  }
  if (size === 0n) return { kind: 'empty', op: kind, start };
  const range = rangeOfLength(start, size);
  if (!range) return { kind: 'damaged', reason: 'the range ends beyond 64 bits' };
  return { kind, ...named, ranges: [{ ...range, paddr: addressOf(fields.get('phys_addr')) }], isCut: false };
}

/** The values of the fields by name. */
function fieldsOf(text: string, isWhole: boolean): Map<string, string> {
  const fields = new Map<string, string>();
  for (const { 0: all, 1: name = '', 2: value = '', index } of text.matchAll(FIELD)) {
    const isAtEnd = index + all.length === text.length;
    if (isWhole || !isAtEnd || value.endsWith('}')) fields.set(name, value);
  }
  return fields;
}

function mapList(fields: ReadonlyMap<string, string>, named: Named): DmaEvent | undefined {
  const starts = listOf(fields.get('dma_addrs'), true);
  const sizes = listOf(fields.get('sizes'), false);
  const physical = listOf(fields.get('phys_addrs'), true);
  if (!starts || !sizes || !physical) return undefined;
  if (starts.length !== sizes.length) {
    return { kind: 'damaged', reason: `${starts.length} addresses, but ${sizes.length} sizes` };
  }
  const ranges: DmaRange[] = [];
  for (const [i, start] of starts.entries()) {
    const size = sizes[i] ?? 0n;
    if (size === 0n) continue;
    const range = rangeOfLength(start as Iova, size);
    if (!range) return { kind: 'damaged', reason: 'a range ends beyond 64 bits' };
    // Ranges that were merged are made of several pieces of memory.
    ranges.push({ ...range, paddr: starts.length === physical.length ? (physical[i] as Iova | undefined) : undefined });
  }
  const [shown, total] = /^(\d{1,10})\/(\d{1,10})$/.exec(fields.get('ents') ?? '')?.slice(1) ?? [];
  return { kind: 'map', ...named, ranges, list: keyOf(physical), isCut: shown !== total };
}

/** A scatter list by its memory: its first piece, as the number of those that the kernel prints differs. */
function keyOf(physical: readonly bigint[]): string {
  return (physical[0] ?? 0n).toString(16);
}
