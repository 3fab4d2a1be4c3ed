// Search: devices and groups of the hosts, ranges of the picture by address, size and text, and facts from the sources,
// whether drawn or not. The most likely meaning of the text comes first.
import { deviceChoices } from '../../analysis/case/device.ts';
import { deviceLabel } from '../../analysis/host/devices.ts';
import { groupTitle } from '../../analysis/host/host.ts';
import { Pacer } from '../../dumps/input/pacer.ts';
import { formatExactSize, groupedHex, hex } from '../../iova/format.ts';
import { IOVA_MAX } from '../../iova/iova.ts';
import { parseAddress, parseRange, parseSize } from '../../iova/parse.ts';
import type { IovaRange } from '../../iova/range.ts';
import { isFact, type SessionEvent } from '../../session/events.ts';
import { firstEndingAtOrAfter, type RangeColumns } from '../../timeline/lanes/columns.ts';
import type { EngineDocument } from '../documents/document.ts';
import { targetAt } from '../picture/lane-walk.ts';
import type { LaneInSpace } from '../picture/picture.ts';
import type { Found } from '../protocol/picture.ts';
import { eventLabel } from './event-label.ts';

/** Lanes with more ranges than this are searched by address only. */
const TEXT_SEARCH_MAX = 20_000;
/** Maximum number of events of a document that are searched. */
const FACTS_MAX = 300_000;
/** Events between two checks of the clock. */
const TURN = 256;
/** Fewer hex digits than this would match too many addresses. */
const DIGITS_MIN = 3;

/** How well a result matches the query; higher scores come first. */
const SCORES = {
  sameRange: 100,
  start: 95,
  group: 92,
  size: 90,
  device: 88,
  title: 85,
  digits: 80,
  overlaps: 72,
  contains: 70,
  startInBytes: 60,
  owner: 50,
  containsOtherReading: 40,
} as const;
/** If several ranges have the same start, the reserved one is preferred: the MSI window, not the page in it. */
const RESERVED_BONUS = 2;

interface Reading {
  readonly value: bigint;
  /** False if the digits more likely mean something else. */
  readonly isLikely: boolean;
}

/** The possible meanings of a search text. */
interface Query {
  /** In lower case, trimmed. */
  readonly text: string;
  readonly addresses: readonly Reading[];
  /** The first hex digits of an address; '' if the text is not hex. */
  readonly digits: string;
  readonly size: bigint | undefined;
  readonly range: IovaRange | undefined;
}

