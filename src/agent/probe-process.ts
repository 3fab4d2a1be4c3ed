// Runs a probe through any command that carries stdin and stdout, asks it, and starts it again when it ends.
import { type ChildProcess, spawn } from 'node:child_process';
import { LineReader } from './line-reader.ts';

/** Bytes of the probe's stderr that are kept for the message when it ends. */
const COMPLAINT_MAX = 2_000;

/** What a probe may be asked. Fixed: nothing that a watcher sends reaches the probe in other words. */
export type ProbeRequest = 'hello' | 'snapshot' | 'watch' | 'page_tables' | 'trace' | 'untrace' | 'ping' | 'quit';

export interface ProbeEvents {
  /** A line that the probe printed, without its end. */
  line(text: string): void;
  /** The probe runs, or does not (any more): why. `retryIn` milliseconds until it is started again. */
  status(state: 'starting' | 'running' | 'down', message: string, retryIn?: number): void;
}

/** All in milliseconds. */
export interface ProbeTimings {
  /** Pauses before the probe is started again: the first, doubled up to the longest. */
  readonly firstPause: number;
  readonly longestPause: number;
  /** A probe that ran this long is taken to be well: the next pause is the first again. */
  readonly wellAfter: number;
  /** A probe that says nothing to a ping for so long hangs, and is killed. */
  readonly hangsAfter: number;
  /** Until its first word it has longer: a machine may have to boot for it, a person to type a password. */
  readonly startsWithin: number;
  readonly pingEvery: number;
}

const USUAL: ProbeTimings = {
  firstPause: 500,
  longestPause: 30_000,
  wellAfter: 10_000,
  hangsAfter: 20_000,
  startsWithin: 180_000,
  pingEvery: 5_000,
};

/** The command is run by the shell, as its user would type it: `sudo …`, `ssh root@host …`. */
export class ProbeProcess {
  readonly #command: string;
  readonly #events: ProbeEvents;
  readonly #timings: ProbeTimings;
  #child: ChildProcess | undefined;
  #pause: number;
  #timer: NodeJS.Timeout | undefined;
  #pinger: NodeJS.Timeout | undefined;
  #heardAt = 0;
  /** True once the process at hand has said something. */
  #hasSpoken = false;
  #nextId = 1;
  #isEnded = false;
  /** Requests that are put to every new process, in this order: what changes during the snapshot is told after it. */
  readonly #standing: ProbeRequest[] = ['hello', 'watch', 'snapshot'];

  constructor(command: string, events: ProbeEvents, timings: Partial<ProbeTimings> = {}) {
    this.#command = command;
    this.#events = events;
    this.#timings = { ...USUAL, ...timings };
    this.#pause = this.#timings.firstPause;
  }

  start(): void {
    if (this.#isEnded || this.#child) return;
    this.#events.status('starting', `starting: ${this.#command}`);
    const startedAt = Date.now();
    const child = spawn(this.#command, { shell: true, stdio: ['pipe', 'pipe', 'pipe'], detached: true });
    this.#child = child;
    this.#heardAt = startedAt;
    let complaint = '';
    this.#hasSpoken = false;
    const reader = new LineReader((line) => {
      this.#heardAt = Date.now();
      if (!this.#hasSpoken) {
        this.#hasSpoken = true;
        this.#events.status('running', '');
      }
      this.#events.line(line);
    });
    child.stdout?.on('data', (chunk: Uint8Array) => reader.push(chunk));
    child.stderr?.on('data', (chunk: Buffer) => {
      if (complaint.length < COMPLAINT_MAX) complaint += chunk.toString('utf8').slice(0, COMPLAINT_MAX);
    });
    // A probe that closes its input early is noticed when it ends.
    child.stdin?.on('error', () => undefined);
    child.on('error', (error) => {
      complaint = error.message;
    });
    child.on('close', (code, signal) => {
      reader.end();
      clearInterval(this.#pinger);
      this.#child = undefined;
      if (this.#isEnded) return;
      if (Date.now() - startedAt >= this.#timings.wellAfter) this.#pause = this.#timings.firstPause;
      const how = signal ? `was ended by ${signal}` : `ended with exit code ${code}`;
      const why = complaint.trim() === '' ? '' : `: ${complaint.trim().split('\n').slice(-2).join(' ')}`;
      this.#events.status('down', `the probe ${how}${why}`, this.#pause);
      this.#timer = setTimeout(() => this.start(), this.#pause);
      this.#pause = Math.min(this.#pause * 2, this.#timings.longestPause);
    });
    for (const request of this.#standing) this.ask(request);
    this.#pinger = setInterval(() => this.#ping(), this.#timings.pingEvery);
  }

  #ping(): void {
    const patience = this.#hasSpoken ? this.#timings.hangsAfter : this.#timings.startsWithin;
    if (Date.now() - this.#heardAt > patience) this.#kill('SIGKILL');
    else this.ask('ping');
  }

  /** Puts a request to the probe, if it runs. Tracing is also put to its successors. */
  ask(request: ProbeRequest): void {
    if (request === 'trace' && !this.#standing.includes('trace')) this.#standing.push('trace');
    if (request === 'untrace' && this.#standing.includes('trace'))
      this.#standing.splice(this.#standing.indexOf('trace'), 1);
    const input = this.#child?.stdin;
    // A probe that does not read any more must not fill the memory: what it has not taken is enough.
    if (!input?.writable || input.writableLength > 64 * 1024) return;
    input.write(`${JSON.stringify({ id: this.#nextId++, ask: request })}\n`);
  }

  /** The probe and what its command has started. */
  #kill(signal: NodeJS.Signals): void {
    const pid = this.#child?.pid;
    if (pid === undefined) return;
    try {
      process.kill(-pid, signal);
    } catch {
      this.#child?.kill(signal);
    }
  }

  /** Ends the probe for good; resolves when it is gone. */
  async end(): Promise<void> {
    this.#isEnded = true;
    clearTimeout(this.#timer);
    clearInterval(this.#pinger);
    const child = this.#child;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const gone = new Promise<void>((resolve) => child.once('close', () => resolve()));
    // A closed input ends a probe by itself; it gets a moment to take its tracing away.
    child.stdin?.end();
    const hurry = setTimeout(() => this.#kill('SIGTERM'), 1_000);
    const force = setTimeout(() => this.#kill('SIGKILL'), 3_000);
    await gone;
    clearTimeout(hurry);
    clearTimeout(force);
  }
}
