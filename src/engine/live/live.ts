// A live host as a growing session: what an agent reports becomes facts; when a fact no longer holds, a `gone` is added. After
// an outage it reconnects and requests what it missed, so that nothing is lost or duplicated.
import { counted } from '../../iova/format.ts';
import { parseEventLine } from '../../session/event-line.ts';
import { isFact, type SessionEvent } from '../../session/events.ts';
import {
  isFinalClose,
  LIVE_CLOSE,
  LIVE_SUBPROTOCOL,
  LIVE_VERSION,
  parseMessage,
  SERVER_MESSAGE,
  type ServerMessage,
  TOKEN_SUBPROTOCOL,
} from '../../session/live.ts';
import type { LiveChange, LiveState } from '../protocol/live.ts';
import { ChangeLabels } from './change-labels.ts';

/** Pauses before reconnecting, in milliseconds: the first one is doubled each time up to the longest. */
const FIRST_PAUSE = 500;
const LONGEST_PAUSE = 15_000;
/** Maximum number of changes kept for the list; older ones are in the session. */
const CHANGES_MAX = 200;

/** The part of WebSocket that is used; tests have their own implementation. */
export interface LiveSocket {
  readonly readyState: number;
  send(text: string): void;
  close(code?: number): void;
  onopen: ((event: never) => void) | null;
  onmessage: ((event: { readonly data: unknown }) => void) | null;
  onclose: ((event: { readonly code: number; readonly reason: string }) => void) | null;
  onerror: ((event: never) => void) | null;
}

export type OpenSocket = (url: string, protocols: string[]) => LiveSocket;

/** Where events are added. */
export interface LiveSink {
  /** Number of events of the session so far. */
  readonly length: number;
  /** `line` is its original text, if it arrived as a line. */
  add(event: SessionEvent, line?: string): void;
  /** Called after all events of a message were added. `isFacts`: facts changed, not only mappings. */
  settled(isFacts: boolean): void;
}

export interface LiveTimings {
  readonly firstPause: number;
  readonly longestPause: number;
}

/** The cast is safe: WebSocket has these members, but types its handlers with `this`. */
const openWebSocket: OpenSocket = (url, protocols) => new WebSocket(url, protocols) as unknown as LiveSocket;

export class LiveConnection {
  readonly #open: OpenSocket;
  readonly #url: string;
  readonly #token: string;
  readonly #sink: LiveSink;
  readonly #changed: () => void;
  readonly #timings: LiveTimings;
  /** Facts that hold, by their line: the number of their event. */
  readonly #facts = new Map<string, number>();
  readonly #changes: LiveChange[] = [];
  #run: string | undefined;
  #sequence = 0;
  /** Facts of a snapshot whose parts are still arriving. */
  #snapshot: string[] | undefined;
  #isFirst = true;
  #socket: LiveSocket | undefined;
  #pause: number;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #state: LiveState['connection'] = 'connecting';
  #message = '';
  #name = '';
  #lost = 0;
  /** Number of stream facts in this run of the agent, up to the last message; undefined before its first snapshot. */
  #events: number | undefined;
  #finish: (problem: string | undefined) => void = () => undefined;

  constructor(
    where: { readonly url: string; readonly token: string },
    sink: LiveSink,
    changed: () => void,
    open: OpenSocket = openWebSocket,
    timings: LiveTimings = { firstPause: FIRST_PAUSE, longestPause: LONGEST_PAUSE },
  ) {
    this.#url = where.url;
    this.#token = where.token;
    this.#sink = sink;
    this.#changed = changed;
    this.#open = open;
    this.#timings = timings;
    this.#pause = timings.firstPause;
  }

  get state(): LiveState {
    return {
      connection: this.#state,
      message: this.#message,
      name: this.#name,
      sequence: this.#sequence,
      lost: this.#lost,
      changes: this.#changes,
    };
  }

  /** Connects and reconnects until the signal is aborted, then resolves; earlier with a problem that retrying cannot solve. */
  run(signal: AbortSignal): Promise<string | undefined> {
    return new Promise((resolve) => {
      this.#finish = (problem) => {
        clearTimeout(this.#timer);
        this.#setState('ended', problem ?? '');
        resolve(problem);
      };
      if (signal.aborted) return this.#finish(undefined);
      signal.addEventListener('abort', () => this.stop());
      this.#connect();
      return undefined;
    });
  }

  /** Ends the connection for good, like the signal of `run`. */
  stop(): void {
    const socket = this.#socket;
    this.#socket = undefined;
    socket?.close(1000);
    this.#finish(undefined);
    this.#finish = () => undefined;
  }

  /** Requests something that the agent does not send by itself. */
  ask(what: 'snapshot' | 'page_tables' | 'trace' | 'untrace'): void {
    if (this.#socket?.readyState === 1) this.#socket.send(JSON.stringify({ type: 'ask', what }));
  }

  #setState(connection: LiveState['connection'], message: string): void {
    this.#state = connection;
    this.#message = message;
    this.#changed();
  }

