// For tests: makes inputs from text and bytes, and prints facts in a short form.
import { expect } from 'vitest';
import { type Fact, isFact } from '../../session/events.ts';
import { writeEvent } from '../../session/write.ts';
import type { DumpFormat, LineFormat, LineParser } from '../format.ts';
import type { SourceSummary } from '../input/collector.ts';
import type { DumpEvent } from '../input/event-queue.ts';
import { type DumpInput, openInputs } from '../input/open.ts';
import { FORMATS } from '../registry.ts';

const TIMES = Math.max(1, Number(process.env.FUZZ_RUNS) || 1);
/** True in `npm run test:long`, which also runs the repetitive parts that are shortened or left out elsewhere. */
export const IS_LONG = TIMES > 1;
/** Timeout for properties that `fuzzRuns` makes slow, in milliseconds; only an endless loop takes this long. */
export const FUZZ_TIMEOUT = 120_000 * TIMES;

/** Options for a property that runs `numRuns` times; FUZZ_RUNS=50 in the environment makes it 50 times as many. */
export function fuzzRuns(numRuns: number): { readonly numRuns: number } {
  return { numRuns: numRuns * TIMES };
}

/**
 * The first lines of a text, or all of them in `npm run test:long`. In a table of thousands of rows the first hundreds are
 * enough.
 */
export function firstLines(text: string, max: number): string {
  return IS_LONG ? text : text.split('\n').slice(0, max).join('\n');
}

/** An input with this content, delivered in chunks of `chunk` bytes. */
export function inputOf(name: string, content: string | Uint8Array, chunk = 65_536): DumpInput {
  const bytes = typeof content === 'string' ? new TextEncoder().encode(content) : content;
  return {
    name,
    size: bytes.length,
    async *stream() {
      for (let at = 0; at < bytes.length; at += chunk) yield bytes.subarray(at, at + chunk);
    },
  };
}

export interface Opened {
  readonly events: readonly DumpEvent[];
  readonly facts: readonly Fact[];
  readonly sources: readonly SourceSummary[];
}

/** Opens the inputs with these formats; by default with those of the registry. */
export async function openAll(inputs: readonly DumpInput[], formats = FORMATS): Promise<Opened> {
  const events: DumpEvent[] = [];
  const { sources } = await openInputs(inputs, { formats, onEvents: (batch) => events.push(...batch) });
  return { events, facts: events.filter(isFact), sources };
}

/** The formats with changed line parsers. */
export function withParsers(change: (parser: LineParser, format: LineFormat) => LineParser): DumpFormat[] {
  return FORMATS.map((format) =>
    format.kind === 'lines' ? { ...format, load: async () => change(await format.load(), format) } : format,
  );
}

/** The formats, which are offered every line. */
export const OFFERED_ALL: readonly DumpFormat[] = FORMATS.map((format) =>
  format.kind === 'lines' ? { ...format, interest: { ...format.interest, shapes: [/^/] } } : format,
);

/** Codes that depend on which lines interest a format. */
const OF_INTEREST: readonly string[] = ['nothing-recognized', 'damaged-number', 'repaired-number'];

/** The facts that must be the same regardless of which lines the formats are offered. */
export function ofAnyInterest(facts: readonly Fact[]): Fact[] {
  return facts.filter((fact) => fact.kind !== 'diagnostic' || !OF_INTEREST.includes(fact.code));
}

/**
 * Opens a text. Also checks that no word is missing from a format's interest: the facts must be the same, in any order, when
 * the formats are offered every line (a reader may emit what it has buffered at the next line that it is offered).
 */
export async function openText(text: string, name = 'paste.txt', chunk?: number): Promise<Opened> {
  const opened = await openAll([inputOf(name, text, chunk)]);
  const offeredAll = await openAll([inputOf(name, text, chunk)], OFFERED_ALL);
  const sorted = ({ facts }: Opened) => ofAnyInterest(facts).map(writeEvent).sort();
  expect(sorted(opened), 'the interest of a format lacks a word of this text').toEqual(sorted(offeredAll));
  return opened;
}

/** Reserved regions in short: `7: fee00000-feefffff msi`, with the group or device, or `?`. */
export function regionsOf({ facts }: Pick<Opened, 'facts'>): string[] {
  return facts.flatMap((fact) => {
    if (fact.kind !== 'reserved') return [];
    const owner = [fact.group, fact.device].filter((part) => part !== undefined).join(' ');
    return [`${owner || '?'}: ${fact.start.toString(16)}-${fact.last.toString(16)} ${fact.type}`];
  });
}

/** Groups in short: `7 DMA: 0000:00:1f.0 0000:00:1f.2`. */
export function groupsOf({ facts }: Pick<Opened, 'facts'>): string[] {
  return facts.flatMap((fact) => {
    if (fact.kind !== 'group') return [];
    const name = fact.type === undefined ? fact.group : `${fact.group} ${fact.type}`;
    return [`${name}: ${fact.devices.join(' ')}`];
  });
}

/** Faults in short: `0000:02:00.0 read fff01000 (PTE Read access is not set)`, with ` pasid 3` at the end if there is one. */
export function faultsOf({ facts }: Pick<Opened, 'facts'>): string[] {
  return facts.flatMap((fact) => {
    if (fact.kind !== 'fault') return [];
    const pasid = fact.pasid === undefined ? '' : ` pasid ${fact.pasid}`;
    return [`${fact.device ?? '?'} ${fact.access ?? '?'} ${fact.address.toString(16)} (${fact.reason ?? '?'})${pasid}`];
  });
}

/** Diagnostics in short: `error start-above-last 3`. */
export function diagnosticsOf({ facts }: Pick<Opened, 'facts'>): string[] {
  return facts.flatMap((fact) =>
    fact.kind === 'diagnostic' ? [`${fact.severity} ${fact.code} ${fact.line ?? '-'}`] : [],
  );
}

/** Guest definitions in short: `win11 qemu pc-q35-7.2 0x400000000: 0000:0b:00.0`, then the options. */
export function machinesOf({ facts }: Pick<Opened, 'facts'>): string[] {
  return facts.flatMap((fact) => {
    if (fact.kind !== 'machine') return [];
    const ram = fact.ram === undefined ? '?' : `0x${fact.ram.toString(16)}`;
    const options = Object.entries(fact.options ?? {}).map(([key, value]) => ` ${key}=${value}`);
    const assigned = (fact.assigned ?? []).map((device) => ` ${device}`);
    return [`${fact.name ?? '-'} ${fact.monitor} ${fact.machine} ${ram}:${assigned.join('')}${options.join('')}`];
  });
}

/** Devices in short: `0000:0b:00.0 NVIDIA GA104 (vfio-pci)`, `-` for no name. */
export function devicesOf({ facts }: Pick<Opened, 'facts'>): string[] {
  return facts.flatMap((fact) =>
    fact.kind === 'device'
      ? [`${fact.device} ${fact.name ?? '-'}${fact.driver === undefined ? '' : ` (${fact.driver})`}`]
      : [],
  );
}
