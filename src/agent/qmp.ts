// A running guest, watched through the QMP socket of its QEMU: its name, its state, and its memory layout as facts that
// hold while it runs. Sends only the queries of qmp-channel.ts, which only read.
import { basename } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import * as v from 'valibot';
import { openInputs } from '../dumps/input/open.ts';
import { MTREE } from '../dumps/registry.ts';
import { formatSize } from '../iova/format.ts';
import type { FactOf } from '../session/events.ts';
import { isFact } from '../session/events.ts';
import { guestSource } from '../session/guest-source.ts';
import { writeEvent } from '../session/write.ts';
import { type QmpAnswer, QmpChannel, type QmpProblem, type Question } from './qmp-channel.ts';

/** Ranges of one guest; more are dropped. */
const RANGES_MAX = 50_000;

export interface QmpTimings {
  /** Pauses before connecting again, in milliseconds: the first, doubled up to the longest. */
  readonly firstPause: number;
  readonly longestPause: number;
  /** From one round of queries to the next. */
  readonly every: number;
  readonly answersWithin: number;
}

const DEFAULT_TIMINGS: QmpTimings = { firstPause: 500, longestPause: 5_000, every: 5_000, answersWithin: 10_000 };

export interface QmpEvents {
  /** All facts that hold for the guest now, as lines of a session file; earlier ones that are not among them no longer hold. */
  facts(lines: readonly string[]): void;
  /** A message for the terminal. */
  log(message: string): void;
}

const NAME = v.object({ name: v.optional(v.string()) });
const STATUS = v.object({ status: v.string() });
const bytes = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const MEMORY = v.object({ 'base-memory': bytes, 'plugged-memory': v.optional(bytes) });

type Severity = FactOf<'diagnostic'>['severity'];

/** Watches one guest from `start` to `end`, reconnecting as needed. */
export class QmpGuest {
  readonly #path: string;
  readonly #events: QmpEvents;
  readonly #timings: QmpTimings;
  readonly #ending = new AbortController();
  #channel: QmpChannel | undefined;
  #running: Promise<void> = Promise.resolve();
  /** The guest's name; if it has none, the socket's. */
  #title: string;
  /** The last layout, parsed: it rarely changes. */
  #layout: { readonly source: string; readonly text: string; readonly lines: readonly string[] } | undefined;
  #logged = '';

  constructor(path: string, events: QmpEvents, timings: Partial<QmpTimings> = {}) {
    this.#path = path;
    this.#events = events;
    this.#timings = { ...DEFAULT_TIMINGS, ...timings };
    this.#title = basename(path);
  }

  start(): void {
    this.#running = this.#run();
  }

  /** Stops watching; resolves when nothing more is reported. */
  async end(): Promise<void> {
    this.#ending.abort();
    this.#channel?.close();
    await this.#running;
  }

