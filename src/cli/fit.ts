import type { NextDma } from '../analysis/space/next-dma.ts';
import { formatSize, groupedDecimal, hex } from '../iova/format.ts';
import { parseAddress, parseSize } from '../iova/parse.ts';
import { type NextDmaOptions, nextDma } from '../lib/dma.ts';
import { type Fit, type FitOptions, fit as findFit } from '../lib/fit.ts';
import { kernelProblem, parseCommandArgs } from './args.ts';
import { GUEST_HELP, guestOf } from './guest-option.ts';
import { type CliIo, type Command, type ExitCode, unusable } from './io.ts';
import { exitWith, openFiles } from './open-files.ts';

const HELP = `usage: iovascope fit FILE… --size S [--align A] [--at IOVA] [--guest G]
                     [--kernel V] [--json]
       iovascope fit FILE… --dma [--device BDF] [--mask BITS] [--size S] [--kernel V] [--json]

Would a range of this size fit into the I/O address space that the files describe (shared by
all groups), and where? If not: what blocks it, and the largest range that would fit.
See "iovascope help inspect" for what can be read.

  --size S   bytes: 4096, 64K, 1.5G
  --align A  alignment of the start, a power of two; default: the page size of the address space
  --at IOVA  the start address; default: anywhere
  --guest G  in addition to the memory of this guest:
${GUEST_HELP}
  --dma      where the kernel's own DMA API puts the next buffers of a device, and how it chooses
             the addresses (for host drivers, not for guests)
  --device BDF, --mask BITS
             with --dma: the device, and its address bits (default: 64)
  --kernel V answer by the rules of this kernel version, such as 6.1; default: that of the dumps
  --json     one JSON object per line, for each address space

Exit code 0: it fits (in every address space); 1: it does not; 2: usage error, some input could
not be read, or the usable ranges are unknown.`;

const OPTIONS = {
  size: { type: 'string' },
  align: { type: 'string' },
  at: { type: 'string' },
  guest: { type: 'string' },
  dma: { type: 'boolean' },
  device: { type: 'string' },
  mask: { type: 'string' },
  kernel: { type: 'string' },
  json: { type: 'boolean' },
} as const;

/** Parses the question; a string is what is wrong with it. */
function questionOf(values: {
  readonly size?: string;
  readonly align?: string;
  readonly at?: string;
}): FitOptions | string {
  if (values.size === undefined) return '--size is required';
  const size = parseSize(values.size);
  if (!size.ok) return `--size '${values.size}': ${size.error.message}`;
  if (size.value === 0n) return `--size '${values.size}': expected at least one byte`;
  const align = values.align === undefined ? undefined : parseSize(values.align);
  if (align && !align.ok) return `--align '${values.align}': ${align.error.message}`;
  const alignment = align?.value;
  if (alignment !== undefined && (alignment === 0n || (alignment & (alignment - 1n)) !== 0n)) {
    return `--align '${values.align}': expected a power of two`;
  }
  const question = { size: size.value, ...(alignment === undefined ? {} : { alignment }) };
  if (values.at === undefined) return question;
  const at = parseAddress(values.at);
  return at.ok ? { ...question, at: at.value } : `--at '${values.at}': ${at.error.message}`;
}

function jsonLine(answer: Fit): string {
  const { space, fits, isApertureKnown, places, morePlaces, sideBySide, largest, problem, obstacles } = answer;
  return JSON.stringify({
    space,
    fits,
    aperture_known: isApertureKnown,
    places: places.map(({ start, last, highestStart, free }) => ({
      start: hex(start),
      last: hex(last),
      highest_start: hex(highestStart),
      free: { start: hex(free.start), last: hex(free.last) },
    })),
    ...(morePlaces > 0 ? { more_places: morePlaces } : {}),
    side_by_side: hex(sideBySide),
    ...(largest ? { largest: { size: hex(largest.size), start: hex(largest.start) } } : {}),
    ...(problem === undefined ? {} : { problem }),
    blocked_by: obstacles.map(({ start, last, kind, text, owners }) => ({
      start: hex(start),
      last: hex(last),
      kind,
      text,
      owners,
    })),
  });
}

function plainLines(answer: Fit, { size, at }: FitOptions): string[] {
  const { space, fits, alignment, places, morePlaces, sideBySide, largest, obstacles, problem } = answer;
  const what = `${formatSize(size)}${at === undefined ? '' : ` at ${hex(at)}`}`;
  const lines = [`${space}: ${what} ${fits ? 'fits' : 'does not fit'}`];
  if (problem === 'misaligned') lines.push(`  the address is not aligned to ${hex(alignment)}`);
  else if (problem) lines.push('  the range would end above 0xffffffffffffffff');
  for (const { start, last, highestStart, free } of places) {
    const range = `${hex(start)}-${hex(last)}`;
    const steps = highestStart > start ? `, or every ${hex(alignment)} up to ${hex(highestStart)}` : '';
    lines.push(`  ${range}${steps}, in ${hex(free.start)}-${hex(free.last)}`);
  }
  if (morePlaces > 0) lines.push(`  and ${morePlaces} more`);
  if (fits && at === undefined) lines.push(`  side by side: up to ${groupedDecimal(sideBySide)} fit`);
  for (const { start, last, text } of obstacles) lines.push(`  blocked by: ${hex(start)}-${hex(last)} ${text}`);
  if (!fits) {
    const where = at === undefined ? '' : ' from there';
    lines.push(
      largest
        ? `  largest that fits${where}: ${formatSize(largest.size)} (${hex(largest.size)}) at ${hex(largest.start)}`
        : '  nothing fits',
    );
  }
  return lines;
}

