// Generates exercises from a seed: the same seed gives the same exercises, and the model gives the answers. The result is a
// lesson, which is shown and checked like any other, or a sheet to print.
import { hex, hexRange, shortExactSize } from '../iova/format.ts';
import { rangeOfBits } from '../iova/range.ts';
import type { KernelModel } from '../kernel/model.ts';
import { createModel } from '../kernel/models.ts';
import { answerOf } from '../kernel/replay/replay.ts';
import { printAnswer } from '../operation-lines/answers.ts';
import { parseOperationLine } from '../operation-lines/parse.ts';
import type { Practice, PracticeKind } from './practice-name.ts';

/** Number of exercises in a set. */
const EXERCISES = 10;

interface Exercise {
  readonly kind: PracticeKind;
  readonly question: string;
  /** Operations; the question is about the answer to the last one. */
  readonly lines: readonly string[];
  /** Operations that clean up, so that the picture shows only the next exercise. */
  readonly end: readonly string[];
  readonly choices: readonly string[];
  /** Index of the right choice. */
  readonly right: number;
  /** Why, if it is refused. */
  readonly reason: string | undefined;
}

interface PracticeSet {
  readonly model: string;
  readonly exercises: readonly Exercise[];
}

/** Numbers from a seed, 0 … 2^32−1: the same in every run (mulberry32, public domain). */
class Dice {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let t = this.#state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return (t ^ (t >>> 14)) >>> 0;
  }

  /** 0 … n−1. */
  below(n: number): number {
    return this.next() % n;
  }

  pick<T>(items: readonly [T, ...T[]]): T {
    return items[this.below(items.length)] ?? items[0];
  }

  shuffled<T>(items: readonly T[]): T[] {
    return items
      .map((item) => ({ item, key: this.next() }))
      .sort((a, b) => a.key - b.key)
      .map(({ item }) => item);
  }
}

const PAGE = 0x1000n;
const pages = (n: number) => BigInt(n) * PAGE;

/** An exercise before it is run: the setup, the operation that the question is about, and plausible wrong answers. */
interface Draft {
  readonly question: string;
  readonly setup: readonly string[];
  readonly last: string;
  readonly wrong: readonly string[];
}

/** The end of an attach line: an IOMMU with this many address bits. */
const behind = (n: number, bits: number) =>
  `iommu vtd${n}, aperture ${hexRange(rangeOfBits(bits))}, msi 0xfee00000-0xfeefffff`;

/** By model: the operations that create a space `name` and attach the device of exercise `n` behind such an IOMMU. */
const STARTS: Readonly<Record<string, (name: string, n: number, bits: number) => readonly string[]>> = {
  iommufd: (name, n, bits) => [`alloc ${name}`, `attach nic${n} to ${name}: ${behind(n, bits)}`],
  type1: (name, n, bits) => [`open ${name} type1v2`, `attach group ${n} to ${name}: ${behind(n, bits)}`],
};

/** By model: the operations that remove the space of exercise `n`. */
const ENDS: Readonly<Record<string, (name: string, n: number) => readonly string[]>> = {
  iommufd: (name, n) => [`detach nic${n}`, `destroy ${name}`],
  type1: (name, n) => [`detach group ${n} from ${name}`, `close ${name}`],
};

/** The first operations of an exercise, for an IOMMU with this many address bits. */
type Start = (bits: number) => readonly string[];

/** A map that meets an area, a reserved region, both, or neither. */
function overlap(dice: Dice, name: string, start: Start): Draft {
  const base = 0x100000n * BigInt(1 + dice.below(64));
  const length = pages(2 + dice.below(14));
  const at = dice.pick([base + length - PAGE, base + length, base - PAGE, 0xfee00000n - PAGE, 0xfef00000n]);
  const wanted = pages(1 + dice.below(2));
  return {
    question: 'Does this range overlap something?',
    setup: [...start(39), `map ${name} ${hex(base)} ${shortExactSize(length)} rw`],
    last: `map ${name} ${hex(at)} ${shortExactSize(wanted)} rw`,
    wrong: ['0', '-EEXIST', '-EINVAL', '-EADDRINUSE'],
  };
}

