// The other end of a live connection, in the same thread.

import { LIVE_VERSION, type ServerMessage } from '../../session/live.ts';
import type { LiveSocket, OpenSocket } from '../live/live.ts';

interface Socket extends LiveSocket {
  readyState: number;
}

export class FakeAgent {
  /** Every attempt to connect. */
  readonly opened: { readonly url: string; readonly protocols: readonly string[] }[] = [];
  /** Messages that arrived. */
  readonly sent: unknown[] = [];
  /** Codes with which sockets were closed from the other side. */
  readonly closed: (number | undefined)[] = [];
  #socket: Socket | undefined;

  readonly open: OpenSocket = (url, protocols) => {
    this.opened.push({ url, protocols });
    this.#socket = {
      readyState: 0,
      send: (text) => void this.sent.push(JSON.parse(text)),
      close: (code) => void this.closed.push(code),
      onopen: null,
      onmessage: null,
      onclose: null,
      onerror: null,
    };
    return this.#socket;
  };

  get #current(): Socket {
    if (!this.#socket) throw new Error('nothing has connected');
    return this.#socket;
  }

  accept(): void {
    this.#current.readyState = 1;
    this.#current.onopen?.(undefined as never);
  }

  /** Ends the newest connection. */
  drop(code: number, reason = ''): void {
    this.#current.readyState = 3;
    this.#current.onclose?.({ code, reason });
  }

  sendText(text: string): void {
    this.#current.onmessage?.({ data: text });
  }

  send(message: ServerMessage): void {
    this.sendText(JSON.stringify(message));
  }

  welcome(run: string, sequence: number, name = ''): void {
    this.send({ type: 'welcome', version: LIVE_VERSION, run, sequence, name });
  }

  snapshot(
    sequence: number,
    facts: string[],
    more: { time?: number; part?: number; parts?: number; name?: string; events?: number } = {},
  ): void {
    this.send({ type: 'snapshot', sequence, time: 1, part: 0, parts: 1, facts, ...more });
  }

  change(sequence: number, added: string[], gone: string[], time: number): void {
    this.send({ type: 'change', sequence, time, added, gone });
  }

  stream(sequence: number, facts: string[], lost: number): void {
    this.send({ type: 'stream', sequence, time: 1, facts, lost });
  }
}
