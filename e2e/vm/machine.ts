// A virtual machine as an agent's host: the probe's command is the machine, its stdin and stdout a virtio port in it.
import { mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type Agent, startAgent } from '../../src/agent/agent.ts';

const RUN = new URL('../../scripts/vm-run.mjs', import.meta.url).pathname;
const WEB = new URL('../../dist/web', import.meta.url).pathname;

export class Machine {
  readonly #name: string;
  readonly #folder = mkdtempSync(path.join(tmpdir(), 'vm-'));
  #agent: Agent | undefined;

  constructor(name: string) {
    this.#name = name;
  }

  get #socket(): string {
    return path.join(this.#folder, 'qmp');
  }

  /** The QMP socket of a guest on the machine, for the agent to watch: nothing listens there at first. */
  get guestSocket(): string {
    return path.join(this.#folder, 'guest');
  }

  /** The log of the machine's kernel, for failures. */
  get log(): string {
    return path.join(this.#folder, 'console.log');
  }

  /** Starts the agent, and with it the machine. Returns the URL of the page. */
  async start(): Promise<string> {
    this.#agent = await startAgent({
      probe: `exec node ${RUN} ${this.#name} --qmp ${this.#socket} --log ${this.log}`,
      host: '127.0.0.1',
      port: 0,
      web: WEB,
      qmp: [this.guestSocket],
      timings: { firstPause: 500, longestPause: 2_000, hangsAfter: 60_000, startsWithin: 240_000 },
    });
    return this.#agent.url;
  }

  /** Sends a command to QEMU's monitor; rejects with its error. */
  qmp(execute: string, args: object = {}): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const socket = connect(this.#socket);
      let text = '';
      socket.on('error', reject);
      socket.on('connect', () => socket.write(`${JSON.stringify({ execute: 'qmp_capabilities' })}\n`));
      let isGreeted = false;
      socket.on('data', (chunk) => {
        text += chunk;
        const lines = text.split('\n');
        text = lines.pop() ?? '';
        for (const line of lines) {
          const answer = JSON.parse(line) as { return?: unknown; error?: { desc: string } };
          if (answer.error) {
            socket.end();
            reject(new Error(answer.error.desc));
          } else if (answer.return !== undefined && isGreeted) {
            socket.end();
            resolve(answer.return);
          } else if (answer.return !== undefined) {
            isGreeted = true;
            socket.write(`${JSON.stringify({ execute, arguments: args })}\n`);
          }
        }
      });
    });
  }

  async end(): Promise<void> {
    await this.#agent?.end();
    rmSync(this.#folder, { recursive: true });
  }
}
