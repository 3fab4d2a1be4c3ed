import { LESSON_NAMES, lessonText } from '../lessons/built-in.ts';
import { checkLesson, type LessonReport } from '../lessons/check-lesson.ts';
import { compileLesson } from '../lessons/compile.ts';
import type { Choice, LessonBlock, LessonOperation, LessonStep } from '../lessons/lesson.ts';
import { lessonName, orderProblems } from '../lessons/order.ts';
import { practiceSheet } from '../lessons/practice.ts';
import { PRACTICE_KINDS, parsePracticeName } from '../lessons/practice-name.ts';
import { readLesson } from '../lessons/read-lesson.ts';
import { lastOperation, shownChoices } from '../lessons/reading.ts';
import { printAnswer } from '../operation-lines/answers.ts';
import { nearestWord } from '../operation-lines/nearest.ts';
import { writeEvent, writeSession } from '../session/write.ts';
import { parseCommandArgs } from './args.ts';
import { inputName, readInput } from './input.ts';
import { type CliIo, type Command, type ExitCode, unusable } from './io.ts';

const HELP = `usage: iovascope lesson list [--json]
       iovascope lesson check FILE… [--json]
       iovascope lesson show FILE [--step N]
       iovascope lesson session FILE
       iovascope lesson sheet practice-SEED[-KIND…] [--answers]

Lessons are Markdown files with operations, predictions and questions; docs/lessons.md describes
the format. FILE is a file, - for standard input, or the name of a built-in lesson; check also
takes folders; practice-SEED is ten exercises generated from a number, always the same for the
same number;
practice-SEED-KIND… has only some kinds (${PRACTICE_KINDS.join(', ')}).

  list      print the built-in lessons
  check     run lessons and print each problem with file, line and reason: unknown words, answers
            that the model does not give, questions without a right choice, names after 'after:'
            that no lesson has; of a folder all lessons that are in it
  show      print a lesson, or one of its steps, as text
  session   print the session file that a lesson compiles to
  sheet     print exercises as Markdown, for paper

  --step N  the step to print, counted from 1
  --json    print one JSON object per line
  --answers the sheet with the answers at its end

Exit code 0: done; 1: check found problems; 2: usage error or unusable input.`;

const VERBS = ['list', 'check', 'show', 'session', 'sheet'] as const;
type Verb = (typeof VERBS)[number];

interface Source {
  readonly name: string;
  /** Absent for a lesson that is built in, and for standard input. */
  readonly path?: string | undefined;
  readonly text: string;
}

/** The text of a lesson: a file, or a built-in lesson if there is no such file; a string says why there is none. */
async function load(path: string, io: CliIo): Promise<Source | string> {
  const name = path.replace(/\.md$/, '');
  const read = await readInput(path, io);
  if (read.ok) {
    try {
      return {
        name: inputName(path),
        path: path === '-' ? undefined : path,
        text: new TextDecoder('utf-8', { fatal: true }).decode(read.bytes),
      };
    } catch {
      return `${inputName(path)}: not a text in UTF-8`;
    }
  }
  const text = await lessonText(path);
  if (text !== undefined) return { name: path, text };
  const nearest = /[/\\]/.test(path) ? undefined : nearestWord(name, LESSON_NAMES);
  return nearest === undefined ? read.message : `${read.message}; did you mean the lesson '${nearest}'?`;
}

async function list(asJson: boolean, io: CliIo): Promise<ExitCode> {
  const width = Math.max(...LESSON_NAMES.map((name) => name.length));
  for (const name of LESSON_NAMES) {
    const { head, steps } = readLesson((await lessonText(name)) ?? '').lesson;
    if (asJson) {
      const { title, model, kernel, audience, minutes, after } = head;
      io.stdout(`${JSON.stringify({ name, title, model, kernel, audience, minutes, after, steps: steps.length })}\n`);
    } else {
      const minutes = head.minutes === undefined ? '' : `${head.minutes} min`;
      io.stdout(`${name.padEnd(width)}  ${minutes.padStart(6)}  ${head.title}\n`);
    }
  }
  return 0;
}

