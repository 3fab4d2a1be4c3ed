import { expect, test } from 'vitest';
import { linkFragment } from '../../session/sharing/link.ts';
import { htmlSessionElement, svgMetadata } from '../../session/sharing/markup.ts';
import { pngWithSession } from '../../session/sharing/png.ts';
import { PNG_SIGNATURE } from '../../session/sharing/png-signature.ts';
import { inputOf, openAll, openText, regionsOf } from '../testing/read.ts';

const SESSION = `{"format":"iova-trace","version":1,"title":"shared"}
{"kind":"reserved","start":"0xfee00000","last":"0xfeefffff","type":"msi","group":"7","source":"host.txt","line":3}
`;
const FACT = {
  kind: 'reserved',
  start: 0xfee0_0000n,
  last: 0xfeef_ffffn,
  type: 'msi',
  group: '7',
  source: 'host.txt',
  line: 3,
};
const END_CHUNK = [0, 0, 0, 0, 0x49, 0x45, 0x4e, 0x44, 0xae, 0x42, 0x60, 0x82];
const EMPTY_PNG = new Uint8Array([...PNG_SIGNATURE, ...END_CHUNK]);
const LINK = `https://example.org/iovascope/#${linkFragment({ kind: 'session', text: SESSION }, { scale: 'log' })}`;

test.each([
  ['PNG', pngWithSession(EMPTY_PNG, SESSION)],
  ['SVG', `<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg">${svgMetadata(SESSION)}</svg>`],
  ['HTML', `<!doctype html>\n<html lang="en"><head>${htmlSessionElement(SESSION)}</head></html>`],
  ['link', `${LINK}\n`],
  ['link in a mail', `> <${LINK.slice(0, 60)}\n> ${LINK.slice(60)}>\n`],
  ['fragment', LINK.slice(LINK.indexOf('#'))],
])('the session inside of a %s is opened', async (_what, content) => {
  const opened = await openAll([inputOf('shared', content, 50)]);
  expect(opened.facts).toEqual([FACT]);
});

test('a picture without a session says what it is', async () => {
  const { facts } = await openAll([inputOf('x.png', EMPTY_PNG)]);
  expect(facts).toEqual([
    expect.objectContaining({
      code: 'binary-file',
      message: expect.stringContaining('a PNG image with no session in it'),
    }),
  ]);
});

test('a page with a dump in it is read as text', async () => {
  const opened = await openText('<html><pre>\n0x00000000fee00000 0x00000000feefffff msi\n</pre></html>\n');
  expect(regionsOf(opened)).toEqual(['?: fee00000-feefffff msi']);
});

test('of a link that was cut, what was recovered is opened, and it is said', async () => {
  const lines = Array.from({ length: 300 }, (_, i) => `{"kind":"group","group":"${i * 7919}","devices":[]}\n`).join('');
  const long = `https://example.org/#${linkFragment({ kind: 'session', text: SESSION + lines })}`;
  const { facts } = await openText(long.slice(0, 900));
  expect(facts.length).toBeGreaterThan(20);
  expect(facts[0]).toMatchObject({
    code: 'session-damaged',
    message: expect.stringMatching(/^the link was cut; the first/),
  });
  expect(facts[1]).toEqual(FACT);
});

test('a link of which nothing is left, and one that names a sample, say so', async () => {
  const messages = async (text: string) =>
    (await openText(text)).facts.map((fact) => (fact.kind === 'diagnostic' ? fact.message : fact.kind));
  expect(await messages('https://example.org/#v3.abc.0')).toEqual([
    'the link is of version 3, made by a newer iovascope; this one reads version 1',
  ]);
  expect(await messages('https://example.org/#sample=intel')).toEqual([
    "the link names a sample, 'intel'; open it in a browser",
  ]);
});
