// The guest that is tried on the hosts: a machine with so much RAM, another open dump's, or ranges typed by hand.

import type { GuestLayout } from '../../analysis/conflicts/guest.ts';
import type { LayoutRange } from '../../analysis/guest/layout.ts';
import { MACHINES, type MachineName } from '../../analysis/guest/layouts.ts';
import type { Guest, Host } from '../../analysis/host/host.ts';
import type { ReportedSpace } from '../../analysis/space/common-space.ts';
import { formatExactSize } from '../../iova/format.ts';
import { type ParseResult, parseRange, parseSize } from '../../iova/parse.ts';
import type { IovaRange } from '../../iova/range.ts';
import { guestSource } from '../../session/live.ts';
import type { GuestChoice } from '../protocol/answers.ts';

export type GuestResult =
  | { readonly ok: true; readonly guest: GuestLayout }
  | { readonly ok: false; readonly message: string };

/** QEMU's name of the address space that all of the guest's processors see. */
const MAIN_SPACE = 'memory';

/** A guest of a host's own dumps (`info mtree`, QEMU's traces, QMP), as the processors of the guest see it. */
export function layoutOf({ source, ranges }: Guest): GuestLayout {
  const main = ranges.filter(({ space }) => space === undefined || space === MAIN_SPACE);
  return { title: source, ranges: main.length > 0 ? main : ranges };
}

/** The guest of a host whose process owns a reported space, by its name; empty if it is unknown. */
export function guestsHolding({ validRanges }: Pick<ReportedSpace, 'validRanges'>, guests: readonly Guest[]): Guest[] {
  const names = new Set(validRanges.flatMap(({ guest }) => (guest === undefined ? [] : [guestSource(guest)])));
  return guests.filter(({ source }) => names.has(source));
}

export function isMachineName(name: string): name is MachineName {
  return Object.hasOwn(MACHINES, name);
}

/** The layout of a machine. `ram` in bytes. */
export function machineGuest(name: MachineName, ram: bigint): GuestResult {
  const machine = MACHINES[name];
  if (ram < 1n) return { ok: false, message: 'a guest needs at least one byte of RAM' };
  if (ram > machine.maxRam)
    return { ok: false, message: `${machine.name} does not support ${formatExactSize(ram)} of RAM` };
  const title = `${machine.name}, ${formatExactSize(ram)}`;
  return { ok: true, guest: { title, ranges: machine.layout(ram), machine: { machine, ram } } };
}

/** The words of an entry that can belong to its bounds: numbers, units and what stands between. */
const BOUNDS_WORD = /^(?:[\d@+–.-]|[a-f]+$|[KMGTPE]?i?B?$)/i;

/** Splits `0x0 2G ram pc.ram` into its range and the words behind it. */
function customRange(entry: string): { readonly parsed: ParseResult<IovaRange>; readonly rest: readonly string[] } {
  const words = entry.split(/\s+/);
  const other = words.findIndex((word, i) => i > 0 && !BOUNDS_WORD.test(word));
  const bounds = other < 0 ? words.length : other;
  // The longest that is a range: a name may look like a number.
  for (let count = bounds; count > 0; count--) {
    const parsed = parseRange(words.slice(0, count).join(' '));
    if (parsed.ok) return { parsed, rest: words.slice(count) };
  }
  return { parsed: parseRange(words.slice(0, bounds).join(' ')), rest: [] };
}

/**
 * Ranges typed by hand, one a line or separated by commas: `0x0-0x7fffffff`, `1G@4G`, `0x40000000+4G`, `0x0 2G`, each
 * perhaps with a type and a name behind it (`ram` if there is none).
 */
export function customGuest(text: string): GuestResult {
  const ranges: LayoutRange[] = [];
  for (const line of text.split(/[\n,;]/)) {
    const entry = line.trim();
    if (entry === '') continue;
    const { parsed, rest } = customRange(entry);
    if (!parsed.ok) return { ok: false, message: `"${entry}": ${parsed.error.message}` };
    const [word = 'ram', ...others] = rest;
    const isType = /^[a-z][a-z/-]{1,11}$/i.test(word);
    const type = isType ? word : 'ram';
    ranges.push({ ...parsed.value, type, name: (isType ? others : rest).join(' ') || type });
  }
  return ranges.length === 0
    ? { ok: false, message: 'expected ranges such as 0x0-0x7fffffff, 1G@4G' }
    : { ok: true, guest: { title: 'custom ranges', ranges } };
}

/** The guest that was chosen; `hostOf` finds an open document's host by its id. */
export function chosenGuest(choice: GuestChoice, hostOf: (id: string) => Host | undefined): GuestResult {
  switch (choice.kind) {
    case 'machine':
      return isMachineName(choice.machine)
        ? machineGuest(choice.machine, choice.ram)
        : { ok: false, message: `"${choice.machine}" is not a known machine` };
    case 'document': {
      const host = hostOf(choice.id);
      const guest = host?.guests.find(({ source }) => source === choice.guest);
      return guest
        ? { ok: true, guest: layoutOf(guest) }
        : { ok: false, message: `no open document contains a guest layout "${choice.guest}"` };
    }
    case 'ranges':
      return customGuest(choice.text);
  }
}

/**
 * `MACHINE:RAM` as the command line writes it, such as `q35:8G`; undefined if the text does not begin with a machine's
 * name and a colon.
 */
export function parseMachine(text: string): GuestResult | undefined {
  const colon = text.indexOf(':');
  const name = text.slice(0, colon);
  if (colon < 0 || !isMachineName(name)) return undefined;
  const ram = parseSize(text.slice(colon + 1));
  return ram.ok ? machineGuest(name, ram.value) : { ok: false, message: ram.error.message };
}