/** The Markdown files in a folder, README.md excepted, in order; undefined if there is no such folder. */
async function lessonFiles(folder: string, io: CliIo): Promise<string[] | undefined> {
  try {
    const names = await io.readFolder(folder);
    const files = names.filter((name) => /\.md$/i.test(name) && !/^readme\.md$/i.test(name)).sort();
    return files.map((name) => (folder === '.' ? name : `${folder.replace(/\/$/, '')}/${name}`));
  } catch {
    // Why it cannot be read is reported when it is read as a file.
    return undefined;
  }
}

/** Names of the lessons that may come before one of these: those that are checked with it, or are in its folder. */
async function knownLessons(sources: readonly Source[], io: CliIo): Promise<string[]> {
  const folders = sources.flatMap(({ path }) => (path === undefined ? [] : [path.replace(/[^/\\]*$/, '') || '.']));
  const beside: string[] = [];
  for (const folder of new Set(folders)) beside.push(...((await lessonFiles(folder, io)) ?? []));
  return [...LESSON_NAMES, ...sources.map(({ name }) => name), ...beside].map(lessonName);
}

async function check(sources: readonly Source[], asJson: boolean, io: CliIo): Promise<ExitCode> {
  let operations = 0;
  let count = 0;
  const known = await knownLessons(sources, io);
  for (const { name, text } of sources) {
    const report: LessonReport = checkLesson(text);
    const order = orderProblems(report.lesson.head, lessonName(name), known);
    const problems = [...report.problems, ...order].sort((a, b) => a.line - b.line);
    operations += report.operations;
    count += problems.length;
    for (const { line, message } of problems) {
      io.stdout(asJson ? `${JSON.stringify({ file: name, line, message })}\n` : `${name}:${line}: ${message}\n`);
    }
  }
  const lessons = sources.length;
  const totals = [
    `${lessons} ${lessons === 1 ? 'lesson' : 'lessons'}`,
    `${operations} ${operations === 1 ? 'operation' : 'operations'}`,
    `${count} ${count === 1 ? 'problem' : 'problems'}`,
  ];
  io.stdout(asJson ? `${JSON.stringify({ lessons, operations, problems: count })}\n` : `${totals.join(', ')}\n`);
  return count > 0 ? 1 : 0;
}

/** Choices by their texts: the order of the file may have the right one first. */
function listed(choices: readonly Choice[]): string[] {
  return shownChoices(choices).map(({ text }) => `  - ${text}`);
}

/** The lines of a block. `hidden`: an operation whose answer is to be predicted. */
function blockLines(block: LessonBlock, hidden: LessonOperation | undefined): string[] {
  switch (block.kind) {
    case 'text':
    case 'code':
      return block.text.split('\n');
    case 'facts':
      return block.events.map(({ event }) => `  ${writeEvent(event)}`);
    case 'ops':
      return block.operations.map((operation) => {
        const { text, expect } = operation;
        return `  ${text}${expect && operation !== hidden ? `  => ${printAnswer(expect)}` : ''}`;
      });
    case 'predict':
      return ['Predict:', ...listed(block.choices)];
    case 'question': {
      const { text, choices, answer } = block.question;
      const typed = answer
        ? [`  (type ${answer.kind === 'address' || answer.kind === 'operation' ? 'an' : 'a'} ${answer.kind})`]
        : [];
      return [`Question: ${text}`, ...listed(choices), ...typed];
    }
    default:
      return [];
  }
}

function stepText({ title, blocks }: LessonStep, i: number, count: number): string {
  const isPredicted = blocks.some(({ kind }) => kind === 'predict');
  const hidden = isPredicted ? lastOperation(blocks) : undefined;
  const parts = blocks.map((block) => blockLines(block, hidden).join('\n')).filter((part) => part !== '');
  return [`${i + 1}/${count}  ${title}`, ...parts].join('\n\n');
}

