import type { SpaceFit } from '../engine/protocol/answers.ts';
import type { Params } from '../engine/protocol/methods.ts';
import { formatSize, groupedDecimal, hex } from '../iova/format.ts';
import { parseAddress, parseSize } from '../iova/parse.ts';
import { parseVerbArgs } from './args.ts';
import { engineWith, keysOf, openDocument } from './documents.ts';
import { type CliIo, type ExitCode, unusable, type Verb } from './io.ts';

const HELP = `usage: iovascope fit FILE… --size S [--align A] [--at IOVA] [--json]

Would a range of this size fit into the I/O address space that the files describe, all groups
together in one, and where; else what stands in the way and the largest that would fit.
Files as for “inspect”.

  --size S   bytes: 4096, 64K, 1.5G
  --align A  a power of two that the start must be a multiple of; 1 if not given
  --at IOVA  the start, if it is not free to choose
  --json     one answer a line, for each address space

Exit code 0: it fits (in every address space); 1: it does not; 2: a file cannot be read,
nothing in it says what is usable, or the call is unusable.`;

const OPTIONS = {
  size: { type: 'string' },
  align: { type: 'string' },
  at: { type: 'string' },
  json: { type: 'boolean' },
} as const;

type Question = Params<'fit'>;

/** Reads the question; a string is what is wrong with it. */
function questionOf(values: {
  readonly size?: string;
  readonly align?: string;
  readonly at?: string;
}): Question | string {
  if (values.size === undefined) return '--size is missing';
  const size = parseSize(values.size);
  if (!size.ok) return `--size “${values.size}”: ${size.error.message}`;
  if (size.value === 0n) return `--size “${values.size}”: expected at least one byte`;
  const align = parseSize(values.align ?? '1');
  if (!align.ok) return `--align “${values.align}”: ${align.error.message}`;
  const alignment = align.value;
  if (alignment === 0n || (alignment & (alignment - 1n)) !== 0n) {
    return `--align “${values.align}”: expected a power of two`;
  }
  if (values.at === undefined) return { size: size.value, alignment };
  const at = parseAddress(values.at);
  return at.ok ? { size: size.value, alignment, at: at.value } : `--at “${values.at}”: ${at.error.message}`;
}

function jsonLine(answer: SpaceFit, { size }: Question): string {
  const { space, fits, places, placesMore, together, largest, blockers, fault } = answer;
  return JSON.stringify({
    space,
    fits,
    places: places.map(({ first, last, free }) => ({
      start: hex(first),
      last: hex(first + size - 1n),
      highest_start: hex(last),
      free: [hex(free.start), hex(free.last)],
    })),
    ...(placesMore > 0 ? { more_places: placesMore } : {}),
    side_by_side: hex(together),
    ...(largest ? { largest: { size: hex(largest.size), start: hex(largest.start) } } : {}),
    ...(fault === undefined ? {} : { fault }),
    in_the_way: blockers.map(({ start, last, message }) => ({ start: hex(start), last: hex(last), message })),
  });
}

const FAULTS = {
  misaligned: 'the address is not a multiple of the alignment',
  'past-the-end': 'the range would run past 0xffffffffffffffff',
} as const;

function plainLines(answer: SpaceFit, { size, alignment, at }: Question): string[] {
  const { space, fits, places, placesMore, together, largest, blockers, fault } = answer;
  const what = `${formatSize(size)}${at === undefined ? '' : ` at ${hex(at)}`}`;
  const lines = [`${space}: ${what} ${fits ? 'fits' : 'does not fit'}`];
  if (fault) lines.push(`  ${FAULTS[fault]}`);
  for (const { first, last, free } of places) {
    const range = `${hex(first)}-${hex(first + size - 1n)}`;
    const on = last > first ? `, and on every ${hex(alignment)} up to ${hex(last)}` : '';
    lines.push(`  ${range}${on}, in ${hex(free.start)}-${hex(free.last)}`);
  }
  if (placesMore > 0) lines.push(`  and ${placesMore} more`);
  if (fits && at === undefined) lines.push(`  side by side: ${groupedDecimal(together)}`);
  for (const blocker of blockers)
    lines.push(`  in the way: ${hex(blocker.start)}-${hex(blocker.last)} ${blocker.message}`);
  if (!fits) {
    lines.push(
      largest
        ? `  the largest that fits${at === undefined ? '' : ' from there'}: ${formatSize(largest.size)} (${hex(largest.size)}) at ${hex(largest.start)}`
        : '  nothing fits',
    );
  }
  return lines;
}

async function run(args: readonly string[], io: CliIo): Promise<ExitCode> {
  const parsed = parseVerbArgs(args, OPTIONS);
  if (!parsed.ok) return unusable(io, `fit: ${parsed.message}`);
  const { values, positionals } = parsed;
  if (positionals.length === 0) return unusable(io, 'fit: a file is missing; - is standard input');
  const question = questionOf(values);
  if (typeof question === 'string') return unusable(io, `fit: ${question}`);
  const opened = await openDocument('host', positionals, io);
  if (!opened.ok) return unusable(io, `fit: ${opened.message}`);
  const ask = engineWith([opened.document]);
  await ask('arrange', { selectedGroups: keysOf(opened.document).all, expanded: [], scale: 'linear' });
  const answers = await ask('fit', question);
  if (answers.length === 0) {
    return unusable(
      io,
      `fit: ${positionals.join(', ')}: nothing in it says what is usable (no reserved regions, no ranges)`,
    );
  }
  const lines = answers.flatMap((answer) =>
    values.json === true ? [jsonLine(answer, question)] : plainLines(answer, question),
  );
  io.stdout(`${lines.join('\n')}\n`);
  return answers.every(({ fits }) => fits) ? 0 : 1;
}

export const FIT: Verb = { help: HELP, run };
