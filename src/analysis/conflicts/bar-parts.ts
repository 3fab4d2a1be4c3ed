// BARs that are mapped in parts. VFIO and QEMU do not map the pages of an MSI-X table, so a BAR with such a table becomes two
// ranges with a hole of a page, or a range that is shorter than the BAR. Users often take the hole for an error.
// (QEMU 7.2, vfio_pci_fixup_msix_region and msix_init; Linux before 4.16 does not allow mmap of the pages either.)
import { formatSize, hex, hexRange } from '../../iova/format.ts';
import { alignDown, alignUp, roundUpPowerOfTwo } from '../../iova/iova.ts';
import { type IovaRange, overlaps, range, sizeOf } from '../../iova/range.ts';
import { DEFAULT_PAGE_SIZE } from '../../kernel/shared/platform-ranges.ts';
import { type Host, type Provenance, provenanceOf } from '../host/host.ts';
import { HOLE_MAX, holeBetween, type Part, partOf } from '../host/map-runs.ts';
import type { MappingSet } from '../host/mappings.ts';
import type { CommonSpace } from '../space/common-space.ts';
import { type Conflict, markOf } from './conflict.ts';
import type { GuestLayout } from './guest.ts';

/** Maximum number of listed conflicts. */
const LISTED_MAX = 20;
const TABLE_NAME = /^MSI-X table of (.+)$/;
/** A part of a BAR in a flat view of QEMU: `0000:01:00.0 BAR 0 mmaps[0]`, `VFIO 0000:01:00.0 BAR 3 mmap`. */
const PART_NAME = /^(.{0,80}\bBAR \d)(?: mmaps?\b.{0,20})?$/;

interface MappedPart extends Part {
  readonly fact: MappingSet['facts'][number];
}

/** The smallest naturally aligned block with a power-of-two size, like a BAR, that contains a range. */
function blockAround(r: IovaRange): IovaRange {
  for (let size = roundUpPowerOfTwo(sizeOf(r)); ; size *= 2n) {
    const start = alignDown(r.start, size);
    if (start + size > r.last) return range(start, start + size - 1n);
  }
}

interface Table extends IovaRange {
  readonly device: string;
  readonly provenance: readonly Provenance[];
}

/** The MSI-X tables that lspci lists, in whole pages. */
function tablesOf({ windows }: Pick<Host, 'windows'>): Table[] {
  return windows.flatMap(({ name, start, last, provenance }): Table[] => {
    const device = TABLE_NAME.exec(name)?.[1];
    if (device === undefined) return [];
    const pages = range(alignDown(start, DEFAULT_PAGE_SIZE), alignUp(last + 1n, DEFAULT_PAGE_SIZE) - 1n);
    return [{ ...pages, device, provenance }];
  });
}

/** A hole in a BAR, and what is known about both. */
interface Hole {
  readonly hole: IovaRange;
  readonly bar: IovaRange;
  readonly name?: string | undefined;
  readonly table?: Table | undefined;
  readonly provenance: readonly Provenance[];
}

function conflictOf({ hole, bar, name, table, provenance }: Hole): Conflict {
  const where = name === undefined ? `a BAR at ${hexRange(bar)}` : `${name} (${hexRange(bar)})`;
  const size = formatSize(sizeOf(hole));
  const what =
    table === undefined ? 'where the MSI-X table of the device must be' : `where the MSI-X table of ${table.device} is`;
  return {
    id: `bar-in-parts ${hole.start}-${hole.last}`,
    rule: 'bar-in-parts',
    severity: 'note',
    title: `${hexRange(hole)} (${size}) inside ${where} is not mapped: MSI-X table`,
    message: `The parts before and behind it are mapped. ${size} at offset ${hex(hole.start - bar.start)} of the BAR is ${what}: QEMU emulates the table, so it does not map its pages.`,
    source: 'QEMU, vfio_pci_fixup_msix_region',
    remedy:
      'Nothing needs to be done: drivers in the guest reach the table, and devices need no access to it. If peer-to-peer DMA needs the registers on the same page, x-msix-relocation of vfio-pci moves the table to another BAR.',
    marks: [markOf('requested', hole, 'not mapped: MSI-X table'), markOf('obstacle', bar, name ?? 'BAR')],
    provenance: [...provenance, ...(table?.provenance ?? [])],
    answer: `${hexRange(hole)} (${size}) is not mapped, in the middle of ${where}: it is ${what}, which QEMU emulates and does not map. It is no error: only peer-to-peer DMA to these pages does not work.`,
    remedies: [
      { text: 'Nothing needs to be done' },
      { text: 'To move the table to another BAR', copy: 'x-msix-relocation=auto', form: 'qemu' },
    ],
    kind: 'bar-in-parts',
    kindLabel: { unit: 'BAR', text: 'mapped in parts, MSI-X table' },
  };
}