  #connect(): void {
    this.#snapshot = undefined;
    let socket: LiveSocket;
    try {
      socket = this.#open(this.#url, [LIVE_SUBPROTOCOL, `${TOKEN_SUBPROTOCOL}${this.#token}`]);
    } catch (error) {
      this.#finish(error instanceof Error ? error.message : String(error));
      return;
    }
    this.#socket = socket;
    socket.onopen = () => {
      const resume = this.#run === undefined ? {} : { resume: { run: this.#run, sequence: this.#sequence } };
      socket.send(JSON.stringify({ type: 'hello', version: LIVE_VERSION, ...resume }));
    };
    socket.onmessage = ({ data }) => {
      if (this.#socket === socket) this.#receive(String(data));
    };
    socket.onerror = () => undefined;
    socket.onclose = ({ code, reason }) => {
      if (this.#socket !== socket) return;
      this.#socket = undefined;
      const known = Object.values(LIVE_CLOSE).find((close) => close.code === code);
      const message = reason || known?.message || 'cannot reach the agent';
      if (isFinalClose(code)) {
        this.#finish(message);
        return;
      }
      this.#setState('waiting', message);
      this.#timer = setTimeout(() => this.#connect(), this.#pause);
      this.#pause = Math.min(this.#pause * 2, this.#timings.longestPause);
    };
  }

  #receive(text: string): void {
    const message = parseMessage(SERVER_MESSAGE, text);
    if (typeof message === 'string') {
      this.#message = `malformed message from the agent: ${message}`;
      this.#changed();
      return;
    }
    this.#take(message);
  }

  #take(message: ServerMessage): void {
    const isNaming = message.type === 'welcome' || message.type === 'snapshot' || message.type === 'change';
    if (isNaming && message.name) this.#name = message.name;
    switch (message.type) {
      case 'welcome':
        this.#pause = this.#timings.firstPause;
        if (message.version !== LIVE_VERSION) {
          this.#socket?.close(1000);
          this.#finish(`${LIVE_CLOSE.version.message}: agent ${message.version}, page ${LIVE_VERSION}`);
          return;
        }
        if (message.run !== this.#run) this.#events = undefined;
        this.#run = message.run;
        this.#setState('live', '');
        return;
      case 'snapshot':
        if (message.part === 0) this.#snapshot = [];
        for (const line of message.facts) this.#snapshot?.push(line);
        if (message.part < message.parts - 1 || !this.#snapshot) return;
        if (message.events !== undefined) {
          this.#miss(message.events - (this.#events ?? message.events), message.time);
          this.#events = message.events;
        }
        this.#replace(this.#snapshot, message.time);
        this.#snapshot = undefined;
        break;
      case 'change':
        this.#apply(message.added, message.gone, message.time);
        break;
      case 'stream':
        for (const line of message.facts) this.#addEvent(line, message.time);
        this.#miss(message.lost, message.time);
        if (this.#events !== undefined) this.#events += message.facts.length + message.lost;
        this.#sink.settled(false);
        break;
      case 'status':
        this.#message = message.probe === 'running' ? '' : message.message;
        this.#changed();
        break;
    }
    this.#sequence = message.sequence;
  }

  /** Records events that were dropped: counts them, and adds an entry to the changes. */
  #miss(count: number, time: number): void {
    if (count <= 0) return;
    this.#lost += count;
    const label = (lost: number) => `${counted(lost, 'event')} ${lost === 1 ? 'was' : 'were'} lost here`;
    const last = this.#changes.at(-1);
    // Under load every message may drop some: consecutive losses share one entry.
    if (last?.lost !== undefined) {
      const lost = last.lost + count;
      this.#changes[this.#changes.length - 1] = { position: this.#sink.length, time, labels: [label(lost)], lost };
    } else this.#note({ position: this.#sink.length, time, labels: [label(count)], lost: count });
  }

  #note(change: LiveChange): void {
    this.#changes.push(change);
    if (this.#changes.length > CHANGES_MAX) this.#changes.shift();
  }

  /** Applies a complete snapshot: adds the differences from the known facts. */
  #replace(lines: readonly string[], time: number): void {
    const now = new Set(lines);
    const gone = [...this.#facts.keys()].filter((line) => !now.has(line));
    this.#apply(
      lines.filter((line) => !this.#facts.has(line)),
      gone,
      time,
    );
  }

  #apply(added: readonly string[], gone: readonly string[], time: number): void {
    const wasFirst = this.#isFirst;
    const changes = new ChangeLabels();
    for (const line of gone) {
      const number = this.#facts.get(line);
      if (number === undefined) continue;
      this.#facts.delete(line);
      const { event } = parseEventLine(line);
      // A mapping that is no longer in the page table was unmapped; other facts become `gone`.
      if (isFact(event) && event.kind === 'map') this.#sink.add({ ...event, kind: 'unmap', time });
      else this.#sink.add({ kind: 'gone', event: number, time });
      changes.gone(event);
    }
    for (const line of added) {
      if (this.#facts.has(line)) continue;
      const event = this.#addEvent(line, time);
      this.#facts.set(line, this.#sink.length);
      changes.added(event);
    }
    const labels = changes.labels();
    if (added.length === 0 && gone.length === 0) return;
    this.#isFirst = false;
    if (!wasFirst && labels.length > 0) {
      this.#note({ position: this.#sink.length, time, labels });
    }
    this.#sink.settled(true);
  }

  #addEvent(line: string, time: number): SessionEvent {
    const { event } = parseEventLine(line);
    if (isFact(event) && event.kind !== 'map' && event.kind !== 'unmap') Object.assign(event, { seen: time });
    this.#sink.add(event, line);
    return event;
  }
}
