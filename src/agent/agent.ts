// The agent: runs a probe, keeps what it says, and serves watchers and the explorer itself on one port.
import { randomBytes, timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type WebSocket, WebSocketServer } from 'ws';
import { LIVE_CLOSE, LIVE_SUBPROTOCOL, TOKEN_SUBPROTOCOL } from '../session/live.ts';
import { readServed, type ServedFile, servedFiles } from './files.ts';
import { HostState } from './host-state.ts';
import { ProbeProcess, type ProbeTimings } from './probe-process.ts';
import { QmpGuest, type QmpTimings } from './qmp.ts';
import { Watcher } from './watcher.ts';

/** Bytes of a message from a watcher. */
const PAYLOAD_MAX = 16 << 10;
const WATCHERS_MAX = 32;
/** A host that has changed is read anew after so many milliseconds. */
const SETTLE = 300;
/** Connections that may be opened in a second, by whomever. */
const UPGRADES_MAX = 50;

export interface AgentOptions {
  /** The command that runs the probe. */
  readonly probe: string;
  /** Address to listen on; 127.0.0.1 unless somebody says otherwise. */
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
  /** Folder of the built explorer. */
  readonly web: string;
  /** Origins of pages, besides the agent's own, that may connect. */
  readonly origins?: readonly string[];
  /** QMP sockets of running guests, whose memory layout belongs to the host's state while they are there. */
  readonly qmp?: readonly string[];
  readonly timings?: Partial<ProbeTimings>;
  readonly qmpTimings?: Partial<QmpTimings>;
  /** Gets what a person at the terminal should know. */
  readonly log?: (message: string) => void;
}

export interface Agent {
  /** To be opened in a browser; the token is in its fragment, which browsers do not send. */
  readonly url: string;
  readonly port: number;
  readonly token: string;
  end(): Promise<void>;
}

/** Compares in a time that tells nothing of where they differ. */
function isSame(a: string, b: string): boolean {
  const [x, y] = [Buffer.from(a), Buffer.from(b)];
  return x.length === y.length && timingSafeEqual(x, y);
}

/** True for an address that only this machine reaches. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127\./.test(host);
}

/** A host as it stands in a URL. */
function urlHost(host: string): string {
  return host.includes(':') ? `[${host}]` : host;
}

/** The token that a watcher brought as a subprotocol. */
function tokenOf(request: IncomingMessage): string {
  const protocols = String(request.headers['sec-websocket-protocol'] ?? '').split(/,\s*/);
  return protocols.find((protocol) => protocol.startsWith(TOKEN_SUBPROTOCOL))?.slice(TOKEN_SUBPROTOCOL.length) ?? '';
}

const HEADERS = {
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'X-Frame-Options': 'DENY',
  'Cache-Control': 'no-store',
};

class AgentServer {
  readonly #options: AgentOptions;
  readonly #token = randomBytes(24).toString('base64url');
  readonly #watchers = new Set<Watcher>();
  readonly #state: HostState;
  readonly #probe: ProbeProcess;
  readonly #guests: readonly QmpGuest[];
  readonly #http: Server;
  readonly #sockets: WebSocketServer;
  #files: ReadonlyMap<string, string> = new Map();
  #port = 0;
  #upgrades = UPGRADES_MAX;
  readonly #refill: NodeJS.Timeout;
  #asking: NodeJS.Timeout | undefined;
  #isEnding = false;

