// One connected watcher: its queue is bounded, whatever it does.
import type { WebSocket } from 'ws';
import { CLIENT_MESSAGE, LIVE_CLOSE, LIVE_VERSION, parseMessage } from '../session/live.ts';
import type { HostState, Numbered } from './host-state.ts';
import type { ProbeRequest } from './probe-process.ts';

/** Bytes that may wait in a watcher's socket; above that, it gets no messages until it has caught up. */
const BEHIND_AT = 4 << 20;
const CAUGHT_UP_AT = 256 << 10;
/** Messages a watcher may send per second. */
const MESSAGES_MAX = 20;
/** A watcher that has not sent hello within this many milliseconds is closed. */
const HELLO_WITHIN = 10_000;

export interface WatcherHooks {
  ask(request: ProbeRequest): void;
}

export class Watcher {
  readonly #socket: WebSocket;
  readonly #state: HostState;
  readonly #hooks: WatcherHooks;
  #isGreeted = false;
  /** True while it gets no messages because it reads too slowly: then it needs a new snapshot. */
  #isBehind = false;
  #budget = MESSAGES_MAX;
  readonly #refill: NodeJS.Timeout;
  readonly #hello: NodeJS.Timeout;
  /** Called when it has disconnected. */
  onGone: () => void = () => undefined;

  constructor(socket: WebSocket, state: HostState, hooks: WatcherHooks) {
    this.#socket = socket;
    this.#state = state;
    this.#hooks = hooks;
    this.#refill = setInterval(() => {
      this.#budget = MESSAGES_MAX;
      this.#catchUp();
    }, 1_000);
    this.#hello = setTimeout(() => this.#close(LIVE_CLOSE.malformed, 'no hello'), HELLO_WITHIN);
    socket.on('message', (data, isBinary) => this.#message(isBinary ? undefined : String(data)));
    socket.on('error', () => socket.terminate());
    socket.on('close', () => {
      clearInterval(this.#refill);
      clearTimeout(this.#hello);
      this.onGone();
    });
  }

  #close({ code, message }: { readonly code: number; readonly message: string }, detail = ''): void {
    // A close frame holds 123 bytes of reason.
    this.#socket.close(code, `${message}${detail === '' ? '' : `: ${detail}`}`.slice(0, 100));
  }

  #message(text: string | undefined): void {
    if (this.#budget-- <= 0) {
      this.#close(LIVE_CLOSE.flood);
      return;
    }
    if (text === undefined) {
      this.#close(LIVE_CLOSE.malformed, 'expected a text message');
      return;
    }
    const message = parseMessage(CLIENT_MESSAGE, text);
    if (typeof message === 'string') this.#close(LIVE_CLOSE.malformed, message);
    else if (message.type === 'hello') this.#greet(message.version, message.resume);
    else if (!this.#isGreeted) this.#close(LIVE_CLOSE.malformed, 'expected hello');
    else this.#hooks.ask(message.what);
  }

  #greet(version: number, resume: { readonly run: string; readonly sequence: number } | undefined): void {
    if (version !== LIVE_VERSION) {
      this.#close(LIVE_CLOSE.version, `the agent has ${LIVE_VERSION}, the page ${version}`);
      return;
    }
    if (this.#isGreeted) {
      this.#close(LIVE_CLOSE.malformed, 'a second hello');
      return;
    }
    clearTimeout(this.#hello);
    const { run, sequence, name } = this.#state;
    this.#socket.send(JSON.stringify({ type: 'welcome', version: LIVE_VERSION, run, sequence, name }));
    const missed = resume?.run === run ? this.#state.since(resume.sequence) : undefined;
    for (const text of missed ? missed.map((m) => m.text) : this.#state.snapshot()) this.#socket.send(text);
    this.#isGreeted = true;
  }

  /** Sends a message, unless the watcher is behind. */
  send({ text }: Numbered): void {
    if (!this.#isGreeted || this.#socket.readyState !== this.#socket.OPEN) return;
    if (this.#isBehind || this.#socket.bufferedAmount > BEHIND_AT) {
      this.#isBehind = true;
      return;
    }
    this.#socket.send(text);
  }

  #catchUp(): void {
    if (!this.#isBehind || this.#socket.bufferedAmount > CAUGHT_UP_AT) return;
    this.#isBehind = false;
    for (const text of this.#state.snapshot()) this.#socket.send(text);
  }

  end(): void {
    this.#close(LIVE_CLOSE.ended);
    setTimeout(() => this.#socket.terminate(), 500).unref();
  }
}
