// Reads lessons from Markdown (docs/lessons.md). What cannot be parsed is reported with its line, and the rest is read.
import { parseRange, parseSize } from '../iova/parse.ts';
import type { IovaRange } from '../iova/range.ts';
import { MODEL_NAMES } from '../kernel/models.ts';
import { parseKernelVersion } from '../kernel/versions.ts';
import { parseAnswer } from '../operation-lines/answers.ts';
import { nearestWord } from '../operation-lines/nearest.ts';
import { parseOperationLine, splitExpectation } from '../operation-lines/parse.ts';
import { parseEventLine } from '../session/event-line.ts';
import type { SessionEvent } from '../session/events.ts';
import { LANE_KINDS } from '../timeline/lanes/kinds.ts';
import {
  ANSWER_KINDS,
  type CheckLine,
  type Choice,
  type Lesson,
  type LessonBlock,
  type LessonHead,
  type LessonOperation,
  type LessonProblem,
  type LessonStep,
  type LessonView,
  type Question,
  SHOWN_KEYS,
  type ShownLines,
  VIEW_SCALES,
  VIEW_TABS,
} from './lesson.ts';

export interface ReadLesson {
  readonly lesson: Lesson;
  readonly problems: readonly LessonProblem[];
}

const HEAD_KEYS = [
  'title',
  'model',
  'kernel',
  'audience',
  'minutes',
  'after',
  'memlock',
  'page_size',
  'huge_page_size',
];
const SIZE_KEYS = ['memlock', 'page_size', 'huge_page_size'] as const;
const VIEW_KEYS = ['range', 'scale', 'lanes', 'tab', 'selection', ...SHOWN_KEYS];
/** View keys with any number of values. */
const LIST_KEYS: readonly string[] = ['lanes', ...SHOWN_KEYS];
/** The kinds of lanes of the picture. */
const LANES: readonly string[] = LANE_KINDS;
const LINE_KEYS = ['view', 'predict', 'question', 'answer'];
const FENCES = ['ops', 'facts', 'check'];
const HEADING = /^#{1,6}\s+(.*?)\s*#*\s*$/;

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** `; did you mean 'x'?` if one of the words is similar, otherwise the list of known words. */
export function hint(word: string, words: readonly string[]): string {
  const nearest = nearestWord(word, words);
  return nearest === undefined ? `; known: ${words.join(', ')}` : `; did you mean '${nearest}'?`;
}

class LessonReader {
  readonly #lines: readonly string[];
  readonly #problems: LessonProblem[] = [];
  #at = 0;
  /** The model of the front matter: operations are parsed for it. */
  #model: string | undefined;

  constructor(text: string) {
    this.#lines = text.replace(/^\ufeff/, '').split(/\r\n|\r|\n/);
  }

  read(): ReadLesson {
    const head = this.#head();
    this.#model = head.model;
    const steps = this.#steps(head);
    if (steps.length === 0)
      this.#problem(this.#lines.length, "a lesson needs a step: a heading such as '## An empty space'");
    this.#problems.sort((a, b) => a.line - b.line);
    return { lesson: { head, steps }, problems: this.#problems };
  }

  #problem(line: number, message: string): void {
    this.#problems.push({ line, message });
  }

