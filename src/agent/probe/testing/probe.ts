// For tests only: the probe as a program, built with the sanitizers, and copies of sysfs and procfs for it to read.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import {
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type DumpInput, openInputs } from '../../../dumps/input/open.ts';
import { type Fact, isFact } from '../../../session/events.ts';
import { readSession } from '../../../session/read.ts';

const folders: string[] = [];

export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'iovascope-probe-'));
  folders.push(folder);
  return folder;
}

export function removeTemporaryFolders(): void {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
}

/** Content of a file, or where a symbolic link leads. Paths are relative to the root. */
export type Tree = Readonly<Record<string, string | Uint8Array | { readonly link: string }>>;

/** A folder with these files; those whose path ends in `/` are folders. */
export function sysroot(tree: Tree): string {
  const root = temporaryFolder();
  for (const [path, content] of Object.entries(tree)) {
    const whole = join(root, path);
    mkdirSync(path.endsWith('/') ? whole : dirname(whole), { recursive: true });
    if (path.endsWith('/')) continue;
    if (typeof content === 'object' && 'link' in content) symlinkSync(content.link, whole);
    else writeFileSync(whole, content);
  }
  return root;
}

/** A line of the probe's output. */
export type Line = Readonly<Record<string, unknown>>;

export interface ProbeResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly lines: readonly Line[];
}

export function linesOf(stdout: string): Line[] {
  return stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Line);
}

/** Runs a probe to its end. */
export function runProbe(
  program: readonly string[],
  args: readonly string[],
  input: string | Uint8Array = '',
): ProbeResult {
  const [command = '', ...before] = program;
  const { status, stdout, stderr } = spawnSync(command, [...before, ...args], {
    input,
    encoding: 'utf8',
    maxBuffer: 512 * 1024 * 1024,
  });
  return { code: status, stdout, stderr, lines: linesOf(stdout) };
}

/** The facts of a session file, which must be without any fault. */
export function factsOf(stdout: string): Fact[] {
  const { session, problems } = readSession(stdout);
  if (problems.length > 0) throw new Error(`not a clean session: ${JSON.stringify(problems[0])}`);
  return session.events.filter(isFact);
}

/** A probe that goes on running. */
export class RunningProbe {
  readonly child: ChildProcess;
  readonly ended: Promise<{ readonly code: number | null; readonly signal: string | null }>;
  stdout = '';
  stderr = '';
  #changed: () => void = () => undefined;

  constructor(program: string, args: readonly string[]) {
    this.child = spawn(program, args, { stdio: ['pipe', 'pipe', 'pipe'] });
    this.child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.stdout += text;
      this.#changed();
    });
    this.child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text;
    });
    this.child.stdin?.on('error', () => undefined);
    this.ended = new Promise((resolve) => {
      this.child.on('close', (code, signal) => {
        resolve({ code, signal });
        this.#changed();
      });
    });
  }

  write(text: string): void {
    this.child.stdin?.write(text);
  }

  /** Waits until the output so far fits. */
  async until(fits: (stdout: string) => boolean): Promise<void> {
    while (!fits(this.stdout)) {
      if (this.child.exitCode !== null) throw new Error(`it ended before: ${this.stdout}${this.stderr}`);
      await new Promise<void>((resolve) => {
        this.#changed = resolve;
      });
    }
  }
}

/** What the dump readers find in a folder. Links are recorded, not followed. */
export async function factsOfFolder(root: string): Promise<Fact[]> {
  const inputs: DumpInput[] = [];
  const walk = (folder: string) => {
    for (const name of readdirSync(folder).sort()) {
      const path = join(folder, name);
      const about = lstatSync(path);
      if (about.isDirectory()) walk(path);
      else if (about.isSymbolicLink()) inputs.push({ ...fileInput(path, root), link: readlinkSync(path) });
      else inputs.push(fileInput(path, root));
    }
  };
  walk(root);
  const facts: Fact[] = [];
  await openInputs(inputs, { onEvents: (batch) => facts.push(...batch.filter(isFact)) });
  return facts;
}

function fileInput(path: string, tree: string): DumpInput {
  return {
    name: path,
    tree,
    async *stream() {
      yield new Uint8Array(readFileSync(path));
    },
  };
}