  constructor(options: AgentOptions) {
    this.#options = options;
    this.#state = new HostState(
      (message) => {
        for (const watcher of this.#watchers) watcher.send(message);
      },
      () => this.#readAnew(),
    );
    this.#probe = new ProbeProcess(
      options.probe,
      {
        line: (text) => this.#state.line(text),
        status: (state, message, retryIn) => {
          const again = retryIn === undefined ? '' : `; started again in ${retryIn / 1000} s`;
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
    this.#http = createServer((request, response) => void this.#serve(request, response));
    this.#sockets = new WebSocketServer({
      noServer: true,
      maxPayload: PAYLOAD_MAX,
      perMessageDeflate: false,
      handleProtocols: (protocols) => (protocols.has(LIVE_SUBPROTOCOL) ? LIVE_SUBPROTOCOL : false),
    });
    this.#http.on('upgrade', (request, socket, head) => {
      socket.on('error', () => socket.destroy());
      // A page of another site that reaches this port by a name of its own (DNS rebinding) shows it in the Host header.
      if (
        this.#isEnding ||
        !this.#isOwnHost(request.headers.host) ||
        this.#upgrades-- <= 0 ||
        request.url !== '/live'
      ) {
        socket.end('HTTP/1.1 403 Forbidden\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
        return;
      }
      this.#sockets.handleUpgrade(request, socket, head, (webSocket) => this.#connected(webSocket, request));
    });
    this.#refill = setInterval(() => {
      this.#upgrades = UPGRADES_MAX;
    }, 1_000);
    this.#refill.unref();
  }

  /** Asks for a snapshot soon: one device that is plugged in makes a dozen uevents. */
  #readAnew(): void {
    this.#asking ??= setTimeout(() => {
      this.#asking = undefined;
      this.#probe.ask('snapshot');
    }, SETTLE);
  }

  /** Why a connection is refused; undefined if it is not. */
  #objection({ headers }: IncomingMessage, token: string) {
    // Only a page has an origin; what has none must still have the token.
    if (headers.origin !== undefined && !this.#isOwnOrigin(headers.origin)) return LIVE_CLOSE.origin;
    if (!isSame(token, this.#token)) return LIVE_CLOSE.token;
    return this.#watchers.size >= WATCHERS_MAX ? LIVE_CLOSE.full : undefined;
  }

  #connected(socket: WebSocket, request: IncomingMessage): void {
    const objection = this.#objection(request, tokenOf(request));
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

  /** The names by which this agent may be called, with its port. */
  #names(): string[] {
    const { host } = this.#options;
    const names = isLoopback(host) ? ['127.0.0.1', 'localhost', '[::1]', urlHost(host)] : [urlHost(host)];
    return names.map((name) => `${name}:${this.#port}`);
  }

  #isOwnHost(host: string | undefined): boolean {
    if (host === undefined) return false;
    if (this.#names().includes(host)) return true;
    // Listening on all addresses it may be called by any of them, but only by its number.
    const isAny = this.#options.host === '0.0.0.0' || this.#options.host === '::';
    return isAny && /^(?:\d{1,3}(?:\.\d{1,3}){3}|\[[0-9a-f:]+\]|localhost):\d+$/.test(host);
  }

  #isOwnOrigin(origin: string): boolean {
    if (this.#options.origins?.includes(origin)) return true;
    return origin.startsWith('http://') && this.#isOwnHost(origin.slice('http://'.length));
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { status, type, bytes } = await this.#answer(request);
    response.writeHead(status, { ...HEADERS, 'Content-Type': type, 'Content-Length': bytes.length });
    response.end(request.method === 'HEAD' ? undefined : bytes);
  }

  async #answer({ headers, method, url }: IncomingMessage): Promise<ServedFile & { readonly status: number }> {
    const refuse = (status: number, text: string) => ({
      status,
      type: 'text/plain; charset=utf-8',
      bytes: Buffer.from(`${text}\n`),
    });
    if (!this.#isOwnHost(headers.host)) return refuse(403, 'this host is not served here');
    if (method !== 'GET' && method !== 'HEAD') return refuse(405, 'only GET and HEAD');
    const file = this.#files.get((url ?? '/').replace(/[?#].*$/, ''));
    if (file === undefined) return refuse(404, 'no such file');
    try {
      return { status: 200, ...(await readServed(file)) };
    } catch (error) {
      return refuse(500, `cannot be read: ${error instanceof Error ? error.message : String(error)}`);
    }
  }

  async start(): Promise<Agent> {
    const { host, port, web } = this.#options;
    this.#files = await servedFiles(web);
    await new Promise<void>((resolve, reject) => {
      this.#http.once('error', reject);
      this.#http.listen(port, host, () => resolve());
    });
    this.#port = (this.#http.address() as AddressInfo).port;
    this.#probe.start();
    for (const guest of this.#guests) guest.start();
    const shown = host === '0.0.0.0' || host === '::' ? '127.0.0.1' : urlHost(host);
    return {
      url: `http://${shown}:${this.#port}/#live=${this.#token}`,
      port: this.#port,
      token: this.#token,
      end: () => this.#end(),
    };
  }

  async #end(): Promise<void> {
    clearInterval(this.#refill);
    clearTimeout(this.#asking);
    // First of all nobody gets in any more: a page that is sent away is back within a second.
    const closed = new Promise<void>((resolve) => this.#http.close(() => resolve()));
    this.#isEnding = true;
    for (const watcher of this.#watchers) watcher.end();
    this.#state.end();
    await Promise.all([this.#probe.end(), ...this.#guests.map((guest) => guest.end())]);
    for (const socket of this.#sockets.clients) socket.terminate();
    this.#sockets.close();
    this.#http.closeAllConnections();
    await closed;
  }
}

/** Starts an agent. Rejects if the port cannot be had or the explorer is not built. */
export function startAgent(options: AgentOptions): Promise<Agent> {
  return new AgentServer(options).start();
}
