// Every fixture: its facts are those kept beside it, whatever it is called, and survive a session file.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Fact } from '../session/events.ts';
import { newSession } from '../session/session.ts';
import { writeEvent, writeSession } from '../session/write.ts';
import { DIAGNOSTIC_LIMIT } from './collector.ts';
import { groupsOf, inputOf, openAll, openText, regionsOf } from './testing.ts';

const ROOT = fileURLToPath(new URL('./fixtures/', import.meta.url));
const FIXTURES = readdirSync(ROOT, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.includes('/') && !name.endsWith('.facts.jsonl'))
  .sort();
const bytesOf = (fixture: string) => new Uint8Array(readFileSync(join(ROOT, fixture)));

describe.each(FIXTURES)('%s', (fixture) => {
  test('is read as before, under any name, and back from a session file', async () => {
    const name = fixture.split('/').at(-1) ?? '';
    const { facts } = await openAll([inputOf(name, bytesOf(fixture))]);
    expect(facts.some(({ kind }) => kind !== 'diagnostic')).toBe(true);
    await expect(`${facts.map(writeEvent).join('\n')}\n`).toMatchFileSnapshot(join(ROOT, `${fixture}.facts.jsonl`));

    const renamed = await openAll([inputOf('q', bytesOf(fixture), 100)]);
    const named = (fact: Fact) => ({ ...fact, source: name });
    expect(renamed.facts.map(named)).toEqual(facts);

    const session = newSession();
    session.events.push(...facts);
    const back = await openText(writeSession(session), 'q');
    expect(back.facts).toEqual(facts);
  });
});

describe('whatever surrounds a fixture, its regions and groups are the same', () => {
  const wrapAt = (limit: number, hard: boolean) => (line: string) => {
    const parts: string[] = [];
    let rest = line;
    while (rest.length > limit) {
      const blank = rest.lastIndexOf(' ', limit);
      const cut = hard || blank <= 0 ? limit : blank;
      parts.push(rest.slice(0, cut));
      rest = rest.slice(cut).replace(/^ /, '');
    }
    return [...parts, rest].join('\n');
  };
  const quotedPrintable = (line: string) => {
    let rest = line.replaceAll('=', '=3D').replace(/ $/, '=20');
    let out = '';
    while (rest.length > 76) {
      // An escape may not be cut in two.
      const cut = rest.slice(0, 75).replace(/=.?$/, '').length;
      out += `${rest.slice(0, cut)}=\n`;
      rest = rest.slice(cut);
    }
    return out + rest;
  };
  const eachLine = (change: (line: string) => string) => (text: string) => text.split('\n').map(change).join('\n');
  const ENVELOPES: [name: string, wrap: (text: string) => string][] = [
    ['quote marks', eachLine((line) => `> ${line}`)],
    ['more quote marks', eachLine((line) => `> >> | ${line}`)],
    ['escaped quote marks', eachLine((line) => `&gt; ${line.replaceAll('>', '&gt;').replaceAll('<', '&lt;')}`)],
    ['syslog', eachLine((line) => `Jan  3 12:00:01 maple dump[17]: ${line}`)],
    ['a journal with ISO times', eachLine((line) => `2024-01-03T12:00:01.000001+0100 maple dump[17]: ${line}`)],
    ['kernel stamps', eachLine((line) => `[   12.345678] ${line}`)],
    ['relative stamps, a decimal comma', eachLine((line) => `[  +0,000014] ${line}`)],
    ['chat', eachLine((line) => `12:34 <maple> ${line}`)],
    ['CR LF', (text) => text.replaceAll('\n', '\r\n')],
    ['CR', (text) => text.replaceAll('\n', '\r')],
    ['CR CR LF', (text) => text.replaceAll('\n', '\r\r\n')],
    ['trailing blanks', eachLine((line) => `${line}  \t`)],
    ['NULs at the end', (text) => text + '\0'.repeat(4096)],
    ['a mark of byte order', (text) => `\uFEFF${text}`],
    ['quoted-printable', eachLine(quotedPrintable)],
    ['a mail program, at blanks', eachLine(wrapAt(72, false))],
    ['a mail program, anywhere', eachLine(wrapAt(72, true))],
    ['a mail program, quoted', (text) => eachLine((line) => `> ${line}`)(eachLine(wrapAt(70, false))(text))],
    ['two of them', (text) => eachLine((line) => `>> ${line}`)(eachLine((line) => `[    0.000001] ${line}`)(text))],
  ];
  // Those that hold prompts, chats and marks of their own cannot be put into another of the same kind.
  const plain = FIXTURES.filter((fixture) => fixture.includes('captured') || fixture.includes('loop-output'));

  test.each(ENVELOPES)('%s', async (_, wrap) => {
    expect(plain.length).toBeGreaterThan(15);
    for (const fixture of plain) {
      const text = new TextDecoder().decode(bytesOf(fixture));
      const before = await openText(text);
      const after = await openText(wrap(text));
      expect([fixture, regionsOf(after), groupsOf(after)]).toEqual([fixture, regionsOf(before), groupsOf(before)]);
    }
  });
});

