// The current state of the host and its changes: from the lines of a probe to numbered messages.
import { randomUUID } from 'node:crypto';
import { groupedDecimal } from '../iova/format.ts';
import type { ServerMessage } from '../session/live.ts';

/** Facts of one snapshot; more are dropped, and counted. */
const FACTS_MAX = 1_000_000;
/** Facts that wait for the next stream message; more are counted as lost. */
const PENDING_MAX = 50_000;
/** Facts per part of a snapshot. */
const PART = 1_000;
/** Characters of messages that are kept for watchers that reconnect. */
const HISTORY_MAX = 4 << 20;
/** Facts of a stream are collected for this many milliseconds. */
const STREAM_EVERY = 50;

/** A message as text, with its number. */
export interface Numbered {
  readonly sequence: number;
  readonly text: string;
}

type Change = Extract<ServerMessage, { type: 'change' | 'stream' | 'status' }>;
type Unnumbered<T> = T extends unknown ? Omit<T, 'sequence' | 'time'> : never;

function now(): number {
  return Date.now() / 1000;
}

/** Keeps what the probe reported last. In: its lines. Out: messages. */
export class HostState {
  /** Identifies this run of the agent. */
  readonly run = randomUUID();
  readonly #send: (message: Numbered) => void;
  /** Called when the probe reports a change of the host: a new snapshot is needed. */
  readonly #changed: () => void;
  /** The facts that hold, as lines. */
  #facts = new Set<string>();
  /** A snapshot that is being received: which part of the state it replaces, and its facts so far. */
  #incoming: { readonly what: string; readonly facts: Set<string>; dropped: number } | undefined;
  /** Facts by the request that reported them: page tables and guests are requested separately. */
  readonly #parts = new Map<string, ReadonlySet<string>>();
  #sequence = 0;
  #history: Numbered[] = [];
  #historySize = 0;
  #pending: string[] = [];
  #lost = 0;
  /** Facts that happened in this run, with those that were lost. */
  #events = 0;
  #timer: NodeJS.Timeout | undefined;
  #status: Unnumbered<Extract<Change, { type: 'status' }>> = { type: 'status', probe: 'starting', message: '' };
  #name = '';
  #garbage = 0;

  constructor(send: (message: Numbered) => void, changed: () => void = () => undefined) {
    this.#send = send;
    this.#changed = changed;
  }

  get sequence(): number {
    return this.#sequence;
  }

  /** The host's name; empty until the probe has reported it. */
  get name(): string {
    return this.#name;
  }

  #emit(message: Unnumbered<Change>): void {
    const numbered = { sequence: ++this.#sequence, text: '' };
    numbered.text = JSON.stringify({ ...message, sequence: numbered.sequence, time: now() });
    this.#history.push(numbered);
    this.#historySize += numbered.text.length;
    while (this.#historySize > HISTORY_MAX && this.#history.length > 1) {
      this.#historySize -= this.#history.shift()?.text.length ?? 0;
    }
    this.#send(numbered);
  }