  get #isEnded(): boolean {
    return this.#ending.signal.aborted;
  }

  get #source(): string {
    return guestSource(this.#title);
  }

  /** Waits, but not longer than until the end. */
  async #pause(milliseconds: number): Promise<void> {
    await sleep(milliseconds, undefined, { signal: this.#ending.signal }).catch(() => undefined);
  }

  async #run(): Promise<void> {
    let pause = this.#timings.firstPause;
    while (!this.#isEnded) {
      const channel = new QmpChannel(this.#path, this.#timings.answersWithin);
      this.#channel = channel;
      const problem = await this.#watch(channel, () => {
        pause = this.#timings.firstPause;
      });
      channel.close();
      await channel.closed;
      if (this.#isEnded) return;
      // Without QEMU no fact about the guest holds.
      this.#layout = undefined;
      const message = `${this.#path}: ${problem.message}`;
      this.#events.facts([this.#diagnostic('warning', `qmp-${problem.code}`, message)]);
      this.#log(message);
      await this.#pause(pause);
      pause = Math.min(pause * 2, this.#timings.longestPause);
    }
  }

  /** Logs a message unless it was the last one too. */
  #log(message: string): void {
    if (message !== this.#logged) this.#events.log(message);
    this.#logged = message;
  }

  /** Queries in rounds until the connection is closed; returns why. `onRound` is called after each round. */
  async #watch(channel: QmpChannel, onRound: () => void): Promise<QmpProblem> {
    const greeting = await channel.greeting();
    if (!greeting.ok) return greeting;
    const capabilities = await channel.ask('capabilities');
    if (!capabilities.ok) return capabilities;
    for (;;) {
      const lines = await this.#round(channel);
      if (!Array.isArray(lines)) return lines;
      if (this.#isEnded) return { ok: false, code: 'closed', message: 'stopped' };
      this.#events.facts(lines);
      onRound();
      this.#log(`${this.#path}: watching the guest '${this.#title}'`);
      await Promise.race([this.#pause(this.#timings.every), channel.closed]);
    }
  }

  /** One round of questions: the facts, or what ended the connection. */
  async #round(channel: QmpChannel): Promise<string[] | QmpProblem> {
    const answers = new Map<Question, QmpAnswer>();
    for (const question of ['name', 'status', 'memory', 'mtree'] as const) {
      const answer = await channel.ask(question);
      if (!answer.ok && answer.code !== 'refused' && answer.code !== 'too-large') return answer;
      answers.set(question, answer);
    }
    const lines: string[] = [];
    /** The answer to a query if it has the expected form. Older versions of QEMU refuse some queries. */
    const read = <S extends v.GenericSchema>(question: Question, schema: S): v.InferOutput<S> | undefined => {
      const answer = answers.get(question);
      if (!answer) return undefined;
      if (!answer.ok) {
        const isOptional = answer.code === 'refused' && question !== 'mtree';
        if (!isOptional)
          lines.push(this.#diagnostic('warning', `qmp-${answer.code}`, `${question}: ${answer.message}`));
        return undefined;
      }
      const parsed = v.safeParse(schema, answer.value);
      if (parsed.success) return parsed.output;
      lines.push(this.#diagnostic('warning', 'qmp-malformed', `${question}: unexpected answer`));
      return undefined;
    };
    this.#title = (read('name', NAME)?.name ?? basename(this.#path)).slice(0, 100);
    const status = read('status', STATUS)?.status;
    const memory = read('memory', MEMORY);
    if (status !== undefined) lines.push(this.#diagnostic('info', 'qmp-guest', statusMessage(status, memory)));
    const text = read('mtree', v.string());
    if (text !== undefined) for (const line of await this.#read(text)) lines.push(line);
    return lines;
  }

  /** The facts of `info mtree -f`. */
  async #read(text: string): Promise<readonly string[]> {
    const source = this.#source;
    if (this.#layout?.source === source && this.#layout.text === text) return this.#layout.lines;
    const lines = new Set<string>();
    let isCut = false;
    const input = {
      name: source,
      async *stream() {
        yield new TextEncoder().encode(text);
      },
    };
    await openInputs([input], {
      formats: [MTREE],
      onEvents: (batch) => {
        for (const event of batch) {
          if (!isFact(event)) continue;
          if (lines.size >= RANGES_MAX) isCut = true;
          // The text is not kept, so its line numbers mean nothing.
          else lines.add(writeEvent({ ...event, line: undefined }));
        }
      },
    });
    if (isCut)
      lines.add(this.#diagnostic('warning', 'qmp-too-large', `more than ${RANGES_MAX} ranges; the rest is dropped`));
    this.#layout = { source, text, lines: [...lines] };
    return this.#layout.lines;
  }

  #diagnostic(severity: Severity, code: string, message: string): string {
    return writeEvent({ kind: 'diagnostic', severity, code, message, source: this.#source });
  }
}

function statusMessage(status: string, memory: v.InferOutput<typeof MEMORY> | undefined): string {
  const state = `the guest is ${status.slice(0, 40)}`;
  if (!memory) return state;
  const plugged = memory['plugged-memory'] ?? 0;
  const more = plugged > 0 ? ` and ${formatSize(BigInt(plugged))} plugged in` : '';
  return `${state}, with ${formatSize(BigInt(memory['base-memory']))} of memory${more}`;
}
