// The guest that is tried, as the `guest` key of a link has it.

import type { GuestDefinition } from '../../analysis/guest/guest-memory.ts';
import { hex } from '../../iova/format.ts';
import { writeEvent } from '../../session/write.ts';
import { parseGuest } from '../picture/guests.ts';
import type { GuestChoice } from '../protocol/answers.ts';

const UNITS: readonly (readonly [string, bigint])[] = [
  ['T', 1n << 40n],
  ['G', 1n << 30n],
  ['M', 1n << 20n],
  ['K', 1n << 10n],
];

function sizeText(bytes: bigint): string {
  const unit = UNITS.find(([, size]) => bytes > 0n && bytes % size === 0n);
  return unit ? `${bytes / unit[1]}${unit[0]}` : hex(bytes);
}

function definitionText({ machine, ram, options = {}, ...rest }: GuestDefinition): string {
  const settings: readonly (readonly [string, string | number | undefined])[] = [
    ['vendor', rest.vendor],
    ['cpu', rest.cpu],
    ['phys-bits', rest.phys_bits],
    ['maxmem', rest.max_ram === undefined ? undefined : sizeText(rest.max_ram)],
    ['slots', rest.slots],
    ['accel', rest.accelerator],
    ['version', rest.version],
    ['arch', rest.arch],
    ['name', rest.name],
    ...Object.entries(options),
  ];
  const written = settings.flatMap(([name, value]) => (value === undefined ? [] : [`${name}=${value}`]));
  return [`${machine}:${sizeText(ram ?? 0n)}`, ...written].join(',');
}

const written = (definition: GuestDefinition) => {
  const { options = {}, assigned = [], form: _form, ...rest } = definition;
  const fact = { kind: 'machine' as const, ...rest, options, assigned };
  return writeEvent(Object.fromEntries(Object.entries(fact).sort(([a], [b]) => (a < b ? -1 : 1))) as typeof fact);
};

/** `q35:8G`; undefined for a guest that cannot be written in one line. */
export function guestValue(choice: GuestChoice): string | undefined {
  if (choice.kind === 'machine') return `${choice.machine}:${sizeText(choice.ram)}`;
  if (choice.kind !== 'definition') return undefined;
  const text = definitionText(choice.definition);
  const parsed = parseGuest(text);
  const isSame =
    parsed?.ok === true &&
    parsed.choice.kind === 'definition' &&
    written(parsed.choice.definition) === written(choice.definition);
  return isSame ? text : undefined;
}