/** Finds runs of consecutive parts with gaps the size of an MSI-X table; a run is a BAR if it has the shape of one. */
function holesOf(set: MappingSet, host: Pick<Host, 'bars' | 'windows'>): Hole[] {
  const { isSnapshot } = set;
  // Page tables may have holes anywhere in memory that is mapped 1:1: only listed BARs count there.
  if (isSnapshot && host.bars.length === 0) return [];
  const tables = tablesOf(host);
  const found: Hole[] = [];
  let run: MappedPart[] = [];
  const close = () => {
    const [first] = run;
    const last = run.at(-1);
    if (first && last && first !== last && found.length < LISTED_MAX) {
      const whole = range(first.start, last.last);
      const holes = run.slice(1).reduce((sum, part, index) => sum + part.start - (run[index]?.last ?? 0n) - 1n, 0n);
      const isBar = !isSnapshot && sizeOf(blockAround(whole)) === sizeOf(whole) && holes * 2n < sizeOf(whole);
      const moved = (first.behind ?? first.start) - first.start;
      const listed = host.bars.find((bar) =>
        [0n, moved].some((by) => whole.start + by >= bar.start && whole.last + by <= bar.last),
      );
      const name = listed && `BAR ${listed.index} of ${listed.device}`;
      if (isBar || listed) {
        for (const [index, part] of run.entries()) {
          const next = run[index + 1];
          const hole = next && holeBetween(part, next);
          if (!hole) continue;
          const table = tables.find(
            (one) => overlaps(one, hole) || (one.start <= hole.last + moved && hole.start + moved <= one.last),
          );
          found.push({ hole, bar: whole, name, table, provenance: [provenanceOf(part.fact), provenanceOf(next.fact)] });
        }
      }
    }
    run = [];
  };
  for (const earlier of set.folded?.runs ?? []) {
    close();
    run.push(...partsOf(earlier));
  }
  // After a folded part, the first facts are mappings that were made in it.
  for (const part of partsOf(set.facts.slice(set.folded?.live ?? 0))) {
    const before = run.at(-1);
    if (before && !holeBetween(before, part)) close();
    run.push(part);
  }
  close();
  return found;
}

/** The maps of a set in order, including refused ones: a program maps the parts of a BAR one after the other. */
function* partsOf(facts: MappingSet['facts']): Generator<MappedPart> {
  for (const fact of facts) {
    if (fact.kind === 'unmap' || (fact.kind === 'request' && fact.op !== 'map')) continue;
    yield { ...partOf(fact), fact };
  }
}

/** BARs of a flat view that consist of several ranges. */
function partsOfGuest({ ranges }: GuestLayout): Hole[] {
  const byName = new Map<string, (Part & Pick<Hole, 'provenance'>)[]>();
  for (const { name, type, start, last, provenance = [] } of ranges) {
    const bar = PART_NAME.exec(name.replace(/ @[0-9a-f]+$/i, ''))?.[1];
    if (bar === undefined || !/^r[ao]m/.test(type)) continue;
    byName.set(bar, [...(byName.get(bar) ?? []), { start, last, provenance }]);
  }
  return [...byName].flatMap(([name, parts]) => {
    const sorted = parts.toSorted((a, b) => (a.start < b.start ? -1 : 1));
    const [first] = sorted;
    const end = sorted.at(-1);
    if (!first || !end) return [];
    const bar = range(first.start, end.last);
    return sorted.flatMap((part, index): Hole[] => {
      const next = sorted[index + 1];
      if (!next) return [];
      const hole = holeBetween({ ...part, behind: part.start }, { ...next, behind: next.start });
      return hole ? [{ hole, bar, name, provenance: [...part.provenance, ...next.provenance] }] : [];
    });
  });
}

/** Pages inside BARs that are not mapped because of an MSI-X table, each once. */
export function barPartConflicts(
  { host }: Pick<CommonSpace, 'host'>,
  sets: readonly MappingSet[],
  guests: readonly GuestLayout[],
): Conflict[] {
  const found = [...guests.flatMap(partsOfGuest), ...sets.flatMap((set) => holesOf(set, host))];
  const byId = new Map<string, Conflict>();
  for (const conflict of found.map(conflictOf)) if (!byId.has(conflict.id)) byId.set(conflict.id, conflict);
  return [...byId.values()].slice(0, LISTED_MAX);
}

/**
 * A sentence that a range of device memory is only part of a BAR, whose size is a power of two and which is naturally aligned.
 * Empty if the range has that shape, or if more than the pages of an MSI-X table is missing.
 */
export function barPartSentence(r: IovaRange): string {
  const bar = blockAround(r);
  const missing = sizeOf(bar) - sizeOf(r);
  const isAtOneEnd = bar.start === r.start || bar.last === r.last;
  if (missing === 0n || missing > HOLE_MAX || !isAtOneEnd) return '';
  const hole = bar.start === r.start ? range(r.last + 1n, bar.last) : range(bar.start, r.start - 1n);
  return `It is a part of a BAR of ${formatSize(sizeOf(bar))} at ${hex(bar.start)}: ${hexRange(hole)} (${formatSize(missing)}) is probably where its MSI-X table is, which QEMU does not map.`;
}
