// What differs between models or kernel versions in one address space, at one moment. Loaded on demand.
import { counted, groupedHex } from '../../iova/format.ts';
import type { IovaRange } from '../../iova/range.ts';
import { find, type RangeSet, rangeSet } from '../../iova/range-set.ts';
import type { AddressSpaceView, AreaView } from '../../kernel/model.ts';
import { differingRanges } from '../../kernel/replay/differing-ranges.ts';
import { usableRanges } from '../../kernel/shared/usable-ranges.ts';
import { elementAt } from './columns.ts';
import { finished } from './kinds.ts';
import { describedLane, type Lane, type Part, stackRows, uniformRow } from './lane.ts';

/** The state of an address space under one model or kernel version. */
export interface NamedState {
  /** `type1`, `Linux 6.2 to 6.12`. */
  readonly name: string;
  /** Undefined if it does not have the space. */
  readonly space: AddressSpaceView | undefined;
}

/** What a model or version answered to the last operation, and the range of that operation. */
export interface NamedAnswer extends IovaRange {
  readonly name: string;
  readonly answer: string;
  /** Why it is refused. */
  readonly reason?: string | undefined;
}

/** An operation that gets different answers. */
export interface DifferentAnswers {
  /** Number of its event, counted from 1. */
  readonly position: number;
  readonly answers: readonly NamedAnswer[];
}

/** A state that has the space. The getters of a space return copies, so they are called once here, for all ranges. */
interface PresentState {
  readonly name: string;
  readonly space: AddressSpaceView;
  readonly reserved: AddressSpaceView['reserved'];
  readonly usable: RangeSet;
  /** Empty if there is no limit. */
  readonly allowed: RangeSet;
}

function presentStates({ name, space }: NamedState): PresentState[] {
  if (!space) return [];
  const { reserved, allowed } = space;
  return [{ name, space, reserved, usable: usableRanges(space), allowed: rangeSet(allowed) }];
}

interface NamedText {
  readonly name: string;
  readonly text: string;
}

/** Texts, each with the names of the states that it applies to. */
type ByText = readonly (readonly [text: string, names: readonly string[]])[];

/** Items by key; keys and items keep their order. */
function groupsBy<T>(items: readonly T[], keyOf: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const group = groups.get(keyOf(item));
    if (group) group.push(item);
    else groups.set(keyOf(item), [item]);
  }
  return groups;
}

function grouped(texts: readonly NamedText[]): ByText {
  const groups = [...groupsBy(texts, ({ text }) => text)].map(
    ([text, those]) => [text, those.map(({ name }) => name)] as const,
  );
  // The rarest first: that is the difference.
  return groups.sort(([, a], [, b]) => a.length - b.length);
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

/** What an address is in a state: `mapped, read and write`, `reserved (msi)`, `free` … */
function stateAt({ space, reserved, usable, allowed }: PresentState, address: bigint): string {
  const area = areaAt(space, address);
  const types = new Set(
    reserved.filter(({ start, last }) => start <= address && address <= last).map(({ type }) => type),
  );
  const isBeyond = types.delete('aperture');
  const states = [
    ...(area ? [`mapped, ${accessOf(area)}`] : []),
    ...(types.size > 0 ? [`reserved (${[...types].join(', ')})`] : []),
    ...(isBeyond ? ['outside the aperture'] : []),
  ];
  if (states.length === 0) states.push(find(usable, address) ? 'free' : 'not usable');
  if (allowed.length > 0 && !find(allowed, address)) states.push('outside the allowed ranges');
  return states.join(', ');
}

/** The state of an address in each space; if it is the same everywhere, the memory that it is mapped to. */
function statesAt(states: readonly PresentState[], address: bigint): NamedText[] {
  const texts = states.map((state) => ({ name: state.name, text: stateAt(state, address) }));
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

/** Answers about the same range are grouped. */
function answerRows({ position, answers }: DifferentAnswers) {
  const ranges = groupsBy(answers, ({ start, last }) => `${start} ${last}`);
  const described = [...ranges.values()].flatMap((those) => {
    const [first] = those;
    if (!first) return [];
    const { start, last } = first;
    const groups = grouped(those.map(({ name, answer }) => ({ name, text: answer })));
    const reasons = those.flatMap(({ name, reason }) => (reason === undefined ? [] : [`${name}: ${reason}`]));
    const info = {
      title: `event ${position}, answered differently`,
      sentence: [`The answers to event ${position} differ.`, ...reasons].join(' '),
      parts: [],
      values: Object.fromEntries(answers.map(({ name, answer }) => [name, answer])),
    };
    return [{ start, last, style: 'differs' as const, caption: captionOf(groups), info }];
  });
  return stackRows(described.sort((a, b) => (a.start < b.start ? -1 : a.start > b.start ? 1 : 0)));
}

/**
 * The differences lane of the address space with this key in the picture: first the ranges in which the states differ, then
 * those of the last operation if its answers differ. States without the space are only named.
 */
export function differencesLane(key: string, states: readonly NamedState[], last?: DifferentAnswers): Lane {
  const present = states.flatMap(presentStates);
  const missing = states.filter(({ space }) => space === undefined).map(({ name }) => name);
  const ranges = differingRanges(present.map(({ space }) => space));
  const known = new Map<number, NamedText[]>();
  const textsOf = (index: number): NamedText[] => {
    const texts = known.get(index) ?? statesAt(present, elementAt(ranges, index).start);
    known.set(index, texts);
    return texts;
  };
  const head = {
    id: `${key}#differences`,
    kind: 'differences' as const,
    title: 'what differs',
    subtitle: [counted(ranges.length, 'range'), ...missing.map((name) => `not in ${name}`)].join(', '),
  };
  const asked = last ? answerRows(last) : [];
  const answers = describedLane(
    head,
    asked.map((ranges) => ({ title: `event ${last?.position}`, note: 'answered differently', ranges })),
  );
  return finished({
    ...answers,
    rows: [uniformRow(ranges, 'differs'), ...answers.rows],
    caption: (row, index) => (row === 0 ? captionOf(grouped(textsOf(index))) : answers.caption(row - 1, index)),
    describe: (row, index) => {
      if (row > 0) return answers.describe(row - 1, index);
      const texts = textsOf(index);
      return {
        title: 'differs',
        sentence: sentenceOf(grouped(texts)),
        parts: partsAt(present, elementAt(ranges, index)),
        values: Object.fromEntries(texts.map(({ name, text }) => [name, text])),
      };
    },
  });
}
