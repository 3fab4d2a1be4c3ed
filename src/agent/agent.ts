// The agent: runs a probe, keeps the state that it reports, and serves watchers and the explorer itself on one port.
import { randomBytes, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { type WebSocket, WebSocketServer } from 'ws';
import { LIVE_CLOSE, LIVE_SUBPROTOCOL, TOKEN_SUBPROTOCOL } from '../session/live.ts';
import { HostState } from './host-state.ts';
import { ProbeProcess, type ProbeTimings } from './probe-process.ts';
import { QmpGuest, type QmpTimings } from './qmp.ts';
import { Watcher } from './watcher.ts';
import { WebServer } from './web-server.ts';

/** Longest message of a watcher, in bytes. */
const PAYLOAD_MAX = 16 << 10;
const WATCHERS_MAX = 32;
/** Milliseconds from a change of the host to the next snapshot. */
const SETTLE = 300;
/** Refusals per second that say why. The token's owner is never refused for the tries of others. */
const REFUSALS_MAX = 50;

export interface AgentOptions {
  /** The command that runs the probe. */
  readonly probe: string;
  /** Address to listen on. */
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
  /** Folder of the built explorer. */
  readonly web: string;
  /** Origins of pages, besides the agent's own, that may connect. */
  readonly origins?: readonly string[];
  /** QMP sockets of running guests, whose memory layouts are part of the host's state while they run. */
  readonly qmp?: readonly string[];
  readonly timings?: Partial<ProbeTimings>;
  readonly qmpTimings?: Partial<QmpTimings>;
  /** Gets messages for the terminal. */
  readonly log?: (message: string) => void;
}

export interface Agent {
  /** For the browser; the token is in the fragment, which browsers do not send. */
  readonly url: string;
  readonly port: number;
  readonly token: string;
  end(): Promise<void>;
}

type Objection = (typeof LIVE_CLOSE)[keyof typeof LIVE_CLOSE];

/** Compares in constant time. */
function isSame(a: string, b: string): boolean {
  const [x, y] = [Buffer.from(a), Buffer.from(b)];
  return x.length === y.length && timingSafeEqual(x, y);
}

/** The token that a watcher sends as a subprotocol. */
function tokenOf(request: IncomingMessage): string {
  const protocols = String(request.headers['sec-websocket-protocol'] ?? '').split(/,\s*/);
  return protocols.find((protocol) => protocol.startsWith(TOKEN_SUBPROTOCOL))?.slice(TOKEN_SUBPROTOCOL.length) ?? '';
}

class AgentServer {
  readonly #options: AgentOptions;
  readonly #token = randomBytes(24).toString('base64url');
  readonly #watchers = new Set<Watcher>();
  readonly #state: HostState;
  readonly #probe: ProbeProcess;
  readonly #guests: readonly QmpGuest[];
  readonly #web: WebServer;
  readonly #sockets: WebSocketServer;
  #refusals = REFUSALS_MAX;
  readonly #refill: NodeJS.Timeout;
  #snapshotTimer: NodeJS.Timeout | undefined;
  #isEnding = false;

  constructor(options: AgentOptions) {
    this.#options = options;
    this.#state = new HostState(
      (message) => {
        for (const watcher of this.#watchers) watcher.send(message);
      },
      () => this.#requestSnapshot(),
    );
    this.#probe = new ProbeProcess(
      options.probe,
      {
        line: (text) => this.#state.line(text),
        status: (state, message, retryIn) => {
          const again = retryIn === undefined ? '' : `; restarting in ${retryIn / 1000} s`;
          if (state === 'down') options.log?.(`${message}${again}`);
          this.#state.status(state, `${message}${again}`);
        },
      },
      options.timings,
    );
    this.#guests = [...new Set(options.qmp)].map((path) => {
      const facts = (lines: readonly string[]) => this.#state.setPart(`qmp ${path}`, new Set(lines));
      return new QmpGuest(path, { facts, log: (message) => options.log?.(message) }, options.qmpTimings);
    });
    this.#web = new WebServer(options);
    this.#sockets = new WebSocketServer({
      noServer: true,
      maxPayload: PAYLOAD_MAX,
      perMessageDeflate: false,
      handleProtocols: (protocols) => (protocols.has(LIVE_SUBPROTOCOL) ? LIVE_SUBPROTOCOL : false),
    });
    this.#web.http.on('upgrade', (request, socket, head) => {
      this.#web.begun(request.socket);
      socket.on('error', () => socket.destroy());
      const isOwn = this.#web.isOwnHost(request.headers.host) && request.url === '/live';
      const objection = isOwn ? this.#objection(request, tokenOf(request)) : undefined;
      if (this.#isEnding || !isOwn || (objection && this.#refusals-- <= 0)) {
        socket.end('HTTP/1.1 403 Forbidden\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
        return;
      }
      this.#sockets.handleUpgrade(request, socket, head, (webSocket) => this.#connected(webSocket, objection));
    });
    this.#refill = setInterval(() => {
      this.#refusals = REFUSALS_MAX;
    }, 1_000);
    this.#refill.unref();
  }

  /** Requests a snapshot soon: plugging in one device causes a dozen uevents. */
  #requestSnapshot(): void {
    this.#snapshotTimer ??= setTimeout(() => {
      this.#snapshotTimer = undefined;
      this.#probe.ask('snapshot');
    }, SETTLE);
  }

  /** Why a connection is refused; undefined: it is accepted. */
  #objection({ headers }: IncomingMessage, token: string): Objection | undefined {
    // Only a page has an origin; other clients need the token just the same.
    if (headers.origin !== undefined && !this.#isOwnOrigin(headers.origin)) return LIVE_CLOSE.origin;
    if (!isSame(token, this.#token)) return LIVE_CLOSE.token;
    return this.#watchers.size >= WATCHERS_MAX ? LIVE_CLOSE.full : undefined;
  }

  #connected(socket: WebSocket, objection: Objection | undefined): void {
    if (objection) {
      socket.on('error', () => socket.terminate());
      socket.close(objection.code, objection.message);
      setTimeout(() => socket.terminate(), 2_000).unref();
      return;
    }
    const watcher = new Watcher(socket, this.#state, { ask: (what) => this.#probe.ask(what) });
    this.#watchers.add(watcher);
    watcher.onGone = () => this.#watchers.delete(watcher);
  }

  #isOwnOrigin(origin: string): boolean {
    if (this.#options.origins?.includes(origin)) return true;
    return origin.startsWith('http://') && this.#web.isOwnHost(origin.slice('http://'.length));
  }

  async start(): Promise<Agent> {
    await this.#web.start();
    this.#probe.start();
    for (const guest of this.#guests) guest.start();
    return {
      url: `${this.#web.origin}/#live=${this.#token}`,
      port: this.#web.port,
      token: this.#token,
      end: () => this.#end(),
    };
  }

  async #end(): Promise<void> {
    clearInterval(this.#refill);
    clearTimeout(this.#snapshotTimer);
    // New connections are refused first: a page that is sent away tries again within a second.
    await this.#web.end(async () => {
      this.#isEnding = true;
      for (const watcher of this.#watchers) watcher.end();
      this.#state.end();
      await Promise.all([this.#probe.end(), ...this.#guests.map((guest) => guest.end())]);
      for (const socket of this.#sockets.clients) socket.terminate();
      this.#sockets.close();
    });
  }
}

/** Starts an agent. Rejects if the port is taken or the explorer is not built. */
export function startAgent(options: AgentOptions): Promise<Agent> {
  return new AgentServer(options).start();
}
