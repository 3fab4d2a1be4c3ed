// One connection to the QMP socket of a running QEMU: its greeting, a fixed list of queries, their answers.
//
//   {"QMP":{…}}                           the greeting
//   {"execute":…,"id":I}                  a query, from here
//   {"return":…,"id":I}                   its answer
//   {"error":{"class":…,"desc":…},"id":I}
//   {"event":…,…}                         at any time; ignored
//
// One JSON object a line, or, where the monitor is set to be pretty, several lines from `{` to `}`. (QEMU's
// qmp-spec, 2.0 to 10)
import { createConnection, type Socket } from 'node:net';
import * as v from 'valibot';
import { LineReader } from './line-reader.ts';

/** Bytes of an answer; the layout of a guest with hundreds of devices takes a few MiB. */
const ANSWER_MAX = 16 << 20;
/** Lines from one query to the next, most of them events; with more, the connection is closed. */
const LINES_MAX = 10_000;

/**
 * Every text that is ever sent, complete: they only read, and nothing from elsewhere is put into one. Each has its own
 * name as its id.
 */
const QUESTIONS = {
  capabilities: '{"execute":"qmp_capabilities","id":"capabilities"}',
  name: '{"execute":"query-name","id":"name"}',
  status: '{"execute":"query-status","id":"status"}',
  memory: '{"execute":"query-memory-size-summary","id":"memory"}',
  mtree: '{"execute":"human-monitor-command","arguments":{"command-line":"info mtree -f"},"id":"mtree"}',
} as const;
export type Question = keyof typeof QUESTIONS;

export interface QmpProblem {
  readonly ok: false;
  /**
   * `refused`, `too-large`: concern this answer only. The others end the connection: `unreachable` `closed`
   * `silent` `malformed`.
   */
  readonly code: 'refused' | 'too-large' | 'unreachable' | 'closed' | 'silent' | 'malformed';
  /** For people; may quote QEMU. */
  readonly message: string;
}

export type QmpAnswer = { readonly ok: true; readonly value: unknown } | QmpProblem;

const MESSAGE = v.union([
  v.object({ QMP: v.object({}) }),
  v.object({ event: v.string() }),
  v.object({ error: v.object({ desc: v.optional(v.string()) }), id: v.optional(v.unknown()) }),
  v.object({ return: v.unknown(), id: v.optional(v.unknown()) }),
]);

const UNREACHABLE: Readonly<Record<string, string>> = {
  ENOENT: 'no such socket',
  ECONNREFUSED: 'no process listens on this socket',
  EACCES: 'no permission to open this socket',
};

export class QmpChannel {
  readonly #socket: Socket;
  readonly #answersWithin: number;
  readonly #reader = new LineReader((line) => this.#line(line), ANSWER_MAX);
  #waiting: { readonly what: Question | 'greeting'; readonly settle: (answer: QmpAnswer) => void } | undefined;
  #greeting: QmpAnswer | undefined;
  #timer: NodeJS.Timeout | undefined;
  /** Set once: nothing comes after it. */
  #over: QmpProblem | undefined;
  #lines = 0;
  /** Lines of an object that is spread over several. */
  #spread: string[] | undefined;
  #spreadLength = 0;
  readonly #closed: Promise<void>;

  /** Connects to a unix socket. `answersWithin` milliseconds for each answer. */
  constructor(path: string, answersWithin: number) {
    this.#answersWithin = answersWithin;
    let isConnected = false;
    this.#socket = createConnection({ path });
    this.#socket.on('connect', () => {
      isConnected = true;
    });
    this.#socket.on('data', (chunk: Uint8Array) => this.#read(chunk));
    this.#socket.on('error', (error: NodeJS.ErrnoException) => {
      this.#end(isConnected ? 'closed' : 'unreachable', UNREACHABLE[error.code ?? ''] ?? error.message);
    });
    this.#closed = new Promise((resolve) => {
      this.#socket.on('close', () => {
        this.#end('closed', 'QEMU has ended or closed the connection');
        resolve();
      });
    });
  }

  /** Resolves when the connection is closed, for whatever reason. */
  get closed(): Promise<void> {
    return this.#closed;
  }

  /** Waits for QEMU's greeting. */
  greeting(): Promise<QmpAnswer> {
    return this.#wait('greeting');
  }

  /** Sends a query; one at a time. */
  ask(question: Question): Promise<QmpAnswer> {
    if (!this.#over) this.#socket.write(`${QUESTIONS[question]}\n`);
    return this.#wait(question);
  }

  close(): void {
    this.#end('closed', 'closed here');
  }

  #wait(what: Question | 'greeting'): Promise<QmpAnswer> {
    this.#lines = 0;
    const known = this.#over ?? (what === 'greeting' ? this.#greeting : undefined);
    if (known) return Promise.resolve(known);
    return new Promise((settle) => {
      this.#waiting = { what, settle };
      this.#timer = setTimeout(() => {
        const seconds = this.#answersWithin / 1000;
        const why =
          what === 'greeting' ? ': a QMP socket serves one client at a time; another one may be connected' : '';
        this.#end('silent', `no ${what === 'greeting' ? what : 'answer'} within ${seconds} s${why}`);
      }, this.#answersWithin);
    });
  }

  #settle(answer: QmpAnswer): void {
    clearTimeout(this.#timer);
    const waiting = this.#waiting;
    this.#waiting = undefined;
    waiting?.settle(answer);
  }

  #end(code: QmpProblem['code'], message: string): void {
    this.#over ??= { ok: false, code, message };
    this.#socket.destroy();
    this.#settle(this.#over);
  }

  #read(chunk: Uint8Array): void {
    const { tooLong } = this.#reader;
    this.#reader.push(chunk);
    if (this.#reader.tooLong === tooLong || this.#over) return;
    // The id of a dropped answer is lost, but nothing else is that long.
    this.#settle({
      ok: false,
      code: 'too-large',
      message: `an answer of more than ${ANSWER_MAX >> 20} MiB was dropped`,
    });
  }

  #line(text: string): void {
    if (this.#over) return;
    if (++this.#lines > LINES_MAX) this.#end('malformed', `more than ${LINES_MAX} unsolicited messages`);
    else if (this.#spread) this.#more(this.#spread, text);
    else if (text === '{') {
      this.#spread = [text];
      this.#spreadLength = 0;
    } else if (text.trim() !== '') this.#message(text);
  }

  #more(lines: string[], text: string): void {
    lines.push(text);
    this.#lines--;
    this.#spreadLength += text.length;
    if (this.#spreadLength > ANSWER_MAX) this.#end('malformed', 'unterminated message');
    else if (text === '}') {
      this.#spread = undefined;
      this.#message(lines.join('\n'));
    }
  }

  #message(text: string): void {
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch {
      value = undefined;
    }
    const parsed = v.safeParse(MESSAGE, value);
    if (!parsed.success) {
      this.#end('malformed', `expected a QMP message, found '${text.slice(0, 40)}'`);
      return;
    }
    const message = parsed.output;
    if ('QMP' in message) {
      this.#greeting = { ok: true, value: message.QMP };
      if (this.#waiting?.what === 'greeting') this.#settle(this.#greeting);
    } else if ('error' in message) {
      // QEMU refuses text that it cannot parse without an id.
      if (message.id !== undefined && message.id !== this.#waiting?.what) return;
      const reason = message.error.desc ?? 'no reason given';
      this.#settle({ ok: false, code: 'refused', message: reason.slice(0, 300) });
    } else if ('return' in message && message.id === this.#waiting?.what) {
      this.#settle({ ok: true, value: message.return });
    }
  }
}