function show({ name, text }: Source, step: string | undefined, io: CliIo): ExitCode {
  const { lesson, problems } = readLesson(text);
  const { steps } = lesson;
  const last = steps.length;
  const number = step === undefined ? undefined : Number(step);
  if (number !== undefined && !(/^\d+$/.test(step ?? '') && number >= 1 && number <= last)) {
    return unusable(io, `lesson show: --step '${step}': ${name} has ${last === 0 ? 'no steps' : `steps 1 to ${last}`}`);
  }
  for (const { line, message } of problems) io.stderr(`${name}:${line}: warning: ${message}\n`);
  const shown = [...steps.entries()].filter(([i]) => number === undefined || i === number - 1);
  const texts = shown.map(([i, one]) => stepText(one, i, last));
  io.stdout(`${(number === undefined ? [lesson.head.title, ...texts] : texts).join('\n\n\n')}\n`);
  return 0;
}

function session({ name, text }: Source, io: CliIo): ExitCode {
  const { lesson, problems } = readLesson(text);
  for (const { line, message } of problems) io.stderr(`${name}:${line}: warning: ${message}\n`);
  io.stdout(writeSession(compileLesson(lesson).session));
  return 0;
}

function sheet([name, ...more]: readonly string[], hasAnswers: boolean, io: CliIo): ExitCode {
  const practice = name === undefined ? undefined : parsePracticeName(name);
  if (!practice || more.length > 0) {
    const found = name === undefined ? '' : `, found '${[name, ...more].join(' ')}'`;
    const kinds = `kinds: ${PRACTICE_KINDS.join(', ')}`;
    return unusable(io, `lesson sheet: expected practice-SEED[-KIND…] with a number below 2^32, ${kinds}${found}`);
  }
  const { exercises, answers } = practiceSheet(practice);
  io.stdout(hasAnswers ? `${exercises}\n${answers}` : exercises);
  return 0;
}

async function run(args: readonly string[], io: CliIo): Promise<ExitCode> {
  const parsed = parseCommandArgs(args, {
    step: { type: 'string' },
    json: { type: 'boolean' },
    answers: { type: 'boolean' },
  });
  if (!parsed.ok) return unusable(io, `lesson: ${parsed.message}`);
  const [word, ...paths] = parsed.positionals;
  const { step, json, answers } = parsed.values;
  const verb: Verb | undefined = VERBS.find((known) => known === word);
  if (verb === undefined) {
    const nearest = word === undefined ? undefined : nearestWord(word, VERBS);
    const hint = nearest === undefined ? '' : `; did you mean '${nearest}'?`;
    return unusable(
      io,
      `lesson: expected list, check, show, session or sheet${word === undefined ? '' : `, found '${word}'`}${hint}`,
    );
  }
  if (step !== undefined && verb !== 'show') return unusable(io, `lesson ${verb}: --step belongs to lesson show`);
  if (json === true && verb !== 'check' && verb !== 'list') return unusable(io, `lesson ${verb}: --json is not known`);
  if (answers === true && verb !== 'sheet') return unusable(io, `lesson ${verb}: --answers belongs to lesson sheet`);
  if (verb === 'sheet') return sheet(paths, answers === true, io);
  if (verb === 'list') {
    return paths.length > 0 ? unusable(io, 'lesson list: takes no file') : list(json === true, io);
  }
  if (paths.length === 0) return unusable(io, `lesson ${verb}: no file given; use - for standard input`);
  if (verb !== 'check' && paths.length > 1) return unusable(io, `lesson ${verb}: takes one file`);
  if (paths.filter((path) => path === '-').length > 1) {
    return unusable(io, `lesson ${verb}: standard input can be read only once`);
  }
  // All are read before the first is run, so that an unusable one is reported before pages of results.
  const sources: Source[] = [];
  const files: string[] = [];
  for (const path of paths) {
    const inside = verb === 'check' && path !== '-' ? await lessonFiles(path, io) : undefined;
    if (inside?.length === 0) return unusable(io, `lesson check: ${path}: no lessons in this folder (files NAME.md)`);
    files.push(...(inside ?? [path]));
  }
  for (const path of files) {
    const source = await load(path, io);
    if (typeof source === 'string') return unusable(io, `lesson ${verb}: ${source}`);
    sources.push(source);
  }
  const [first] = sources;
  if (verb === 'check') return check(sources, json === true, io);
  if (!first) return 2;
  return verb === 'show' ? show(first, step, io) : session(first, io);
}

export const LESSON: Command = { help: HELP, run };
