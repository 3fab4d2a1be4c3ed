// What differs between models or kernel versions in one address space, at one moment. Loaded when it is asked for.
import { counted, groupedHex } from '../../iova/format.ts';
import type { IovaRange } from '../../iova/range.ts';
import { find, rangeSet } from '../../iova/range-set.ts';
import type { AddressSpaceView, AreaView } from '../../kernel/model.ts';
import { differingRanges } from '../../kernel/replay/differing-ranges.ts';
import { usableRanges } from '../../kernel/shared/usable-ranges.ts';
import { styleIndex } from '../scene/style-names.ts';
import { elementAt } from './columns.ts';
import { laneKind } from './kinds.ts';
import { type Lane, type LaneRow, laneRow, type Part, stackRows } from './lane.ts';

/** The state of an address space under one model or kernel version. */
export interface NamedState {
  /** `type1`, `Linux 6.2 to 6.12`. */
  readonly name: string;
  /** Undefined if it does not have the space. */
  readonly space: AddressSpaceView | undefined;
}

/** What one of them answered to the operation that was run last, and the range that this was about. */
export interface NamedAnswer extends IovaRange {
  readonly name: string;
  readonly answer: string;
  /** Why it is refused. */
  readonly reason?: string | undefined;
}

/** An operation that is answered differently. */
export interface DifferentAnswers {
  /** Of its event, counted from 1. */
  readonly position: number;
  readonly answers: readonly NamedAnswer[];
}

type PresentState = NamedState & { readonly space: AddressSpaceView };

/** What several have in common, by what it is. */
type ByText = readonly (readonly [text: string, names: readonly string[]])[];

function grouped(texts: readonly { readonly name: string; readonly text: string }[]): ByText {
  const groups = new Map<string, string[]>();
  for (const { name, text } of texts) groups.set(text, [...(groups.get(text) ?? []), name]);
  // What is seldom first: that is what differs.
  return [...groups].sort(([, a], [, b]) => a.length - b.length);
}

const captionOf = (groups: ByText) => groups.map(([text, names]) => `${text}: ${names.join(', ')}`).join(' · ');

const sentenceOf = (groups: ByText) =>
  groups.map(([text, names]) => `${text[0]?.toUpperCase()}${text.slice(1)} under ${names.join(', ')}.`).join(' ');

function areaAt(space: AddressSpaceView, address: bigint): AreaView | undefined {
  for (const area of space.areas(address, address)) return area;
  return undefined;
}

function accessOf({ read, write }: AreaView): string {
  return [...(read ? ['read'] : []), ...(write ? ['write'] : [])].join(' and ') || 'no access';
}

/** What an address is in a space: `mapped, read and write`, `reserved (msi)`, `free` … */
function stateAt(space: AddressSpaceView, address: bigint): string {
  const area = areaAt(space, address);
  const types = new Set(
    space.reserved.filter(({ start, last }) => start <= address && address <= last).map(({ type }) => type),
  );
  const isBeyond = types.delete('aperture');
  const states = [
    ...(area ? [`mapped, ${accessOf(area)}`] : []),
    ...(types.size > 0 ? [`reserved (${[...types].join(', ')})`] : []),
    ...(isBeyond ? ['outside the aperture'] : []),
  ];
  if (states.length === 0) states.push(find(usableRanges(space), address) ? 'free' : 'not usable');
  if (space.allowed.length > 0 && !find(rangeSet(space.allowed), address)) states.push('outside the allowed ranges');
  return states.join(', ');
}

/** What an address is in each space; if that is the same, to which memory it is mapped. */
function statesAt(states: readonly PresentState[], address: bigint): { name: string; text: string }[] {
  const texts = states.map(({ name, space }) => ({ name, text: stateAt(space, address) }));
  if (new Set(texts.map(({ text }) => text)).size > 1) return texts;
  return states.map(({ name, space }) => {
    const area = areaAt(space, address);
    return { name, text: area ? `mapped to ${groupedHex(area.userVa + address - area.start)}` : 'free' };
  });
}

function partsAt(states: readonly PresentState[], range: IovaRange): Part[] {
  return states.flatMap(({ name, space }) => {
    const area = areaAt(space, range.start);
    return area ? [{ owner: `${name}, event ${area.origin + 1}`, range: area, provenance: [] }] : [];
  });
}

/** The answers that are about the same range together. */
function answerRows({ position, answers }: DifferentAnswers) {
  const ranges = new Map<string, NamedAnswer[]>();
  for (const answer of answers) {
    const key = `${answer.start} ${answer.last}`;
    ranges.set(key, [...(ranges.get(key) ?? []), answer]);
  }
  const described = [...ranges.values()].flatMap((those) => {
    const [first] = those;
    if (!first) return [];
    const { start, last } = first;
    const groups = grouped(those.map(({ name, answer }) => ({ name, text: answer })));
    const reasons = those.flatMap(({ name, reason }) => (reason === undefined ? [] : [`${name}: ${reason}`]));
    const info = {
      title: `event ${position}, answered differently`,
      sentence: [`Event ${position} is answered differently.`, ...reasons].join(' '),
      parts: [],
      values: Object.fromEntries(answers.map(({ name, answer }) => [name, answer])),
    };
    return [{ start, last, style: 'differs' as const, caption: captionOf(groups), info }];
  });
  return stackRows(described.sort((a, b) => (a.start < b.start ? -1 : a.start > b.start ? 1 : 0)));
}

/**
 * The lane of an address space whose key in the picture is `key`: first the ranges in which the states differ, then those
 * of the last operation if it is answered differently. States without the space are only named.
 */
export function differencesLane(key: string, states: readonly NamedState[], last?: DifferentAnswers): Lane {
  const present = states.filter((state): state is PresentState => state.space !== undefined);
  const missing = states.filter(({ space }) => space === undefined).map(({ name }) => name);
  const ranges = differingRanges(present.map(({ space }) => space));
  const starts = BigUint64Array.from(ranges, ({ start }) => start);
  const stateRow: LaneRow = {
    starts,
    lasts: BigUint64Array.from(ranges, (r) => r.last),
    styles: new Uint8Array(ranges.length).fill(styleIndex('differs')),
    uniform: true,
  };
  const asked = last ? answerRows(last) : [];
  const answerAt = (row: number, index: number) => elementAt(elementAt(asked, row - 1), index);
  const labels = new Map<number, ByText>();
  const groupsAt = (index: number): ByText => {
    const known = labels.get(index) ?? grouped(statesAt(present, elementAt(starts, index)));
    labels.set(index, known);
    return known;
  };
  return {
    id: `${key}#differences`,
    kind: 'differences',
    title: 'what differs',
    subtitle: [counted(ranges.length, 'range'), ...missing.map((name) => `not in ${name}`)].join(', '),
    traits: laneKind('differences').traits,
    expandable: false,
    expanded: false,
    rows: [
      stateRow,
      ...asked.map((row) => laneRow(row, { title: `event ${last?.position}`, note: 'answered differently' })),
    ],
    caption: (row, index) => (row === 0 ? captionOf(groupsAt(index)) : answerAt(row, index).caption),
    describe: (row, index) => {
      if (row > 0) return answerAt(row, index).info;
      const range = elementAt(ranges, index);
      return {
        title: 'differs',
        sentence: sentenceOf(groupsAt(index)),
        parts: partsAt(present, range),
        values: Object.fromEntries(statesAt(present, range.start).map(({ name, text }) => [name, text])),
      };
    },
  };
}
