import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isLoopback, startAgent } from '../agent/agent.ts';
import { parseVerbArgs } from './args.ts';
import { type CliIo, type ExitCode, unusable, type Verb } from './io.ts';

const HELP = `usage: iovascope agent [--probe 'COMMAND …'] [--host ADDRESS] [--port N]
                       [--qmp SOCKET]… [--origin URL]…

Watches a live host: runs a probe, serves the explorer, and prints the URL to open; its secret
token is in the fragment. Ends with Ctrl-C.

  --probe C      how to run the probe, as one would type it: sudo ./iovascope-probe,
                 ssh root@host iovascope-probe; the one built here if not given
  --host A       address to listen on; 127.0.0.1 if not given, and better left so
  --port N       port; a free one if not given
  --qmp SOCKET   also tells the memory layout of a running guest, from the QMP socket of its QEMU
                 (-qmp unix:SOCKET,server=on,wait=off); asks only what changes nothing
  --origin URL   also lets pages of this origin connect, such as http://127.0.0.1:4173

The agent needs no privilege: only the probe does, for what it may read of the host.

Exit code 0: ended; 2: it cannot be started, or the call is unusable.`;

const OPTIONS = {
  probe: { type: 'string' },
  host: { type: 'string' },
  port: { type: 'string' },
  qmp: { type: 'string', multiple: true },
  origin: { type: 'string', multiple: true },
} as const;

/** The folder `dist`: the program lies in `dist/cli`. */
const DIST = dirname(dirname(fileURLToPath(import.meta.url)));
const PROBE = join(DIST, 'probe', 'iovascope-probe');

async function run(args: readonly string[], io: CliIo): Promise<ExitCode> {
  const parsed = parseVerbArgs(args, OPTIONS);
  if (!parsed.ok) return unusable(io, `agent: ${parsed.message}`);
  const { values, positionals } = parsed;
  if (positionals.length > 0) return unusable(io, `agent: “${positionals[0]}” is not an option; --help lists them`);
  const port = Number(values.port ?? '0');
  if (!Number.isInteger(port) || port < 0 || port > 65_535) {
    return unusable(io, `agent: --port “${values.port}”: expected a whole number from 0 to 65535`);
  }
  const host = values.host ?? '127.0.0.1';
  if (values.probe === undefined && !existsSync(PROBE)) {
    return unusable(io, 'agent: no probe is built here: npm run build:probe builds it, or name one with --probe');
  }
  const say = (message: string) => io.stderr(`iovascope: agent: ${message}\n`);
  if (!isLoopback(host)) say(`listening on ${host}: whoever reaches it and has the token sees this host`);
  if (values.probe !== undefined && process.getuid?.() === 0) {
    say('started as root without need: only the probe needs privilege (--probe "sudo …")');
  }
  const ended = new Promise<void>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve());
  });
  try {
    const agent = await startAgent({
      probe: values.probe ?? `exec '${PROBE.replaceAll("'", "'\\''")}'`,
      host,
      port,
      web: join(DIST, 'web'),
      origins: values.origin ?? [],
      qmp: values.qmp ?? [],
      log: say,
    });
    io.stdout(`${agent.url}\n`);
    await ended;
    await agent.end();
    return 0;
  } catch (error) {
    return unusable(io, `agent: cannot be started: ${error instanceof Error ? error.message : String(error)}`);
  }
}

export const AGENT: Verb = { help: HELP, run };
