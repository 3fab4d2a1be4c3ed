import { join } from 'node:path';
import { startAgent } from '../agent/agent.ts';
import { findLocalProbe, probeCache } from '../agent/local-probe.ts';
import { isLoopback } from '../agent/web-server.ts';
import { parseCommandArgs } from './args.ts';
import { type CliIo, type Command, type ExitCode, unusable } from './io.ts';
import { untilSignal } from './signals.ts';
import { PACKAGE_ROOT, packageVersion } from './version.ts';

const PLACES = {
  built: join(PACKAGE_ROOT, 'dist', 'probe'),
  sources: join(PACKAGE_ROOT, 'src', 'agent', 'probe'),
};

const HELP = `usage: iovascope agent [--probe 'COMMAND …'] [--host ADDRESS] [--port N]
                       [--qmp SOCKET]… [--origin URL]…

Watches a live host: runs a probe, serves the explorer, and prints the URL to open, with a
secret token in its fragment. Ctrl-C stops it.

  --probe C      shell command that runs the probe, such as
                   sudo ${PLACES.built}/iovascope-probe
                   ssh root@HOST iovascope-probe
                 default: the probe of this package, without root; it is compiled on first
                 use if no prebuilt one runs on this machine
  --host A       address to listen on; default: 127.0.0.1 (recommended)
  --port N       port; default: a free one
  --qmp SOCKET   also read the memory layout of a running guest from QEMU's QMP socket
                 (-qmp unix:SOCKET,server=on,wait=off); sends only queries; can be repeated
  --origin URL   also allow pages of this origin to connect, such as http://127.0.0.1:4173

The agent itself does not need root. As root, the probe can read more of the host: live address
spaces of processes, /proc/iomem, page tables, trace events. It changes nothing; its sources are
in ${PLACES.sources}.

Exit code 0: stopped; 2: usage error, or it cannot start.`;

const OPTIONS = {
  probe: { type: 'string' },
  host: { type: 'string' },
  port: { type: 'string' },
  qmp: { type: 'string', multiple: true },
  origin: { type: 'string', multiple: true },
} as const;

async function run(args: readonly string[], io: CliIo): Promise<ExitCode> {
  const parsed = parseCommandArgs(args, OPTIONS);
  if (!parsed.ok) return unusable(io, `agent: ${parsed.message}`);
  const { values, positionals } = parsed;
  if (positionals.length > 0) return unusable(io, `agent: unexpected argument '${positionals[0]}'; see --help`);
  const port = Number(values.port ?? '0');
  if (!Number.isInteger(port) || port < 0 || port > 65_535) {
    return unusable(io, `agent: --port '${values.port}': expected a whole number from 0 to 65535`);
  }
  const host = values.host ?? '127.0.0.1';
  const log = (message: string) => io.stderr(`iovascope: agent: ${message}\n`);
  const isRoot = process.getuid?.() === 0;
  let probe = values.probe;
  if (probe === undefined) {
    const found = findLocalProbe({ ...PLACES, cache: probeCache(packageVersion()) }, log);
    if (!found.ok) return unusable(io, `agent: ${found.message}`);
    log(
      `reading this host with ${found.path}${isRoot ? '' : `, without privilege (more: --probe 'sudo ${found.path}')`}`,
    );
    probe = `exec '${found.path.replaceAll("'", "'\\''")}'`;
  } else {
    log(`reading a host with: ${probe}`);
    if (isRoot) log("running as root, which the agent does not need: only the probe does (--probe 'sudo …')");
  }
  if (!isLoopback(host)) log(`listening on ${host}: anyone who can reach it and has the token can see this host`);
  const stopped = untilSignal();
  try {
    const agent = await startAgent({
      probe,
      host,
      port,
      web: join(PACKAGE_ROOT, 'dist', 'web'),
      origins: values.origin ?? [],
      qmp: values.qmp ?? [],
      log,
    });
    log('open this URL in a browser (Ctrl-C stops the agent):');
    io.stdout(`${agent.url}\n`);
    await stopped;
    await agent.end();
    return 0;
  } catch (error) {
    return unusable(io, `agent: cannot start: ${error instanceof Error ? error.message : String(error)}`);
  }
}

export const AGENT: Command = { help: HELP, run };
