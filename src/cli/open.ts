import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { WebServer } from '../agent/web-server.ts';
import { parseCommandArgs } from './args.ts';
import { inputName, reasonOf } from './input.ts';
import { type CliIo, type Command, type ExitCode, unusable } from './io.ts';
import { isLink } from './links.ts';
import { FileServer } from './serve-files.ts';
import { untilSignal } from './signals.ts';
import { PACKAGE_ROOT } from './version.ts';

const HELP = `usage: iovascope open [FILE or LINK…] [--port N] [--no-browser]
       iovascope FILE…

Serves the explorer on this machine only, prints its URL and opens it in the browser, with the
files (folders, archives; - is standard input) in one case. Nothing is uploaded anywhere.
Ctrl-C stops it.

  --port N      port; default: a free one
  --no-browser  only print the URL

Exit code 0: stopped; 2: usage error, a file cannot be read, or the server cannot start.`;

const OPTIONS = { port: { type: 'string' }, 'no-browser': { type: 'boolean' } } as const;

/** The program that opens a URL on a desktop; undefined where there is none. */
function opener(): readonly [string, ...string[]] | undefined {
  if (process.platform === 'darwin') return ['open'];
  if (process.platform === 'win32') return ['cmd', '/c', 'start', ''];
  return process.env.DISPLAY || process.env.WAYLAND_DISPLAY ? ['xdg-open'] : undefined;
}

/** Opens a URL in the browser, if there is a desktop. The URL has been printed, so a failure needs no message. */
function openBrowser(url: string): void {
  const command = opener();
  if (!command) return;
  const [program, ...args] = command;
  const child = spawn(program, [...args, url], { stdio: 'ignore', detached: true });
  child.on('error', () => undefined);
  child.unref();
}

async function addFiles(files: FileServer, paths: readonly string[], io: CliIo): Promise<string | undefined> {
  for (const path of paths) {
    if (isLink(path)) {
      files.addBytes('link', new TextEncoder().encode(path));
      continue;
    }
    try {
      if (path === '-') files.addBytes(inputName(path), await io.stdin());
      else await files.add(path);
    } catch (error) {
      return `${path}: ${reasonOf(error)}`;
    }
  }
  return undefined;
}

async function run(args: readonly string[], io: CliIo): Promise<ExitCode> {
  const parsed = parseCommandArgs(args, OPTIONS);
  if (!parsed.ok) return unusable(io, `open: ${parsed.message}`);
  const { values, positionals } = parsed;
  const port = Number(values.port ?? '0');
  if (!Number.isInteger(port) || port < 0 || port > 65_535) {
    return unusable(io, `open: --port '${values.port}': expected a whole number from 0 to 65535`);
  }
  if (positionals.filter((path) => path === '-').length > 1) {
    return unusable(io, 'open: standard input can be read only once');
  }
  // Of a link alone, how it is shown counts too: the page opens it by itself.
  const [only, ...others] = positionals;
  const fragment =
    only !== undefined && others.length === 0 && isLink(only) ? only.slice(only.indexOf('#')) : undefined;
  const files = new FileServer();
  const problem = fragment === undefined ? await addFiles(files, positionals, io) : undefined;
  if (problem !== undefined) return unusable(io, `open: ${problem}`);
  if (fragment === undefined && positionals.length > 0 && files.size === 0)
    return unusable(io, `open: ${positionals.join(', ')}: no files found`);

  const stopped = untilSignal();
  const server = new WebServer({
    host: '127.0.0.1',
    port,
    web: join(PACKAGE_ROOT, 'dist', 'web'),
    more: (path) => files.answer(path),
  });
  try {
    await server.start();
  } catch (error) {
    return unusable(io, `open: cannot start: ${error instanceof Error ? error.message : String(error)}`);
  }
  const url = `${server.origin}/${fragment ?? (files.size > 0 ? `#files=${files.token}` : '')}`;
  io.stdout(`${url}\n`);
  io.stderr('iovascope: open: serving on this machine only; Ctrl-C stops it\n');
  if (values['no-browser'] !== true) openBrowser(url);
  await stopped;
  await server.end();
  return 0;
}

export const OPEN: Command = { help: HELP, run };