/** The addresses that a text can mean: digits without `0x` are tried as hex first, then as decimal. */
function addressesOf(text: string): Reading[] {
  const isBare = /^[\d_]+$/.test(text);
  const hexText = /^[\da-f_`]+$/.test(text) ? `0x${text}` : text;
  const asHex = parseAddress(hexText);
  const readings: Reading[] = asHex.ok ? [{ value: asHex.value, isLikely: !isBare || text.length > DIGITS_MIN }] : [];
  const asDecimal = isBare || text.includes(',') ? parseAddress(text.replace(/^0+(?=\d)/, '')) : undefined;
  if (asDecimal?.ok && !readings.some(({ value }) => value === asDecimal.value)) {
    // Ten or more digits are more likely a byte count that a program printed.
    readings.push({ value: asDecimal.value, isLikely: text.length >= 10 });
  }
  return readings;
}

function queryOf(typed: string): Query {
  const text = typed.trim().toLowerCase();
  const range = parseRange(text);
  const hasUnit = /^[\d.]+\s*[kmgtpe]/.test(text);
  const size = hasUnit ? parseSize(text) : undefined;
  const [, digits = ''] = /^(?:0x)?0*([\da-f_`]+)$/.exec(text) ?? [];
  return {
    text,
    addresses: addressesOf(text),
    digits: digits.replaceAll(/[_`]/g, ''),
    size: size?.ok && size.value > 0n ? size.value : undefined,
    range: range.ok ? range.value : undefined,
  };
}

/** A result with its sort keys. */
interface Scored {
  readonly score: number;
  /** If scores are equal, the narrower range comes first. */
  readonly size: bigint;
  readonly found: Found;
}

/** Why a range matches, and how well. */
interface Match {
  readonly score: number;
  readonly note?: string;
}

function better(a: Match | undefined, b: Match | undefined): Match | undefined {
  return !a || (b && b.score > a.score) ? b : a;
}

/** How well the bounds of a range match the query. */
function boundsMatch(
  { addresses, digits, size, range }: Query,
  { start, last }: { readonly start: bigint; readonly last: bigint },
): Match | undefined {
  let match: Match | undefined;
  if (range) {
    if (start === range.start && last === range.last) return { score: SCORES.sameRange };
    if (start <= range.last && last >= range.start) match = { score: SCORES.overlaps, note: 'overlaps it' };
  }
  for (const { value, isLikely } of addresses) {
    if (start === value) match = better(match, { score: isLikely ? SCORES.start : SCORES.startInBytes });
    else if (start <= value && value <= last) {
      const score = isLikely ? SCORES.contains : SCORES.containsOtherReading;
      match = better(match, { score, note: `contains ${groupedHex(value)}` });
    }
  }
  if (digits.length >= DIGITS_MIN && start.toString(16).startsWith(digits)) {
    match = better(match, { score: SCORES.digits });
  }
  if (size !== undefined && last - start + 1n === size) {
    match = better(match, { score: SCORES.size, note: formatExactSize(size) });
  }
  return match;
}

/** Indices of the ranges that can match by an address, without looking at all of them. */
function candidates(columns: RangeColumns, { addresses, digits, range }: Query, limit: number): Set<number> {
  const indices = new Set<number>();
  const add = (from: bigint, last: bigint, max: number) => {
    const first = firstEndingAtOrAfter(columns, from);
    for (let index = first; index < Math.min(columns.starts.length, first + max); index++) {
      if ((columns.starts[index] ?? IOVA_MAX) > last) return;
      indices.add(index);
    }
  };
  for (const { value } of addresses) add(value, value, 1);
  if (range) add(range.start, range.last, limit);
  if (digits.length >= DIGITS_MIN && digits.length <= 16) {
    const value = BigInt(`0x${digits}`);
    for (let shift = 0n; shift <= 4n * BigInt(16 - digits.length); shift += 4n) {
      add(value << shift, ((value + 1n) << shift) - 1n, limit);
    }
  }
  return indices;
}

/** Finds ranges of the picture. */
function findRanges(places: readonly LaneInSpace[], query: Query, limit: number): Scored[] {
  const results: Scored[] = [];
  const { text } = query;
  for (const { space, lane } of places) {
    for (const [row, columns] of lane.rows.entries()) {
      const head = `${lane.title} ${columns.title ?? ''}`.toLowerCase();
      const count = columns.starts.length;
      const isLong = count > TEXT_SEARCH_MAX;
      const indices = isLong ? candidates(columns, query, limit) : Array.from({ length: count }, (_, index) => index);
      for (const index of indices) {
        const target = targetAt(lane, row, index);
        if (!target) continue;
        let match = boundsMatch(query, target);
        if (match && lane.kind === 'reserved' && match.score >= SCORES.digits) {
          match = { ...match, score: match.score + RESERVED_BONUS };
        }
        const info = isLong && !match ? undefined : lane.describe(row, index);
        if (info && !isLong) {
          if (info.title.toLowerCase().includes(text)) match = better(match, { score: SCORES.title });
          const about = `${head} ${info.parts.map((part) => part.owner).join(' ')}`.toLowerCase();
          if (about.includes(text)) match = better(match, { score: SCORES.owner });
        }
        if (!match || !info) continue;
        const where = [columns.title ?? lane.title, space.title, ...(match.note === undefined ? [] : [match.note])];
        const found = { target, caption: info.title, where: where.join(' · ') };
        results.push({ score: match.score, size: target.last - target.start, found });
      }
    }
  }
  return results;
}

/** Finds groups and devices of the hosts. */
function findDevices({ id, title, host }: EngineDocument, { text }: Query): Scored[] {
  const results: Scored[] = [];
  const keyOf = new Map(host.groups.map(({ group, key }) => [group, key]));
  for (const group of host.groups) {
    if (!groupTitle(group).toLowerCase().includes(text)) continue;
    const place = { documentId: id, groupKey: group.key };
    const devices = group.devices.slice(0, 2).map((device) => deviceLabel(host.devices, device));
    const found = { place, caption: groupTitle(group), where: [...devices, title].join(' · ') };
    const isExact = groupTitle(group).toLowerCase() === text;
    results.push({ score: isExact ? SCORES.group : SCORES.owner, size: 0n, found });
  }
  for (const { device, group, name, class: kind, ids, driver } of deviceChoices(host)) {
    const all = [device, name, kind, ids, driver].filter((part) => part !== undefined).join(' ');
    if (!all.toLowerCase().includes(text)) continue;
    const groupKey = group === undefined ? undefined : keyOf.get(group);
    const about = [...(group === undefined ? [] : [`group ${group}`]), title];
    const found = {
      ...(groupKey === undefined ? {} : { place: { documentId: id, groupKey, device } }),
      caption: deviceLabel(host.devices, device),
      where: about.join(' · '),
    };
    if (found.place) results.push({ score: SCORES.device, size: 0n, found });
  }
  return results;
}

function valuesOf(value: unknown): string {
  if (typeof value === 'bigint') return hex(value);
  if (Array.isArray(value)) return value.map(valuesOf).join(' ');
  if (typeof value === 'object' && value !== null) return Object.values(value).map(valuesOf).join(' ');
  return String(value);
}

/** True if a value of the fact contains the text or is the address. */
function isAbout(event: SessionEvent, { text, digits, addresses }: Query): boolean {
  const values = Object.values(event);
  if (addresses.some(({ value, isLikely }) => isLikely && values.includes(value))) return true;
  const all = values.map(valuesOf).join(' ').toLowerCase();
  return all.includes(text) || (digits.length >= DIGITS_MIN && all.includes(digits));
}

/** Finds facts that contain the text, with the line of their source. */
async function findFacts(
  documents: Iterable<EngineDocument>,
  query: Query,
  limit: number,
  pacer: Pacer,
): Promise<Found[]> {
  const found: Found[] = [];
  for (const { id, session, title } of documents) {
    const { events } = session;
    for (let index = 0; index < Math.min(events.length, FACTS_MAX) && found.length < limit; index++) {
      if (index % TURN === 0) await pacer.pause();
      const event = events.at(index);
      if (!event || !isFact(event) || event.line === undefined || event.source === undefined) continue;
      if (!isAbout(event, query)) continue;
      found.push({
        location: { id, source: event.source, line: event.line },
        caption: eventLabel(event),
        where: `${event.source}:${event.line} · ${title}`,
      });
    }
  }
  return found;
}

/**
 * Everything that matches the text: first devices, groups and drawn ranges, the most likely meaning first; then lines of the
 * sources. At most `limit` results in total. Throws if the signal is aborted.
 */
export async function findEverything(
  places: readonly LaneInSpace[],
  documents: Iterable<EngineDocument>,
  typed: string,
  limit: number,
  signal?: AbortSignal,
): Promise<Found[]> {
  if (typed.trim() === '') return [];
  const query = queryOf(typed);
  const all = [...documents];
  const scored = [...findRanges(places, query, limit), ...all.flatMap((document) => findDevices(document, query))];
  scored.sort((a, b) => b.score - a.score || (a.size < b.size ? -1 : a.size > b.size ? 1 : 0));
  const found = scored.slice(0, limit).map((result) => result.found);
  if (found.length >= limit) return found;
  const pacer = new Pacer(signal);
  try {
    return [...found, ...(await findFacts(all, query, limit - found.length, pacer))];
  } finally {
    pacer.close();
  }
}
