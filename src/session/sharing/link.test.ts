import { deflateRawSync } from 'node:zlib';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { IOVA_MAX, type Iova } from '../../iova/iova.ts';
import { assertProperty } from '../../iova/testing/arbitraries.ts';
import { LINK_BLOB_MAX, LINK_TEXT_MAX, type LinkView, linkFragment, parseLink } from './link.ts';

const SESSION = `{"format":"iova-trace","version":1,"title":"MSI window"}
{"kind":"reserved","start":"0xfee00000","last":"0xfeefffff","type":"msi","origin":"sysfs","group":"7"}
{"kind":"group","group":"7","devices":["0000:06:00.0"]}
`;
const FULL_VIEW: LinkView = {
  at: 3,
  range: { start: 0xfee0_0000n as Iova, last: IOVA_MAX },
  scale: 'log',
  lanes: ['reserved', 'allowed'],
  groups: ['0-3', '7', 'layer bars'],
  guest: 'q35:8G',
  device: '0000:06:00.0',
  model: 'type1',
  kernel: '6.12',
  tab: 'conflicts',
  theme: 'dark',
  step: 2,
  embed: true,
};

/** Written by version 1 of the format. They must open for ever: never change them, add to them. */
const VERSION_1: Readonly<Record<string, string>> = {
  plain:
    'v1.TY2xDsIwDET3fgXyXFBYQMofMDAxIoaocSqLtqnskFJV_XccIVW9yfds3y0QIvcugQWK2R0TuwahhowsFAew5xoSpQ714P64HSYafJxgrRZ466iUUZAzen2S5LgkmW9ANEUKOycbC0XK0jyWwF5ITWRqSZtAZgmioOX4GdVf9zV_uF_W4DFTgwL2CaXMmos15mTgtVY_.dcef5fc7',
};

