import { describe, expect, it } from 'vitest';
import { runCli } from './testing/run.ts';

/** One line, that begins with the program's name. */
const ONE_LINE = /^iovascope: [^\n]+\n$/;

describe('iovascope', () => {
  it.each(['--help', '-h'])('%s lists the verbs', async (option) => {
    const { code, stdout, stderr } = await runCli([option]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^usage: iovascope VERB/);
    expect(stdout).toMatch(/^ {2}replay {2}/m);
    expect(stderr).toBe('');
  });

  it('every listed verb has a help of its own', async () => {
    const { stdout } = await runCli(['--help']);
    const verbs = [...stdout.matchAll(/^ {2}(\w+) {2}/gm)].map(([, verb = '']) => verb);
    expect(verbs).toContain('replay');
    for (const verb of verbs) {
      const help = await runCli([verb, '--help']);
      expect(help.code, verb).toBe(0);
      expect(help.stdout, verb).toMatch(new RegExp(`^usage: iovascope ${verb} `));
      expect(help.stderr, verb).toBe('');
      expect((await runCli([verb, '-h'])).stdout, verb).toBe(help.stdout);
    }
  });

  it.each([
    ['no verb', [], 'verb is missing'],
    ['an unknown verb', ['frobnicate'], 'frobnicate'],
    ['a verb that is a name of JavaScript', ['toString'], 'toString'],
    ['an unknown option', ['--frob'], '--frob'],
  ])('%s is unusable, and said in one line', async (_name, args, word) => {
    const { code, stdout, stderr } = await runCli(args);
    expect(code).toBe(2);
    expect(stdout).toBe('');
    expect(stderr).toMatch(ONE_LINE);
    expect(stderr).toContain(word);
  });
});
