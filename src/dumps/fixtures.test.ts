// Every fixture: its facts are those kept beside it, whatever it is called, and survive a session file.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import type { Fact } from '../session/events.ts';
import { newSession } from '../session/session.ts';
import { writeEvent, writeSession } from '../session/write.ts';
import {
  firstLines,
  groupsOf,
  IS_LONG,
  inputOf,
  OFFERED_ALL,
  type Opened,
  ofAnyInterest,
  openAll,
  openText,
  regionsOf,
} from './testing/read.ts';

const ROOT = fileURLToPath(new URL('./fixtures/', import.meta.url));
const FIXTURES = readdirSync(ROOT, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.includes('/') && !name.endsWith('.facts.jsonl'))
  .sort();
const bytesOf = (fixture: string) => new Uint8Array(readFileSync(join(ROOT, fixture)));
/** Of thousands of facts, texts are compared much faster. */
const textsOf = (facts: readonly Fact[]) => facts.map(writeEvent).join('\n');

describe.each(FIXTURES)('%s', (fixture) => {
  test('is read as before, under any name, and back from a session file', async () => {
    const name = fixture.split('/').at(-1) ?? '';
    const { facts } = await openAll([inputOf(name, bytesOf(fixture))]);
    const texts = textsOf(facts);
    expect(facts.some(({ kind }) => kind !== 'diagnostic')).toBe(true);
    await expect(`${texts}\n`).toMatchFileSnapshot(join(ROOT, `${fixture}.facts.jsonl`));

    const renamed = await openAll([inputOf('q', bytesOf(fixture), 100)]);
    const named = (fact: Fact) => ({ ...fact, source: name });
    expect(textsOf(renamed.facts.map(named))).toBe(texts);

    const session = newSession();
    session.events.push(...facts);
    const back = await openText(writeSession(session), 'q');
    expect(back.facts).toEqual(facts);
  });
});

test.each(FIXTURES)('no line that a format reads is kept from it by its interest: %s', async (fixture) => {
  const inputs = [inputOf('x', bytesOf(fixture))];
  const facts = ofAnyInterest((await openAll(inputs)).facts);
  expect(textsOf(facts)).toBe(textsOf(ofAnyInterest((await openAll(inputs, OFFERED_ALL)).facts)));
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

  const texts = plain.map((fixture) => ({
    fixture,
    text: firstLines(new TextDecoder().decode(bytesOf(fixture)), 200),
  }));
  const shortly = (opened: Opened) => ({ regions: regionsOf(opened), groups: groupsOf(opened) });
  const known = new Map<string, Promise<ReturnType<typeof shortly>>>();
  const before = (fixture: string, text: string) => {
    const found = known.get(fixture) ?? openText(text).then(shortly);
    known.set(fixture, found);
    return found;
  };

  test.each(ENVELOPES.map((envelope, index) => [...envelope, index] as const))('%s', async (_, wrap, index) => {
    expect(plain.length).toBeGreaterThan(15);
    for (const [row, { fixture, text }] of texts.entries()) {
      // Every second pair, and that no word is missing from an interest for every fourth; in the long form for all.
      if (!IS_LONG && (row + index) % 2 !== 0) continue;
      const isChecked = IS_LONG || (row + index) % 4 === 0;
      const wrapped = wrap(text);
      const after = isChecked ? await openText(wrapped) : await openAll([inputOf('paste.txt', wrapped)]);
      expect([fixture, shortly(after)]).toEqual([fixture, await before(fixture, text)]);
    }
  });
});
