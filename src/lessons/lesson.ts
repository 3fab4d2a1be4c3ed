// What a lesson is: front matter, then steps of blocks.
import type { IovaRange } from '../iova/range.ts';
import type { Answer, Operation, SessionEvent } from '../session/events.ts';

/** Something wrong in a lesson. The rest of it still works. */
export interface LessonProblem {
  /** Counted from 1. */
  readonly line: number;
  /** What is wrong and what was expected, without a full stop. */
  readonly message: string;
}

export interface LessonHead {
  readonly title: string;
  /** As in session headers. */
  readonly model?: string;
  readonly kernel?: string;
  readonly audience?: string;
  readonly minutes?: number;
  /** Names of lessons that should come before. */
  readonly after?: readonly string[];
  /** The line of each of these names. */
  readonly afterLines?: readonly number[];
  /** As in session headers, in bytes. */
  readonly memlock?: bigint;
  readonly page_size?: bigint;
  readonly huge_page_size?: bigint;
}

/** An operation of a lesson. */
export interface LessonOperation {
  readonly line: number;
  /** As written, without what is expected. */
  readonly text: string;
  readonly operation: Operation;
  readonly expect?: Answer;
}

/** A line of a check, which may have `$answer` in place of a value: it is an operation when an answer is put in. */
export interface CheckLine {
  readonly line: number;
  readonly text: string;
}

export interface LessonView {
  readonly range?: IovaRange;
  readonly scale?: (typeof VIEW_SCALES)[number];
  /** Kinds of lanes that are expanded. */
  readonly lanes?: readonly string[];
  readonly tab?: (typeof VIEW_TABS)[number];
  readonly selection?: IovaRange;
  /** Names of the address spaces of the session that are shown, and no others; `all` (ALL_SPACES) shows everything. */
  readonly spaces?: readonly string[];
  /** Numbers of the groups of the lesson's hosts that are shown, and no others. */
  readonly groups?: readonly string[];
}

/** Where a view chooses what is shown. */
export const SHOWN_KEYS = ['spaces', 'groups'] as const;
export type ShownLines = { readonly [K in (typeof SHOWN_KEYS)[number]]?: number };

/** In place of the names of address spaces: all of them, and the hosts of the lesson. */
export const ALL_SPACES = 'all';

export const VIEW_SCALES = ['fold', 'linear', 'log'] as const;
/** The tabs of the page below the picture. */
export const VIEW_TABS = ['table', 'events', 'questions', 'hosts', 'models', 'buffer', 'text', 'diagnostics'] as const;

export interface Choice {
  readonly line: number;
  readonly text: string;
  /** Shown after it was taken. */
  readonly reason?: string;
  /** True or false if the lesson marks choices with `[x]` and `[ ]`. */
  readonly marked?: boolean;
}

/** What somebody types as an answer. */
export const ANSWER_KINDS = ['address', 'range', 'operation'] as const;
export type AnswerKind = (typeof ANSWER_KINDS)[number];

export interface Question {
  readonly line: number;
  readonly text: string;
  readonly choices: readonly Choice[];
  /** Instead of choices; `sample` is an answer that is right. */
  readonly answer?: { readonly kind: AnswerKind; readonly sample?: string; readonly line: number };
  /** Absent if the question has no check block. */
  readonly check?: readonly CheckLine[];
}

export type LessonBlock =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'code'; readonly text: string; readonly language: string }
  | { readonly kind: 'facts'; readonly events: readonly { readonly line: number; readonly event: SessionEvent }[] }
  | { readonly kind: 'ops'; readonly operations: readonly LessonOperation[] }
  /** `shownLines`: the lines with the names of address spaces and groups, if the view has them. */
  | { readonly kind: 'view'; readonly view: LessonView; readonly shownLines?: ShownLines }
  /** About the last operation of its step: its answer is hidden until a choice is taken. */
  | { readonly kind: 'predict'; readonly line: number; readonly choices: readonly Choice[] }
  | { readonly kind: 'question'; readonly question: Question }
  /** A check without a question: what the model must answer at this place, without a trace in the session. */
  | { readonly kind: 'check'; readonly check: readonly CheckLine[] };

export interface LessonStep {
  readonly line: number;
  readonly title: string;
  readonly blocks: readonly LessonBlock[];
}

export interface Lesson {
  readonly head: LessonHead;
  readonly steps: readonly LessonStep[];
}