  /** Takes a line of the probe, well-formed or not. */
  line(text: string): void {
    if (text.trim() === '') return;
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch {
      this.#noteGarbage();
      return;
    }
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      this.#noteGarbage();
      return;
    }
    const object = value as Readonly<Record<string, unknown>>;
    if (typeof object.probe === 'string') this.#control(object.probe, object);
    else if (object.format === 'iova-trace') this.#header(object);
    else if (typeof object.kind === 'string') this.#fact(text, object);
    else this.#noteGarbage();
  }

  #noteGarbage(): void {
    this.#garbage++;
    // Reported at the first, the tenth, the hundredth …: a probe that prints only garbage must not cause a flood.
    if (!/^10*$/.test(String(this.#garbage))) return;
    this.#warn('probe-garbage', `${this.#garbage} malformed lines from the probe`);
  }

  #warn(code: string, message: string): void {
    this.#happened(JSON.stringify({ kind: 'diagnostic', severity: 'warning', code, message, source: 'agent' }));
  }

  #header(object: Readonly<Record<string, unknown>>): void {
    if (typeof object.title === 'string') this.#name = object.title.slice(0, 200);
    // A saved session is a snapshot without its frame.
    this.#incoming ??= { what: 'snapshot', facts: new Set(), dropped: 0 };
  }

  #control(what: string, object: Readonly<Record<string, unknown>>): void {
    if (what === 'begin') this.#incoming = { what: String(object.what ?? 'snapshot'), facts: new Set(), dropped: 0 };
    else if (what === 'end') this.endSnapshot();
    else if (what === 'changed') this.#changed();
    else if (what === 'error') {
      const message = `the probe refused a request: ${String(object.message ?? object.code ?? '')}`;
      this.#warn('probe-refused', message.slice(0, 500));
    }
  }

  #fact(text: string, object: Readonly<Record<string, unknown>>): void {
    if (object.stream !== undefined || !this.#incoming) this.#happened(text);
    else if (this.#incoming.facts.size < FACTS_MAX) this.#incoming.facts.add(text);
    else this.#incoming.dropped++;
  }

  /** The snapshot is complete: what is new in it and what no longer holds becomes a change. */
  endSnapshot(): void {
    if (!this.#incoming) return;
    const { what, facts, dropped } = this.#incoming;
    this.#incoming = undefined;
    if (dropped > 0) {
      const message = `the probe reports more than ${groupedDecimal(BigInt(FACTS_MAX))} facts at once: ${groupedDecimal(BigInt(dropped))} were dropped`;
      this.#warn('probe-snapshot-cut', message);
    }
    this.setPart(what, facts);
  }

  /** Replaces a part of the state by other facts; an empty set removes the part. */
  setPart(what: string, part: ReadonlySet<string>): void {
    if (part.size > 0) this.#parts.set(what, part);
    else this.#parts.delete(what);
    const facts = new Set<string>();
    for (const lines of this.#parts.values()) for (const fact of lines) facts.add(fact);
    const added = [...facts].filter((fact) => !this.#facts.has(fact));
    const gone = [...this.#facts].filter((fact) => !facts.has(fact));
    this.#facts = facts;
    if (added.length > 0 || gone.length > 0) {
      this.#flush();
      this.#emit({ type: 'change', name: this.#name, added, gone });
    }
  }

  /** Something that happened, such as a mapping: sent together with others of the same moment. */
  #happened(text: string): void {
    this.#events++;
    if (this.#pending.length >= PENDING_MAX) this.#lost++;
    else this.#pending.push(text);
    this.#timer ??= setTimeout(() => this.#flush(), STREAM_EVERY);
  }

  #flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#pending.length === 0 && this.#lost === 0) return;
    const [facts, lost] = [this.#pending, this.#lost];
    this.#pending = [];
    this.#lost = 0;
    this.#emit({ type: 'stream', facts, lost });
  }

  /** The probe's state changed. */
  status(probe: 'starting' | 'running' | 'down', message: string): void {
    // A probe that only prints a session file and ends has reported all that it knows.
    if (probe === 'down') this.endSnapshot();
    if (probe === this.#status.probe && message === this.#status.message) return;
    this.#status = { type: 'status', probe, message };
    this.#emit(this.#status);
  }

  /** The messages for a new watcher: the facts that hold, and the state of the probe. */
  snapshot(): string[] {
    // What waits for its message belongs to those before the snapshot.
    this.#flush();
    const facts = [...this.#facts];
    const parts = Math.max(1, Math.ceil(facts.length / PART));
    const time = now();
    const texts: string[] = [];
    for (let part = 0; part < parts; part++) {
      const message: ServerMessage = {
        type: 'snapshot',
        sequence: this.#sequence,
        time,
        part,
        parts,
        name: this.#name,
        events: this.#events,
        facts: facts.slice(part * PART, (part + 1) * PART),
      };
      texts.push(JSON.stringify(message));
    }
    texts.push(JSON.stringify({ ...this.#status, sequence: this.#sequence, time }));
    return texts;
  }

  /** The messages after `sequence`; undefined if some of them are no longer kept. */
  since(sequence: number): Numbered[] | undefined {
    if (sequence > this.#sequence) return undefined;
    const missed = this.#history.filter((message) => message.sequence > sequence);
    return missed.length === this.#sequence - sequence ? missed : undefined;
  }

  end(): void {
    clearTimeout(this.#timer);
  }
}
