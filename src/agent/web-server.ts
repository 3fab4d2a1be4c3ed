// The HTTP side of the agent and of `iovascope open`: serves the built explorer on one port, to this machine's names only.
import { createReadStream } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { readServed, type ServedFile, servedFiles } from './files.ts';

export interface WebServerOptions {
  /** Address to listen on. */
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
  /** Folder of the built explorer. */
  readonly web: string;
  /** Answers paths that are not files of the explorer; undefined: no such path. */
  readonly more?: (path: string) => ServedFile | Promise<ServedFile> | undefined;
}

const HEADERS = {
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'X-Frame-Options': 'DENY',
  'Cache-Control': 'no-store',
};

/** Connections that have not sent the whole head of a request. Above that the oldest is closed: a new one has its place. */
const WAITING_MAX = 64;
/** Milliseconds for the head of a request, and for all of it. */
const HEAD_WITHIN = 5_000;
const REQUEST_WITHIN = 10_000;

/** True for an address that only this machine can reach. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127\./.test(host);
}

/** A host as it is written in a URL. */
function urlHost(host: string): string {
  return host.includes(':') ? `[${host}]` : host;
}

export class WebServer {
  readonly http: Server;
  readonly #options: WebServerOptions;
  #files: ReadonlyMap<string, string> = new Map();
  #port = 0;
  /** Oldest first. */
  readonly #waiting = new Set<Socket>();

  constructor(options: WebServerOptions) {
    this.#options = options;
    const limits = { headersTimeout: HEAD_WITHIN, requestTimeout: REQUEST_WITHIN, connectionsCheckingInterval: 1_000 };
    this.http = createServer(limits, (request, response) => void this.#serve(request, response));
    this.http.on('connection', (socket) => this.#wait(socket));
    this.http.on('request', ({ socket }: IncomingMessage) => this.begun(socket));
  }

  get port(): number {
    return this.#port;
  }

  /** Without a path: `http://127.0.0.1:8750`. */
  get origin(): string {
    const { host } = this.#options;
    return `http://${host === '0.0.0.0' || host === '::' ? '127.0.0.1' : urlHost(host)}:${this.#port}`;
  }

  /** Begins to listen. Rejects if the port is taken or the explorer is not built. */
  async start(): Promise<void> {
    const { host, port, web } = this.#options;
    this.#files = await servedFiles(web);
    await new Promise<void>((resolve, reject) => {
      this.http.once('error', reject);
      this.http.listen(port, host, () => resolve());
    });
    this.#port = (this.http.address() as AddressInfo).port;
  }

  /** Stops listening; resolves when all connections are closed. `before` runs once nothing new is accepted. */
  async end(before?: () => Promise<void>): Promise<void> {
    const closed = new Promise<void>((resolve) => this.http.close(() => resolve()));
    await before?.();
    this.http.closeAllConnections();
    await closed;
  }

  /**
   * True if a Host header has a name of this server. A page that points a name of its own here (DNS rebinding) shows it
   * in that header.
   */
  isOwnHost(host: string | undefined): boolean {
    if (host === undefined) return false;
    const { host: own } = this.#options;
    const names = isLoopback(own) ? ['127.0.0.1', 'localhost', '[::1]', urlHost(own)] : [urlHost(own)];
    if (names.some((name) => host === `${name}:${this.#port}`)) return true;
    // Listening on all addresses, it may be called by any of them, but only by number.
    const isAny = own === '0.0.0.0' || own === '::';
    return isAny && /^(?:\d{1,3}(?:\.\d{1,3}){3}|\[[0-9a-f:]+\]|localhost):\d+$/.test(host);
  }

  /** The head of a request has been received. Who listens to upgrades says so. */
  begun(socket: Socket): void {
    this.#waiting.delete(socket);
  }

  #wait(socket: Socket): void {
    socket.on('close', () => this.#waiting.delete(socket));
    this.#waiting.add(socket);
    const [oldest] = this.#waiting;
    if (this.#waiting.size > WAITING_MAX) oldest?.destroy();
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { status, type, body } = await this.#answer(request);
    const size = body instanceof Uint8Array ? body.length : body.size;
    response.writeHead(status, { ...HEADERS, 'Content-Type': type, 'Content-Length': size });
    if (request.method === 'HEAD') response.end();
    else if (body instanceof Uint8Array) response.end(body);
    else
      createReadStream(body.path)
        .on('error', () => response.destroy())
        .pipe(response);
  }

  async #answer({ headers, method, url }: IncomingMessage): Promise<ServedFile & { readonly status: number }> {
    const refuse = (status: number, text: string) => ({
      status,
      type: 'text/plain; charset=utf-8',
      body: Buffer.from(`${text}\n`),
    });
    if (!this.isOwnHost(headers.host)) return refuse(403, 'host name not allowed');
    if (method !== 'GET' && method !== 'HEAD') return refuse(405, 'only GET and HEAD are allowed');
    const path = (url ?? '/').replace(/[?#].*$/, '');
    const file = this.#files.get(path);
    try {
      const served = file === undefined ? await this.#options.more?.(path) : await readServed(file);
      return served ? { status: 200, ...served } : refuse(404, 'no such file');
    } catch (error) {
      return refuse(500, `cannot be read: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
}
