import { readFileSync } from 'node:fs';
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