interface DmaValues {
  readonly size?: string;
  readonly mask?: string;
  readonly device?: string;
  readonly kernel?: string;
  readonly align?: string;
  readonly at?: string;
}

/** Parses the question of --dma; a string is what is wrong with it. */
function dmaQuestionOf(values: DmaValues): NextDmaOptions | string {
  if (values.align !== undefined || values.at !== undefined) return '--align and --at cannot be used with --dma';
  const size = parseSize(values.size ?? '4K');
  if (!size.ok) return `--size '${values.size}': ${size.error.message}`;
  if (size.value === 0n || size.value >> 64n !== 0n) return `--size '${values.size}': expected 1 to 2^64 - 1 bytes`;
  const bits = Number(values.mask ?? '64');
  if (!Number.isInteger(bits) || bits < 12 || bits > 64) {
    return `--mask '${values.mask}': expected a number of address bits, 12 to 64`;
  }
  return kernelProblem(values.kernel) ?? { size: size.value, bits, device: values.device, kernel: values.kernel };
}

function dmaLines({ space, addresses, steps, assumed }: NextDma, { size, device }: NextDmaOptions): string[] {
  const what = `${formatSize(size)}${device === undefined ? '' : ` for ${device}`}`;
  return [
    addresses.length === 0
      ? `${space}: no room for ${what}`
      : `${space}: ${what}: ${addresses.map(hex).join(', then ')}`,
    ...steps.map((step) => `  ${step}`),
    ...assumed.map((text) => `  assumed: ${text}`),
  ];
}

/** Answers --dma. */
async function runDma(
  question: NextDmaOptions,
  files: readonly string[],
  isJson: boolean,
  io: CliIo,
): Promise<ExitCode> {
  const opened = await openFiles(files, io);
  if (!opened.ok) return unusable(io, `fit: ${opened.message}`);
  let answers: readonly NextDma[];
  try {
    answers = nextDma(opened.dumps, question);
  } catch (error) {
    if (error instanceof RangeError) return unusable(io, `fit: ${error.message}`);
    throw error;
  }
  if (answers.length === 0) return unusable(io, `fit: ${files.join(', ')}: no host with groups or an IOMMU`);
  const lines = answers.flatMap((answer) =>
    isJson ? [JSON.stringify({ ...answer, addresses: answer.addresses.map(hex) })] : dmaLines(answer, question),
  );
  io.stdout(`${lines.join('\n')}\n`);
  return exitWith(answers.every(({ addresses }) => addresses.length > 0) ? 0 : 1, 'fit', opened.unread, io);
}

async function run(args: readonly string[], io: CliIo): Promise<ExitCode> {
  const parsed = parseCommandArgs(args, OPTIONS);
  if (!parsed.ok) return unusable(io, `fit: ${parsed.message}`);
  const { values, positionals } = parsed;
  if (positionals.length === 0) return unusable(io, 'fit: no file given; use - for standard input');
  if (values.dma === true) {
    const dma = dmaQuestionOf(values);
    return typeof dma === 'string' ? unusable(io, `fit: ${dma}`) : runDma(dma, positionals, values.json === true, io);
  }
  const onlyDma = (['device', 'mask'] as const).find((name) => values[name] !== undefined);
  if (onlyDma !== undefined) return unusable(io, `fit: --${onlyDma} needs --dma`);
  const question = questionOf(values);
  if (typeof question === 'string') return unusable(io, `fit: ${question}`);
  const wrongKernel = kernelProblem(values.kernel);
  if (wrongKernel !== undefined) return unusable(io, `fit: ${wrongKernel}`);
  const opened = await openFiles(positionals, io);
  if (!opened.ok) return unusable(io, `fit: ${opened.message}`);
  const guest = values.guest === undefined ? undefined : await guestOf(values.guest, io);
  if (typeof guest === 'string') return unusable(io, `fit: --guest ${guest}`);
  const answers = await findFit(opened.dumps, {
    ...question,
    kernel: values.kernel,
    ...(guest ? { guest: guest.guest, guestName: guest.name } : {}),
  });
  if (answers.length === 0) {
    const files = positionals.join(', ');
    return unusable(io, `fit: ${files}: nothing says what is usable (no reserved regions, no valid ranges)`);
  }
  const lines = answers.flatMap((answer) => (values.json === true ? [jsonLine(answer)] : plainLines(answer, question)));
  io.stdout(`${lines.join('\n')}\n`);
  return exitWith(answers.every(({ fits }) => fits) ? 0 : 1, 'fit', opened.unread, io);
}

export const FIT: Command = { help: HELP, run };
