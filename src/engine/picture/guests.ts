// The guest that is tried on the hosts: a machine with a RAM size, a guest of another open dump, or custom ranges.

import { type GuestLayout, guestOfMemory } from '../../analysis/conflicts/guest.ts';
import { type GuestDefinition, layoutOf as memoryOf } from '../../analysis/guest/guest-memory.ts';
import { parseGuestText } from '../../analysis/guest/guest-text.ts';
import type { LayoutRange } from '../../analysis/guest/layout.ts';
import { MACHINES, type MachineName } from '../../analysis/guest/layouts.ts';
import type { Host } from '../../analysis/host/host.ts';
import { isAmdHost } from '../../analysis/host/platforms.ts';
import { formatExactSize } from '../../iova/format.ts';
import { type ParseResult, parseRange, parseSize } from '../../iova/parse.ts';
import type { IovaRange } from '../../iova/range.ts';
import type { GuestChoice } from '../protocol/answers.ts';
import { layoutOf } from './own-guests.ts';

export type GuestResult =
  | { readonly ok: true; readonly guest: GuestLayout }
  | { readonly ok: false; readonly message: string };

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

/** The words of an entry that can belong to its bounds: numbers, units and separators. */
const BOUNDS_WORD = /^(?:[\d@+–.-]|[a-f]+$|[KMGTPE]?i?B?$)/i;

/** Splits `0x0 2G ram pc.ram` into its range and the words after it. */
function customRange(entry: string): { readonly parsed: ParseResult<IovaRange>; readonly rest: readonly string[] } {
  const words = entry.split(/\s+/);
  const other = words.findIndex((word, i) => i > 0 && !BOUNDS_WORD.test(word));
  const bounds = other < 0 ? words.length : other;
  // The longest prefix that parses as a range: a name may look like a number.
  for (let count = bounds; count > 0; count--) {
    const parsed = parseRange(words.slice(0, count).join(' '));
    if (parsed.ok) return { parsed, rest: words.slice(count) };
  }
  return { parsed: parseRange(words.slice(0, bounds).join(' ')), rest: [] };
}

/**
 * Custom ranges, one per line or separated by commas: `0x0-0x7fffffff`, `1G@4G`, `0x40000000+4G`, `0x0 2G`, each optionally
 * followed by a type and a name (default: `ram`).
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

/** The vendor of the hosts' CPUs, if their IOMMUs show it; undefined if they differ. */
export function vendorOf(hosts: Iterable<Parameters<typeof isAmdHost>[0] & Pick<Host, 'iommus'>>): string | undefined {
  const vendors = new Set<string>();
  for (const host of hosts) {
    if (isAmdHost(host)) vendors.add('amd');
    for (const { driver } of host.iommus) if (driver === 'intel' || driver === 'amd') vendors.add(driver);
  }
  const [vendor] = vendors;
  return vendors.size === 1 ? vendor : undefined;
}

/** The guest of a definition. `vendor`: that of the host's CPU, used if the definition names none. */
export function definedGuest(definition: GuestDefinition, vendor?: string): GuestResult {
  const result = memoryOf(definition, { vendor });
  return result.ok
    ? { ok: true, guest: guestOfMemory(result.memory, definition) }
    : { ok: false, message: result.message };
}

/** The chosen guest. `hosts`: by document id. */
export function chosenGuest(choice: GuestChoice, hosts: ReadonlyMap<string, { readonly host: Host }>): GuestResult {
  switch (choice.kind) {
    case 'definition':
      return definedGuest(choice.definition, vendorOf([...hosts.values()].map(({ host }) => host)));
    case 'machine':
      return isMachineName(choice.machine)
        ? machineGuest(choice.machine, choice.ram)
        : { ok: false, message: `"${choice.machine}" is not a known machine` };
    case 'document': {
      const host = hosts.get(choice.id)?.host;
      const guest = host?.guests.find(({ source }) => source === choice.guest);
      return guest
        ? { ok: true, guest: layoutOf(guest) }
        : { ok: false, message: `no open document contains a guest layout "${choice.guest}"` };
    }
    case 'none':
      return { ok: false, message: 'no guest is chosen' };
    case 'ranges':
      return customGuest(choice.text);
  }
}

/**
 * Parses a guest: `q35:8G` is one of the page's machines, `pc-q35-7.2:16G,vendor=amd` a definition. Undefined for a text of
 * another form, which may be the name of a file.
 */
export function parseGuest(text: string): ParsedGuest | undefined {
  const colon = text.indexOf(':');
  if (colon < 1) return undefined;
  const name = text.slice(0, colon);
  if (isMachineName(name) && !text.includes(',')) {
    const ram = parseSize(text.slice(colon + 1));
    if (!ram.ok) return { ok: false, message: ram.error.message };
    const made = machineGuest(name, ram.value);
    return made.ok ? { ok: true, choice: { kind: 'machine', machine: name, ram: ram.value } } : made;
  }
  if (!/^[A-Za-z][\w.+-]*(?:,[^:/]*)?$/.test(name)) return undefined;
  const parsed = parseGuestText(text);
  if (!parsed.ok) return parsed;
  const made = definedGuest(parsed.definition);
  return made.ok
    ? { ok: true, choice: { kind: 'definition', definition: parsed.definition } }
    : { ...made, isReadable: true };
}

export type ParsedGuest =
  | { readonly ok: true; readonly choice: GuestChoice }
  /** `isReadable`: the text is a definition, but the layout of the guest cannot be computed. */
  | { readonly ok: false; readonly message: string; readonly isReadable?: boolean };

/** The chosen guest, or why it cannot be tried. */
export function guestOf(
  documents: ReadonlyMap<string, { readonly host: Host }>,
  choice: GuestChoice | undefined,
): { readonly guest?: GuestLayout; readonly problem?: string } {
  if (!choice || choice.kind === 'none') return {};
  const found = chosenGuest(choice, documents);
  return found.ok ? { guest: found.guest } : { problem: found.message };
}