describe('a link', () => {
  test('carries session and view, and reads them again', () => {
    const fragment = linkFragment({ kind: 'session', text: SESSION }, FULL_VIEW);
    expect(fragment).toMatch(/^v1\.[\w-]+\.[0-9a-f]{8}&at=3&range=0xfee00000-0xffffffffffffffff&scale=log&/);
    expect(parseLink(`#${fragment}`)).toEqual({
      target: { kind: 'session', text: SESSION },
      view: FULL_VIEW,
      problems: [],
    });
  });

  test('names a sample or a lesson without a session', () => {
    expect(linkFragment({ kind: 'sample', name: 'intel-msi' }, { guest: 'q35:8G' })).toBe(
      'sample=intel-msi&guest=q35:8G',
    );
    expect(parseLink('lesson=why%20fee00000&step=4')).toEqual({
      target: { kind: 'lesson', name: 'why fee00000' },
      view: { step: 4 },
      problems: [],
    });
  });

  test('has no other characters than a mail program leaves alone', () => {
    assertProperty(
      fc.property(fc.string({ unit: 'grapheme' }), fc.string({ unit: 'grapheme' }), (text, device) => {
        const fragment = linkFragment({ kind: 'session', text }, { device: `d${device}` });
        expect(fragment).toMatch(/^[\w.~!*'()&=,:/@%-]*$/);
      }),
    );
  });

  test('gives every text and every view back', () => {
    const view = fc.record<LinkView>(
      {
        at: fc.nat({ max: 999_999_999 }),
        scale: fc.constantFrom('fold', 'linear', 'log'),
        device: fc.string({ minLength: 1, unit: 'grapheme' }),
        lanes: fc.array(fc.stringMatching(/^[a-z-]+$/), { minLength: 1 }),
        embed: fc.constant(true),
      },
      { requiredKeys: [] },
    );
    assertProperty(
      fc.property(fc.string({ unit: 'grapheme' }), view, (text, shown) => {
        const content = parseLink(linkFragment({ kind: 'session', text }, shown));
        expect(content).toEqual({ target: { kind: 'session', text }, view: shown, problems: [] });
      }),
    );
  });

  test('of version 1 works for ever', () => {
    expect(Object.keys(VERSION_1)).not.toHaveLength(0);
    for (const fragment of Object.values(VERSION_1)) {
      expect(parseLink(fragment)).toEqual({ target: { kind: 'session', text: SESSION }, view: {}, problems: [] });
    }
  });
});

describe('a link that suffered on the way', () => {
  const fragment = linkFragment({ kind: 'session', text: SESSION }, { at: 1 });

  test('wrapped, quoted and written as HTML', () => {
    const wrapped = `${fragment.slice(0, 30)}\r\n> ${fragment.slice(30, 60)}\n${fragment.slice(60)}`;
    expect(parseLink(wrapped.replace('&', '&amp;'))).toEqual(parseLink(fragment));
  });

  test('cut anywhere: what was recovered are its first lines, and it is said', () => {
    const lines = Array.from({ length: 400 }, (_, i) => `{"kind":"group","group":"${i * 7919}","devices":[]}\n`);
    const text = `{"format":"iova-trace","version":1}\n${lines.join('')}`;
    const long = linkFragment({ kind: 'session', text });
    assertProperty(
      fc.property(fc.nat({ max: long.length - 1 }), (length) => {
        const { target, problems } = parseLink(long.slice(0, length));
        if (target?.kind === 'session') {
          expect(text.startsWith(target.text)).toBe(true);
          expect(target.text.endsWith('\n')).toBe(true);
        }
        if (length >= 3) expect(problems).not.toHaveLength(0);
      }),
    );
    expect(parseLink(long.slice(0, long.length / 2)).problems).toEqual([
      'the link was cut',
      expect.stringMatching(/^the first \d\d+ lines of its session were recovered; the rest is missing$/),
    ]);
  });

  test('with a wrong checksum: opened, and said', () => {
    const wrong = fragment.replace(/\.[0-9a-f]{8}&/, '.00000000&');
    expect(parseLink(wrong)).toEqual({
      target: { kind: 'session', text: SESSION },
      view: { at: 1 },
      problems: ['the checksum of the link is wrong: its session may be damaged'],
    });
  });

  test('damaged inside: never more than was in it, never without a word', () => {
    assertProperty(
      fc.property(fc.nat({ max: 150 }), fc.constantFrom('A', '_', '!', '7'), (at, character) => {
        const index = 3 + at;
        fc.pre(index < fragment.indexOf('&') && fragment[index] !== character);
        const damaged = fragment.slice(0, index) + character + fragment.slice(index + 1);
        const { target, problems } = parseLink(damaged);
        const isSame = target?.kind === 'session' && target.text === SESSION;
        if (!isSame) expect(problems).not.toHaveLength(0);
      }),
    );
  });

  test('of a newer version: said, and the view is used', () => {
    expect(parseLink('v2.AAAA.00000000&scale=log')).toEqual({
      target: undefined,
      view: { scale: 'log' },
      problems: ['the link is of version 2, made by a newer iovascope; this one reads version 1'],
    });
  });

  test('a bomb is unpacked up to the limit', () => {
    const bomb = deflateRawSync(new Uint8Array(LINK_TEXT_MAX + 1).fill(10)).toString('base64url');
    const { target, problems } = parseLink(`v1.${bomb}.00000000`);
    expect(target?.kind === 'session' && target.text.length).toBe(LINK_TEXT_MAX);
    expect(problems[0]).toBe('the session in the link is larger than 8 MiB');
  });

  test('longer than is read: said', () => {
    expect(parseLink(`v1.${'A'.repeat(LINK_BLOB_MAX + 4)}.00000000`).problems[0]).toBe(
      'the link has more than 64 KiB: only the beginning was read',
    );
  });

  test('a key that a later version added leaves the rest as it is', () => {
    const known = parseLink(fragment);
    const [session, ...keys] = fragment.split('&');
    const newer = parseLink([session, 'later=0-3,7', ...keys].join('&'));
    expect(newer).toEqual({ ...known, problems: ["'later' in the link is not known: ignored"] });
  });

  test('values and keys that are not known are named and ignored', () => {
    const { target, view, problems } = parseLink(
      'sample=a&range=0x5-0x1&scale=cubic&at=x&theme=pink&embed=2&tab=&who=me&guest=%E0%A4%A&kernel=6.1',
    );
    expect(target).toEqual({ kind: 'sample', name: 'a' });
    expect(view).toEqual({ kernel: '6.1' });
    expect(problems).toEqual([
      'range=0x5-0x1 in the link is not a range such as 0xfee00000-0xfeefffff: ignored',
      'scale=cubic in the link is not fold, linear or log: ignored',
      'at=x in the link is not a number: ignored',
      'theme=pink in the link is not light or dark: ignored',
      'embed=2 in the link is not 0 or 1: ignored',
      'tab= in the link has no value: ignored',
      "'who' in the link is not known: ignored",
      'guest=%E0%A4%A in the link is not percent-encoded: ignored',
    ]);
  });
});
