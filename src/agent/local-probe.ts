// The probe for this machine: a built one that runs here, else one that is compiled from the sources.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

export interface ProbePlaces {
  /** Folder of built probes. */
  readonly built: string;
  /** Folder of the probe's C sources and their Makefile. */
  readonly sources: string;
  /** Folder for a probe that is built here. */
  readonly cache: string;
}

export type LocalProbe =
  | { readonly ok: true; readonly path: string }
  | { readonly ok: false; readonly message: string };

const NAME = 'iovascope-probe';
/** Probes that a package or a build may have, by file name: for this machine's architecture, and for arm64. */
const BUILT = [NAME, `${NAME}-arm64`];

/** For this machine alone: no static C library is needed, and a newer compiler's warnings do not matter. */
const LOCAL_BUILD = ['STATIC_CC=cc', 'OPTIMIZED=-O2', 'WARNINGS=-w'];

/** Where a probe of this version is kept when it has to be built: `$XDG_CACHE_HOME/iovascope/VERSION`. */
export function probeCache(version: string, env: Readonly<Record<string, string | undefined>> = process.env): string {
  return join(env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'iovascope', version);
}

/** True if a program is there and runs on this machine. */
function runs(path: string): boolean {
  return existsSync(path) && spawnSync(path, ['--version'], { stdio: 'ignore' }).status === 0;
}

/** Finds a probe that runs here, or builds one. `log` gets a line before something slow is done. */
export function findLocalProbe(
  { built, sources, cache }: ProbePlaces,
  log: (message: string) => void,
  platform: NodeJS.Platform = process.platform,
): LocalProbe {
  if (platform !== 'linux') {
    return fail(
      `the probe reads Linux hosts, and this is ${platform}; name a remote one with --probe 'ssh root@HOST ${NAME}'`,
    );
  }
  const own = join(cache, NAME);
  const ready = [...BUILT.map((name) => join(built, name)), own].find(runs);
  if (ready !== undefined) return { ok: true, path: ready };
  log(`no built probe runs on this machine (${process.arch}); compiling one from ${sources} into ${cache}`);
  try {
    mkdirSync(cache, { recursive: true });
  } catch (error) {
    return fail(`cannot write to ${cache}: ${error instanceof Error ? error.message : String(error)}`);
  }
  const args = ['-s', '-C', sources, `OUT=${cache}`, ...LOCAL_BUILD];
  const { status, error, stderr } = spawnSync('make', args, { encoding: 'utf8' });
  if (status === 0 && runs(own)) return { ok: true, path: own };
  const why = error ? 'make was not found' : stderr.trim().split('\n').at(-1) || `make ended with exit code ${status}`;
  return fail(
    `no built probe runs on this machine, and compiling one failed: ${why}. It needs make and a C compiler (on Debian: sudo apt install make gcc libc6-dev), or name a probe with --probe`,
  );
}

function fail(message: string): LocalProbe {
  return { ok: false, message };
}
