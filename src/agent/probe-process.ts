// Runs a probe through any command that carries stdin and stdout, sends it requests, and restarts it when it ends.
import { type ChildProcess, spawn } from 'node:child_process';
import { LineReader } from './line-reader.ts';

/** Bytes of the probe's stderr that are kept for the message when it ends. */
const STDERR_MAX = 2_000;

/** The requests to a probe. Fixed: no other text of a watcher ever reaches it. */
export type ProbeRequest = 'hello' | 'snapshot' | 'watch' | 'page_tables' | 'trace' | 'untrace' | 'ping' | 'quit';

export interface ProbeEvents {
  /** A line that the probe printed, without its end. */
  line(text: string): void;
  /** The probe runs, or has stopped, and why. `retryIn`: milliseconds until it is restarted. */
  status(state: 'starting' | 'running' | 'down', message: string, retryIn?: number): void;
}

/** All in milliseconds. */
export interface ProbeTimings {
  /** Pauses before the probe is restarted: the first one, doubled up to the longest. */
  readonly firstPause: number;
  readonly longestPause: number;
  /** After running this long a probe counts as healthy: the next pause is the first one again. */
  readonly wellAfter: number;
  /** A probe that does not answer a ping for this long hangs, and is killed. */
  readonly hangsAfter: number;
  /** Before its first line it has longer: a machine may have to boot, a person to type a password. */
  readonly startsWithin: number;
  readonly pingEvery: number;
}

const DEFAULT_TIMINGS: ProbeTimings = {
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
  /** True once the current process has printed something. */
  #hasSpoken = false;
  #nextId = 1;
  #isEnded = false;
  /** Requests to every new process, in this order: changes during the snapshot are reported after it. */
  readonly #standing: ProbeRequest[] = ['hello', 'watch', 'snapshot'];

  constructor(command: string, events: ProbeEvents, timings: Partial<ProbeTimings> = {}) {
    this.#command = command;
    this.#events = events;
    this.#timings = { ...DEFAULT_TIMINGS, ...timings };
    this.#pause = this.#timings.firstPause;
  }

  start(): void {
    if (this.#isEnded || this.#child) return;
    this.#events.status('starting', `starting: ${this.#command}`);
    const startedAt = Date.now();
    const child = spawn(this.#command, { shell: true, stdio: ['pipe', 'pipe', 'pipe'], detached: true });
    this.#child = child;
    this.#heardAt = startedAt;
    let stderr = '';
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
      if (stderr.length < STDERR_MAX) stderr += chunk.toString('utf8').slice(0, STDERR_MAX);
    });
    // A probe that closes its input early is noticed when it ends.
    child.stdin?.on('error', () => undefined);
    child.on('error', (error) => {
      stderr = error.message;
    });
    child.on('close', (code, signal) => {
      reader.end();
      clearInterval(this.#pinger);
      this.#child = undefined;
      if (this.#isEnded) return;
      if (Date.now() - startedAt >= this.#timings.wellAfter) this.#pause = this.#timings.firstPause;
      const how = signal ? `was killed by ${signal}` : `ended with exit code ${code}`;
      const why = stderr.trim() === '' ? '' : `: ${stderr.trim().split('\n').slice(-2).join(' ')}`;
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

  /** Sends a request to the probe, if it runs. Tracing is requested again after a restart. */
  ask(request: ProbeRequest): void {
    if (request === 'trace' && !this.#standing.includes('trace')) this.#standing.push('trace');
    if (request === 'untrace' && this.#standing.includes('trace'))
      this.#standing.splice(this.#standing.indexOf('trace'), 1);
    const input = this.#child?.stdin;
    // A probe that does not read must not fill the memory.
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

  /** Stops the probe for good; resolves when it has ended. */
  async end(): Promise<void> {
    this.#isEnded = true;
    clearTimeout(this.#timer);
    clearInterval(this.#pinger);
    const child = this.#child;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const gone = new Promise<void>((resolve) => child.once('close', () => resolve()));
    // A probe ends when its input is closed; it gets a moment to remove its trace instance.
    child.stdin?.end();
    const hurry = setTimeout(() => this.#kill('SIGTERM'), 1_000);
    const force = setTimeout(() => this.#kill('SIGKILL'), 3_000);
    await gone;
    clearTimeout(hurry);
    clearTimeout(force);
  }
}