describe('nothing throws, and nothing grows without bounds', () => {
  const texts = FIXTURES.map((fixture) => new TextDecoder().decode(bytesOf(fixture)));

  async function survives(content: string | Uint8Array, chunk?: number): Promise<void> {
    const { facts, sources } = await openAll([inputOf('x', content, chunk)]);
    const byCode = new Map<string, number>();
    for (const fact of facts) {
      if (fact.kind === 'reserved') expect(fact.start <= fact.last).toBe(true);
      if (fact.kind === 'diagnostic') byCode.set(fact.code, (byCode.get(fact.code) ?? 0) + 1);
      expect(fact.source).toBeTypeOf('string');
    }
    for (const [code, count] of byCode) expect([code, count <= DIAGNOSTIC_LIMIT + 1]).toEqual([code, true]);
    expect(sources[0]?.samples.length).toBeLessThanOrEqual(5);
  }

  test('random bytes', async () => {
    await fc.assert(fc.asyncProperty(fc.uint8Array({ maxLength: 2000 }), fc.integer({ min: 1, max: 300 }), survives), {
      numRuns: 200,
    });
  });

  test('random text of the letters that dumps are made of', async () => {
    const token = fc.constantFrom(
      ...[
        '0x',
        '0',
        'f',
        'fee00000',
        ' ',
        '\t',
        '\n',
        '\r',
        '=',
        '>',
        '> ',
        '|',
        '$ ',
        '# ',
        'cat ',
        'cd ',
        'group 7',
        'msi',
        'direct-',
        '/',
      ],
      ...[
        'reserved_regions',
        '/sys/kernel/iommu_groups/',
        '7',
        '/devices/',
        '0000:00:1f.0',
        ':',
        '==> ',
        ' <==',
        '...',
        '\0',
        '*',
        'msg="',
        '{"log":"',
        '"}',
      ],
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(token, { maxLength: 200 }).map((tokens) => tokens.join('')),
        (text) => survives(text),
      ),
      { numRuns: 500 },
    );
  });

  test('fixtures cut and put together again', async () => {
    const piece = fc.record({
      text: fc.nat(texts.length - 1),
      from: fc.double({ min: 0, max: 1, noNaN: true }),
      to: fc.double({ min: 0, max: 1, noNaN: true }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(piece, { minLength: 1, maxLength: 5 }), async (pieces) => {
        const cut = pieces.map(({ text: index, from, to }) => {
          const text = texts[index] ?? '';
          return text.slice(from * text.length, to * text.length);
        });
        await survives(cut.join(''));
      }),
      { numRuns: 200 },
    );
  });

  test('the same with the bytes of a session file', async () => {
    const session = newSession();
    session.events.push({ kind: 'host', name: 'x', source: 'x' });
    const text = writeSession(session);
    await fc.assert(
      fc.asyncProperty(fc.nat(text.length), fc.nat(text.length), fc.string(), (a, b, middle) =>
        survives(text.slice(0, a) + middle + text.slice(b)),
      ),
      { numRuns: 200 },
    );
  });

  // Long runs of one thing: where a pattern would go back and forth, this would not come to an end.
  const REPEATED = [
    '0x',
    '0x0 ',
    '0x0 0x',
    '>',
    '> ',
    '| ',
    ' ',
    '\t',
    '=',
    '/',
    '[',
    '(',
    '<',
    'a ',
    'a=',
    'a="',
    '\\',
    '1:',
    '#',
    '$',
    '-',
    '- ',
    '.',
    '7/',
    'group ',
    'iommu_groups/7/devices/',
    'reserved_regions',
    '0000:00:1f.0 ',
    'msg="\\"',
    '{"log":"',
    '&gt;',
    '==> ',
    ' <==',
    '\u001b[',
    '\u001b]',
    'direct-',
    'Jan 1 ',
    '=3D',
    '=\n',
    '0x0\n',
    '\0',
    '\r',
    '~/',
    'x@',
    'x@y:',
    'cd ',
    '; cd ',
    '<pre>',
  ];
  test.each(REPEATED)('%j over and over', async (text) => {
    for (const start of ['', '0x0 ', '/sys/kernel/iommu_groups/', '[', 'a@b:', 'time="']) {
      await survives(start + text.repeat(Math.ceil(200_000 / text.length)));
    }
  });
});
