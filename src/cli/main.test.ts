import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { runCli } from './testing/run.ts';

/** One line, that begins with the program's name. */
const ONE_LINE = /^iovascope: [^\n]+\n$/;

describe('iovascope', () => {
  it.each(['--help', '-h'])('%s lists the commands', async (option) => {
    const { code, stdout, stderr } = await runCli([option]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^usage: iovascope COMMAND/);
    expect(stdout).toMatch(/^ {2}replay {2}/m);
    expect(stderr).toBe('');
  });

  it.each(['--version', '-V'])('%s prints the version of the package', async (option) => {
    const { version } = JSON.parse(readFileSync(join(import.meta.dirname, '../../package.json'), 'utf8'));
    expect(await runCli([option])).toEqual({ code: 0, stdout: `${version}\n`, stderr: '' });
  });

  it('prints no control or direction character of a dump as it is, and JSON stays JSON', async () => {
    const group = 'a\u001b]0;x\u0007\u202eb\u009b\u2028\rc';
    const facts = [
      { format: 'iova-trace', version: 1, title: group },
      { kind: 'reserved', start: '0xfee00000', last: '0xfeefffff', type: 'msi', origin: 'sysfs', group },
    ];
    const folder = mkdtempSync(join(tmpdir(), 'main-'));
    const path = join(folder, 'a\u001b[31m.iova.jsonl');
    writeFileSync(path, facts.map((fact) => JSON.stringify(fact)).join('\n'));
    const calls = [
      ['fit', '--size', '4K'],
      ['check'],
      ['check', '--json'],
      ['inspect', '--json'],
      ['compare'],
      ['nothing'],
    ];
    for (const [command = '', ...options] of calls) {
      const { stdout, stderr } = await runCli([command, path, ...options]);
      expect(stdout + stderr, command).not.toMatch(/[^\P{Cc}\t\n]|\p{Bidi_Control}|\u2028/u);
      if (options.includes('--json')) for (const line of stdout.trimEnd().split('\n')) JSON.parse(line);
    }
    const { stdout } = await runCli(['inspect', path, '--json']);
    expect(stdout.split('\n').some((line) => line !== '' && JSON.parse(line).group === group)).toBe(true);
    rmSync(folder, { recursive: true });
  });

  it('help alone is --help', async () => {
    expect(await runCli(['help'])).toEqual(await runCli(['--help']));
  });

  it('every listed command has a help of its own', async () => {
    const { stdout } = await runCli(['--help']);
    const commands = [...stdout.matchAll(/^ {2}(\w+) {2}/gm)].map(([, name = '']) => name);
    expect(commands).toContain('replay');
    for (const name of commands) {
      const help = await runCli([name, '--help']);
      expect(help.code, name).toBe(0);
      expect(help.stdout, name).toMatch(new RegExp(`^usage: iovascope ${name} `));
      expect(help.stderr, name).toBe('');
      expect((await runCli([name, '-h'])).stdout, name).toBe(help.stdout);
      expect(await runCli(['help', name]), name).toEqual(help);
    }
  });

  it.each([
    ['no command', [], 'no command given'],
    ['an unknown command', ['frobnicate'], 'frobnicate'],
    ['a command that is a name of JavaScript', ['toString'], 'toString'],
    ['an unknown option', ['--frob'], '--frob'],
    ['help for an unknown command', ['help', 'frobnicate'], 'frobnicate'],
    ['a port that is none', ['open', '--port', '70000'], '--port'],
    ['a file to open that is not there', ['open', '/not/there'], '/not/there: no such file'],
  ])('%s is unusable, and said in one line', async (_name, args, word) => {
    const { code, stdout, stderr } = await runCli(args);
    expect(code).toBe(2);
    expect(stdout).toBe('');
    expect(stderr).toMatch(ONE_LINE);
    expect(stderr).toContain(word);
  });
});