  /** The line that is read, counted from 1. */
  get #number(): number {
    return this.#at + 1;
  }

  get #line(): string | undefined {
    return this.#lines[this.#at];
  }

  #head(): LessonHead {
    const head: Mutable<LessonHead> = { title: '' };
    while (this.#line?.trim() === '') this.#at++;
    if (this.#line?.trim() !== '---') {
      this.#problem(
        this.#number,
        "expected front matter: '---', then lines such as 'title: What an aperture is', then '---'",
      );
      return head;
    }
    const opened = this.#number;
    this.#at++;
    const seen = new Set<string>();
    let last: string | undefined;
    for (; this.#line !== undefined && this.#line.trim() !== '---'; this.#at++) {
      const line = this.#line;
      if (line.trim() === '' || line.startsWith('#')) continue;
      const item = /^\s*- (.*)$/.exec(line)?.[1];
      if (item !== undefined && last === 'after') {
        this.#addAfter(head, [item.trim()]);
        continue;
      }
      // The end of the front matter was forgotten.
      if (/^\s*(?:```|- )/.test(line)) break;
      const [, key, value] = /^\s*([\w-]+)\s*:\s*(.*?)\s*$/.exec(line) ?? [];
      if (key === undefined || value === undefined) {
        this.#problem(this.#number, "expected a line such as 'title: What an aperture is'");
      } else if (!HEAD_KEYS.includes(key)) {
        this.#problem(this.#number, `unknown key '${key}' in the front matter${hint(key, HEAD_KEYS)}`);
      } else if (seen.has(key)) this.#problem(this.#number, `'${key}' is there twice`);
      else {
        seen.add(key);
        last = key;
        this.#headValue(head, key, value.replace(/^(["'])(.*)\1$/, '$2'));
      }
    }
    if (this.#line?.trim() === '---') this.#at++;
    else this.#problem(opened, "the front matter has no end: a line '---' is missing");
    if (head.title === '') this.#problem(opened, "the front matter has no 'title'");
    return head;
  }

  #addAfter(head: Mutable<LessonHead>, names: readonly string[]): void {
    head.after = [...(head.after ?? []), ...names];
    head.afterLines = [...(head.afterLines ?? []), ...names.map(() => this.#number)];
  }

  #headValue(head: Mutable<LessonHead>, key: string, value: string): void {
    const sizeKey = SIZE_KEYS.find((known) => known === key);
    // The names may follow as a list.
    if (key === 'after' && value === '') return;
    if (value === '') this.#problem(this.#number, `'${key}' has no value`);
    else if (sizeKey !== undefined) {
      const size = parseSize(value);
      if (!size.ok) this.#problem(this.#number, `${key}: '${value}': ${size.error.message}`);
      else if (sizeKey !== 'memlock' && (size.value === 0n || (size.value & (size.value - 1n)) !== 0n)) {
        this.#problem(this.#number, `${key}: '${value}' is not a power of two`);
      } else head[sizeKey] = size.value;
    } else if (key === 'minutes') {
      if (/^\d{1,4}$/.test(value)) head.minutes = Number(value);
      else this.#problem(this.#number, `minutes: expected a whole number, found '${value}'`);
    } else if (key === 'model') {
      if (MODEL_NAMES.includes(value)) head.model = value;
      else this.#problem(this.#number, `unknown model '${value}'${hint(value, MODEL_NAMES)}`);
    } else if (key === 'kernel') {
      if (parseKernelVersion(value)) head.kernel = value;
      else this.#problem(this.#number, `kernel: expected a version such as 6.1 or 6.12.42, found '${value}'`);
    } else if (key === 'after') {
      const names = value.replace(/^\[(.*)\]$/, '$1').split(/[\s,]+/);
      this.#addAfter(
        head,
        names.filter((name) => name !== ''),
      );
    } else if (key === 'title') head.title = value;
    else head.audience = value;
  }

  #steps(head: LessonHead): LessonStep[] {
    const steps: Mutable<LessonStep & { blocks: LessonBlock[] }>[] = [];
    let blocks: LessonBlock[] | undefined;
    let text: string[] = [];
    const flush = () => {
      const joined = text.join('\n').trim();
      text = [];
      if (joined === '') return;
      // What is before the first heading introduces the lesson.
      if (!blocks) {
        blocks = [];
        steps.push({ line: this.#number, title: head.title, blocks });
      }
      blocks.push({ kind: 'text', text: joined });
    };
    const add = (block: LessonBlock | undefined) => {
      flush();
      if (!block) return;
      if (!blocks) {
        blocks = [];
        steps.push({ line: this.#number, title: head.title, blocks });
      }
      blocks.push(block);
    };
    while (this.#line !== undefined) {
      const line = this.#line;
      const heading = HEADING.exec(line)?.[1];
      const fence = /^(`{3,}|~{3,})\s*(\S*)/.exec(line);
      const [, key, value = ''] = /^([a-z]+):(?:\s+(.*))?$/.exec(line) ?? [];
      if (heading !== undefined) {
        flush();
        blocks = [];
        steps.push({ line: this.#number, title: heading, blocks });
        this.#at++;
        const at = this.#at;
        while (this.#line?.trim() === '') this.#at++;
        if (this.#line === undefined || HEADING.test(this.#line)) {
          this.#problem(at, `step '${heading}' is empty: write something below the heading, or remove it`);
        }
      } else if (fence) add(this.#fenced(fence[1] ?? '', fence[2] ?? '', blocks));
      else if (key === 'view') {
        add(this.#view(value));
      } else if (key === 'predict') add(this.#predict(value));
      else if (key === 'question') add(this.#question(value));
      else {
        if (key !== undefined) this.#unknownKey(key);
        text.push(line);
        this.#at++;
      }
    }
    flush();
    return steps;
  }

  /** Reports a key that resembles one of a lesson's keys; anything else is text. */
  #unknownKey(key: string): void {
    if (key === 'answer') {
      this.#problem(this.#number, "'answer:' must follow 'question:'");
      return;
    }
    const nearest = nearestWord(key, LINE_KEYS);
    const block = FENCES.includes(key) ? key : nearestWord(key, FENCES);
    if (nearest !== undefined) this.#problem(this.#number, `unknown key '${key}'; did you mean '${nearest}'?`);
    else if (block !== undefined) {
      this.#problem(this.#number, `unknown key '${key}'; did you mean a block that begins with '\`\`\`${block}'?`);
    }
  }

  /** The lines of a fenced block, each with its number. Continues after the block. */
  #fencedLines(fence: string): CheckLine[] {
    const opened = this.#number;
    const lines: CheckLine[] = [];
    for (this.#at++; this.#line !== undefined; this.#at++) {
      const end = /^(`{3,}|~{3,})\s*$/.exec(this.#line)?.[1];
      if (end?.startsWith(fence)) {
        this.#at++;
        return lines;
      }
      lines.push({ line: this.#number, text: this.#line });
    }
    this.#problem(opened, `the block has no end: a line '${fence}' is missing`);
    return lines;
  }

  #fenced(fence: string, language: string, blocks: LessonBlock[] | undefined): LessonBlock | undefined {
    const start = this.#number;
    const lines = this.#fencedLines(fence);
    if (language === 'ops') return { kind: 'ops', operations: this.#operations(lines) };
    if (language === 'facts') return { kind: 'facts', events: this.#facts(lines) };
    if (language === 'check') {
      const check = contentOf(lines);
      if (check.length === 0) this.#problem(start, 'the check block is empty');
      const last = blocks?.at(-1);
      if (last?.kind !== 'question' || last.question.check) return { kind: 'check', check };
      blocks?.splice(-1, 1, { kind: 'question', question: { ...last.question, check } });
      return undefined;
    }
    const nearest = language === '' ? undefined : nearestWord(language, FENCES);
    if (nearest !== undefined) this.#problem(start, `unknown block '${language}'; did you mean '${nearest}'?`);
    return { kind: 'code', language, text: lines.map(({ text }) => text).join('\n') };
  }

  #operations(lines: readonly CheckLine[]): LessonOperation[] {
    return contentOf(lines).flatMap(({ line, text }): LessonOperation[] => {
      const read = readOperation(text, this.#model);
      for (const message of read.problems) this.#problem(line, message);
      return read.operation ? [{ ...read.operation, line }] : [];
    });
  }

  #facts(lines: readonly CheckLine[]): { line: number; event: SessionEvent }[] {
    return contentOf(lines).flatMap(({ line, text }) => {
      const { event, problem } = parseEventLine(text);
      if (problem) this.#problem(line, problem.message);
      else if (!('kind' in event))
        this.#problem(line, "expected a fact with 'kind'; operations belong into a block 'ops'");
      return problem || !('kind' in event) ? [] : [{ line, event }];
    });
  }

  /** `range A-B, scale fold`, `range=A-B scale=fold`, or one part per indented line. */
  #view(value: string): LessonBlock {
    const view: Mutable<LessonView> = {};
    this.#viewParts(view, value);
    const shownLines: Mutable<ShownLines> = {};
    const noteLines = () => {
      for (const key of SHOWN_KEYS) if (view[key]) shownLines[key] ??= this.#number;
    };
    noteLines();
    let count = value.trim() === '' ? 0 : 1;
    for (this.#at++; value.trim() === '' && /^\s+\S/.test(this.#line ?? ''); this.#at++) {
      this.#viewParts(view, (this.#line ?? '').replace(/^\s+(?:[-*] )?/, ''));
      noteLines();
      count++;
    }
    if (count === 0) this.#problem(this.#at, `view: expected one of ${VIEW_KEYS.join(', ')}`);
    return { kind: 'view', view, ...(view.spaces || view.groups ? { shownLines } : {}) };
  }

  #viewParts(view: Mutable<LessonView>, text: string): void {
    const parts: { key: string; values: string[] }[] = [];
    const cleaned = text.replace(/\s*[-–]\s+(?=0x)|\s+[-–](?=0x)/gi, '-');
    for (const word of cleaned.split(/[\s,;]+/).filter((item) => item !== '')) {
      const [, named, rest = ''] = /^(\w+)[=:](.*)$/.exec(word) ?? [];
      const part = parts.at(-1);
      const needsMore = part !== undefined && (part.values.length === 0 || LIST_KEYS.includes(part.key));
      if (named !== undefined) parts.push({ key: named, values: rest === '' ? [] : [rest] });
      else if (VIEW_KEYS.includes(word) || !needsMore) parts.push({ key: word, values: [] });
      else part.values.push(word);
    }
    for (const { key, values } of parts) {
      const wrong = this.#viewValue(view, key, values.join(' '));
      if (wrong !== undefined) this.#problem(this.#number, `view: ${wrong}`);
    }
  }

  /** Sets one part of a view; returns what is wrong with it. */
  #viewValue(view: Mutable<LessonView>, key: string, value: string): string | undefined {
    if (!VIEW_KEYS.includes(key)) return `unknown key '${key}'${hint(key, VIEW_KEYS)}`;
    if (value === '') return `'${key}' has no value`;
    if (key === 'range' || key === 'selection') {
      const range = viewRange(value);
      if (typeof range === 'string') return `${key} '${value}': ${range}`;
      view[key] = range;
    } else if (key === 'scale') {
      const scale = VIEW_SCALES.find((known) => known === value);
      if (scale === undefined) return `unknown scale '${value}'${hint(value, VIEW_SCALES)}`;
      view.scale = scale;
    } else if (key === 'tab') {
      const tab = VIEW_TABS.find((known) => known === value);
      if (tab === undefined) return `unknown tab '${value}'${hint(value, VIEW_TABS)}`;
      view.tab = tab;
    } else if (key === 'spaces' || key === 'groups') {
      // Which ones exist is known when the lesson runs: `check-lesson.ts` reports unknown names.
      view[key] = value.split(/[\s+]+/);
    } else {
      const lanes = value.split(/[\s+]+/);
      const unknown = lanes.find((lane) => !LANES.includes(lane));
      if (unknown !== undefined) return `unknown lane '${unknown}'${hint(unknown, LANES)}`;
      view.lanes = lanes;
    }
    return undefined;
  }

  /** The items of a list at the place, behind blank lines; the place is behind it afterwards. */
  #choices(): Choice[] {
    const choices: Choice[] = [];
    let ahead = this.#at;
    while (this.#lines[ahead]?.trim() === '') ahead++;
    if (!ITEM.test(this.#lines[ahead] ?? '')) return choices;
    for (this.#at = ahead; this.#line !== undefined; this.#at++) {
      const item = ITEM.exec(this.#line);
      if (!item) break;
      choices.push(choiceOf(item[1] ?? '', this.#number));
    }
    return choices;
  }

  #predict(value: string): LessonBlock {
    const line = this.#number;
    this.#at++;
    const inline = inlineChoices(value).map((item) => choiceOf(item, line));
    const choices = inline.length > 0 ? inline : this.#choices();
    if (choices.length < 2) this.#problem(line, 'a prediction needs at least two choices, one on each line: - -EINVAL');
    return { kind: 'predict', line, choices };
  }

  #question(value: string): LessonBlock {
    const line = this.#number;
    this.#at++;
    const words = [value];
    // The question may go on in the next lines.
    while (this.#line !== undefined && /^(?![`~#]|answer:|[-*+] |\d+[.)] )\S/.test(this.#line)) {
      words.push(this.#line.trim());
      this.#at++;
    }
    const text = words.join(' ').trim();
    if (text === '') this.#problem(line, 'the question has no text');
    let ahead = this.#at;
    while (this.#lines[ahead]?.trim() === '') ahead++;
    const typed = /^answer:\s*(\S*)\s*(.*?)\s*$/.exec(this.#lines[ahead] ?? '');
    if (!typed) {
      const choices = this.#choices();
      if (choices.length < 2) this.#problem(line, "a question needs at least two choices, or a line 'answer: address'");
      return { kind: 'question', question: { line, text, choices } };
    }
    this.#at = ahead + 1;
    const [, word = '', sample = ''] = typed;
    const kind = ANSWER_KINDS.find((known) => known === word);
    if (kind === undefined) {
      this.#problem(
        this.#at,
        `answer: expected address, range or operation, found '${word}'${hint(word, ANSWER_KINDS)}`,
      );
      return { kind: 'question', question: { line, text, choices: [] } };
    }
    const answer: Question['answer'] = { kind, line: this.#at, ...(sample === '' ? {} : { sample }) };
    return { kind: 'question', question: { line, text, choices: [], answer } };
  }
}

/** Choices in one line, separated by `|`, by `;`, by `/` or by commas: by the first of these that is there. */
function inlineChoices(value: string): string[] {
  const body = value.replace(/^\[(.*)\]$/, '$1').trim();
  const separator = ['|', ';', '/', ','].find((mark) => body.includes(mark));
  const items = separator === undefined ? [body] : body.split(separator);
  return items.map((item) => item.trim()).filter((item) => item !== '');
}

/** An item of a Markdown list, with or without a number. */
const ITEM = /^\s*(?:[-*+]|\d+[.)])\s+(\S.*?)\s*$/;

function choiceOf(item: string, line: number): Choice {
  const [, mark, rest = item] = /^\[([ xX])\]\s+(.*)$/.exec(item) ?? [];
  const [, text = rest, reason] = /^(.+?):\s+(.+)$/.exec(rest) ?? [];
  return {
    line,
    text: text.replace(/^`(.*)`$/, '$1'),
    ...(reason === undefined ? {} : { reason }),
    ...(mark === undefined ? {} : { marked: mark !== ' ' }),
  };
}

/** Lines that are neither blank nor comments. */
function contentOf(lines: readonly CheckLine[]): CheckLine[] {
  return lines.filter(({ text }) => !/^\s*(?:#|$)/.test(text));
}

function viewRange(text: string): IovaRange | string {
  const range = parseRange(text);
  if (range.ok) return range.value;
  return range.error.code === 'too-large'
    ? 'outside of the address space, which ends at 0xffffffffffffffff'
    : range.error.message;
}

export interface ReadOperation {
  /** Absent if the line is no operation. */
  readonly operation?: Omit<LessonOperation, 'line'>;
  readonly problems: readonly string[];
}

/** Reads an operation with what is expected of it: `map a any 4K r => 0x1000`. */
export function readOperation(line: string, model: string | undefined): ReadOperation {
  const split = splitExpectation(line);
  const parsed = parseOperationLine(split.operation, { model });
  if (!parsed.ok) return { problems: [parsed.mistake.message] };
  const { operation } = parsed;
  const text = split.operation.trim();
  if (!split.answer) return { operation: { text, operation }, problems: [] };
  const answer = parseAnswer(split.answer.text, operation.op);
  if (!answer.ok) return { operation: { text, operation }, problems: [`after '=>': ${answer.mistake.message}`] };
  return { operation: { text, operation, expect: answer.answer }, problems: [] };
}

/** Reads a lesson. Never throws: what is wrong is in `problems`, by line, and the rest is in `lesson`. */
export function readLesson(text: string): ReadLesson {
  return new LessonReader(text).read();
}