/** A map near the end of the aperture. */
function aperture(dice: Dice, name: string, start: Start): Draft {
  const bits = dice.pick([36, 39, 46, 48]);
  const end = 1n << BigInt(bits);
  const length = pages(1 + dice.below(16));
  const at = dice.pick([end - length, end - length + PAGE, end, end - pages(64)]);
  return {
    question: `The IOMMU translates ${bits} address bits. Is the range within them?`,
    setup: start(bits),
    last: `map ${name} ${hex(at)} ${shortExactSize(length)} rw`,
    wrong: ['0', '-EINVAL', '-EADDRINUSE', '-ENOSPC'],
  };
}

/** The kernel chooses an IOVA, or refuses one that is not aligned. */
function alignment(dice: Dice, name: string, start: Start, model: string): Draft {
  if (model !== 'iommufd') {
    const at = pages(1 + dice.below(256)) + dice.pick([0n, 0x800n]);
    const length = pages(1 + dice.below(8)) + dice.pick([0n, 0x200n]);
    return {
      question: 'Pages are 4 KiB. Is everything page-aligned?',
      setup: start(39),
      last: `map ${name} ${hex(at)} ${hex(length)} rw`,
      wrong: ['0', '-EINVAL', '-EOVERFLOW', '-EFAULT'],
    };
  }
  const length = dice.pick([0x10000n, 0x20000n, 0x100000n, 0x200000n]);
  const taken = length * BigInt(1 + dice.below(2));
  const after = taken + pages(1 + dice.below(3));
  const next = (at: bigint) => ((at + length - 1n) / length) * length;
  return {
    question: 'The kernel chooses the IOVA. Which one?',
    setup: [...start(39), `map ${name} ${hex(taken)} ${shortExactSize(after - taken)} rw`],
    // The answer depends on the alignment of the memory, so the address is given although it is the default.
    last: `map ${name} any ${shortExactSize(length)} r from 0x7f0000000000`,
    wrong: [0n, PAGE, after, length, next(after), next(after) + length].map((at) => `0, iova ${hex(at)}`),
  };
}

/** An unmap of a range with two mappings, which may cut one. */
function unmap(dice: Dice, name: string, start: Start): Draft {
  const base = 0x10000n * BigInt(1 + dice.below(64));
  const [first, second] = [pages(1 + dice.below(4)), pages(1 + dice.below(4))];
  const gap = pages(dice.below(3));
  const end = base + first + gap + second;
  const from = base + dice.pick([0n, 0n, PAGE]);
  const to = end - dice.pick([0n, 0n, PAGE]);
  const length = to > from ? to - from : PAGE;
  return {
    question: 'Two ranges are mapped. What does the unmap answer?',
    setup: [
      ...start(39),
      `map ${name} ${hex(base)} ${shortExactSize(first)} rw`,
      `map ${name} ${hex(base + first + gap)} ${shortExactSize(second)} rw`,
    ],
    last: `unmap ${name} ${hex(from)} ${shortExactSize(length)}`,
    wrong: ['-ENOENT', '-EINVAL', ...[first, first + second, length].map((n) => `0, unmapped ${hex(n)}`)],
  };
}

/** A map with two mistakes: the kernel checks one of them first. */
function order(dice: Dice, name: string, start: Start): Draft {
  const at = dice.pick([0xfee00800n, 0xfee00000n, 0xffff_ffff_ffff_f000n, 0x1000n]);
  const length = dice.pick([0x0n, 0x1000n, 0x2000n, 0x800n]);
  const flags = dice.pick(['rw', 'none', 'rw flags fixed read write dirty']);
  return {
    question: 'More than one thing may be wrong. Which errno comes first?',
    setup: [...start(39), `map ${name} 0x1000 4K rw`],
    last: `map ${name} ${hex(at)} ${hex(length)} ${flags}`,
    wrong: ['0', '-EINVAL', '-EOVERFLOW', '-EEXIST', '-EADDRINUSE', '-EOPNOTSUPP'],
  };
}

const MAKERS = { overlap, aperture, alignment, unmap, order };
const CHOICES = 4;

/** Runs a line. Returns the answer as text, and the reason if it is refused; undefined if the model cannot run it. */
function run(
  model: KernelModel,
  line: string,
): { readonly text: string; readonly reason: string | undefined } | undefined {
  const parsed = parseOperationLine(line, { model: model.name });
  if (!parsed.ok) return undefined;
  const outcome = model.apply(parsed.operation, 0);
  const answer = answerOf(outcome);
  return answer && { text: printAnswer(answer), reason: outcome.ok ? undefined : outcome.refusal?.message };
}

/** Runs a draft; undefined if its lines cannot be run. */
function exerciseOf(
  kind: PracticeKind,
  { question, setup, last, wrong }: Draft,
  model: KernelModel,
  dice: Dice,
): Omit<Exercise, 'end'> | undefined {
  for (const line of setup) if (!run(model, line)) return undefined;
  const got = run(model, last);
  if (!got) return undefined;
  // A choice is right if the answer has all of its fields: wrong ones must differ in the value that is returned.
  const isPlain = !wrong.some((text) => text.includes(','));
  const right = isPlain ? (got.text.split(',')[0] ?? got.text) : got.text;
  const others = [...new Set(wrong)].filter((text) => text !== right && text !== got.text);
  const choices = dice.shuffled([right, ...dice.shuffled(others).slice(0, CHOICES - 1)]);
  return { kind, question, lines: [...setup, last], choices, right: choices.indexOf(right), reason: got.reason };
}

/** The number of exercises of each kind; harder kinds may have one more. */
function counts(kinds: number): number[] {
  return Array.from({ length: kinds }, (_, i) => Math.floor((EXERCISES + i) / kinds));
}

/** The exercises for the newest kernel, easiest kind first. */
function practiceSet({ seed, kinds }: Practice): PracticeSet {
  const dice = new Dice(seed);
  const name = dice.pick(['iommufd', 'type1']);
  const made = createModel({}, name);
  if (!made.ok) throw new Error(made.message);
  const exercises: Exercise[] = [];
  const wanted = counts(kinds.length);
  for (const [k, kind] of kinds.entries()) {
    let count = 0;
    while (count < (wanted[k] ?? 0)) {
      const n = exercises.length + 1;
      const space = `${name === 'type1' ? 'c' : 'a'}${n}`;
      const start: Start = (bits) => STARTS[name]?.(space, n, bits) ?? [];
      // Discards the changes of a draft that cannot be run.
      const model = made.model.clone();
      const exercise = exerciseOf(kind, MAKERS[kind](dice, space, start, name), model, dice);
      if (!exercise) continue;
      exercises.push({ ...exercise, end: ENDS[name]?.(space, n) ?? [] });
      count++;
    }
  }
  return { model: name, exercises };
}

const TITLES: Readonly<Record<PracticeKind, string>> = {
  overlap: 'overlap',
  aperture: 'the aperture',
  alignment: 'alignment',
  unmap: 'unmap',
  order: 'the order of error codes',
};

function heading({ kind }: Exercise, i: number): string {
  return `## Exercise ${i + 1}: ${TITLES[kind]}`;
}

/** Exercises as the text of a lesson: each is a step with a prediction. */
export function practiceLesson(practice: Practice): string {
  const { model, exercises } = practiceSet(practice);
  const steps = exercises.map((exercise, i) => {
    const choices = exercise.choices.map((text) => `- ${text}`);
    return [
      heading(exercise, i),
      '',
      exercise.question,
      '',
      'predict:',
      '',
      ...choices,
      '',
      '```ops',
      ...(exercises[i - 1]?.end ?? []),
      ...exercise.lines,
      '```',
      '',
    ].join('\n');
  });
  return ['---', `title: Practice ${practice.seed}`, `model: ${model}`, '---', '', ...steps].join('\n');
}

/** Exercises as Markdown to print, and their answers with the reasons. */
export function practiceSheet(practice: Practice): { readonly exercises: string; readonly answers: string } {
  const { model, exercises } = practiceSet(practice);
  const letter = (i: number) => String.fromCharCode('a'.charCodeAt(0) + i);
  const body = exercises.flatMap((exercise, i) => [
    heading(exercise, i),
    '',
    '```',
    ...exercise.lines,
    '```',
    '',
    `${exercise.question} What is the answer to the last operation?`,
    '',
    ...exercise.choices.map((text, k) => `- ${letter(k)}) ${text}`),
    '',
  ]);
  const answers = exercises.map(
    ({ right, choices, reason }, i) =>
      `${i + 1}. ${letter(right)}) ${choices[right] ?? ''}${reason === undefined ? '' : `: ${reason}`}`,
  );
  const head = `Model ${model}, of the newest kernel. Each exercise starts with an empty address space.`;
  return {
    exercises: [`# Practice ${practice.seed}`, '', head, '', ...body].join('\n'),
    answers: ['## Answers', '', ...answers, ''].join('\n'),
  };
}
