import { deflateSync as zlibDeflate } from 'node:zlib';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { assertProperty } from '../../iova/testing/arbitraries.ts';
import { crc32 } from './crc32.ts';
import { htmlSessionElement, sessionInHtml, sessionInSvg, svgMetadata } from './markup.ts';
import { pngWithSession, sessionInPng } from './png.ts';
import { isPng } from './png-signature.ts';

const TEXT = `{"format":"iova-trace","version":1,"title":"a < b & \\"c\\" </script> ]]> ü"}
{"kind":"group","group":"7","devices":["0000:06:00.0"]}
`;

function chunk(type: string, data: Uint8Array): Uint8Array {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const frame = Buffer.alloc(8);
  frame.writeUInt32BE(data.length, 0);
  frame.writeUInt32BE(crc32(body), 4);
  return Buffer.concat([frame.subarray(0, 4), body, frame.subarray(4)]);
}

/** A PNG of one grey pixel. */
const PIXEL = new Uint8Array(
  Buffer.concat([
    Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
    chunk('IHDR', Buffer.from([0, 0, 0, 1, 0, 0, 0, 1, 8, 0, 0, 0, 0])),
    chunk('IDAT', zlibDeflate(Buffer.from([0, 128]))),
    chunk('IEND', Buffer.alloc(0)),
  ]),
);

test('CRC-32 of its check value', () => {
  expect(crc32(new TextEncoder().encode('123456789'))).toBe(0xcbf4_3926);
  expect(crc32(new TextEncoder().encode('6789'), crc32(new TextEncoder().encode('12345')))).toBe(0xcbf4_3926);
});

describe('PNG', () => {
  test('carries a session, once', () => {
    const first = pngWithSession(PIXEL, 'other\n');
    const png = pngWithSession(first, TEXT);
    expect(isPng(png)).toBe(true);
    expect(sessionInPng(png)).toEqual({ state: 'found', text: TEXT });
    expect(
      Buffer.from(png)
        .toString('latin1')
        .match(/iTXtiovascope/g),
    ).toHaveLength(1);
    expect(png.slice(-12)).toEqual(PIXEL.slice(-12));
  });

  test('without a session, and what is no PNG', () => {
    expect(sessionInPng(PIXEL)).toEqual({ state: 'none' });
    expect(isPng(new TextEncoder().encode('GIF89a'))).toBe(false);
    expect(() => pngWithSession(new Uint8Array(3), '')).toThrow(RangeError);
  });

  test('a session that another program wrote unpacked, with a language', () => {
    const data = Buffer.from(`iovascope\0\0\0en\0name\0${TEXT}`, 'utf8');
    const png = Buffer.concat([PIXEL.subarray(0, -12), chunk('iTXt', data), PIXEL.subarray(-12)]);
    expect(sessionInPng(png)).toEqual({ state: 'found', text: TEXT });
  });

  test('cut or damaged anywhere: the beginning of the session, or none, and it is said', () => {
    const long = `${TEXT}${Array.from({ length: 200 }, (_, i) => `{"kind":"group","group":"${i * 7919}"}\n`).join('')}`;
    const png = pngWithSession(PIXEL, long);
    const from = Buffer.from(png).indexOf('iTXtiovascope') + 'iTXtiovascope\0'.length;
    assertProperty(
      fc.property(fc.integer({ min: from, max: png.length - 13 }), fc.boolean(), (at, isCut) => {
        const bytes = png.slice(0, isCut ? at : undefined);
        if (!isCut) bytes[at] = (bytes[at] ?? 0) ^ 0x5a;
        const session = sessionInPng(bytes);
        expect(session).toHaveProperty('problem');
        if (isCut && session.state === 'found') expect(long.startsWith(session.text)).toBe(true);
      }),
    );
  });

  test('random bytes never throw', () => {
    assertProperty(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        sessionInPng(new Uint8Array([...PIXEL.subarray(0, 8), ...bytes]));
      }),
    );
  });
});

describe('SVG and HTML', () => {
  test('carry any session', () => {
    assertProperty(
      fc.property(fc.string({ unit: 'grapheme', minLength: 1 }), (text) => {
        fc.pre(text.trim() !== '');
        expect(sessionInSvg(`<svg xmlns="x">${svgMetadata(text)}<g/></svg>`)).toEqual({ state: 'found', text });
        expect(sessionInHtml(`<body>${htmlSessionElement(text)}<p></body>`)).toEqual({ state: 'found', text });
      }),
    );
    expect(htmlSessionElement(TEXT).match(/</g)).toHaveLength(2);
  });

  test('a file edited by hand', () => {
    const edited = svgMetadata(TEXT)
      .replace('<metadata', '<svg:metadata\n  inkscape:label="x"')
      .replace('</metadata>', '</svg:metadata >')
      .replace('&amp;', '&#38;')
      .replace('&lt; b', '&#x3c; b');
    expect(sessionInSvg(edited)).toEqual({ state: 'found', text: TEXT });
    const [before = '', after = ''] = TEXT.split(' ]]> ');
    const cdata = `<metadata id='iovascope-session'><!-- moved --><![CDATA[${before}]]> ]]&gt; <![CDATA[${after}]]></metadata>`;
    expect(sessionInSvg(cdata)).toEqual({ state: 'found', text: TEXT });
  });

  test('without a session', () => {
    expect(sessionInSvg('<svg><metadata>made by another program</metadata></svg>')).toEqual({ state: 'none' });
    expect(sessionInSvg(`<svg>${svgMetadata('')}</svg>`)).toEqual({ state: 'none' });
    expect(sessionInHtml('<script>1</script>')).toEqual({ state: 'none' });
  });

  test('cut inside: the lines before the cut, and it is said', () => {
    const firstLine = TEXT.slice(0, TEXT.indexOf('\n') + 1);
    expect(sessionInSvg(svgMetadata(TEXT).slice(0, -30))).toEqual({
      state: 'found',
      text: firstLine,
      problem: 'the SVG was cut inside its session',
    });
    expect(sessionInHtml(htmlSessionElement(TEXT).slice(0, -30))).toEqual({
      state: 'found',
      text: firstLine,
      problem: 'the HTML page was cut inside its session',
    });
    expect(sessionInHtml(htmlSessionElement(TEXT).replace('">"', '">'))).toEqual({
      state: 'unreadable',
      problem: 'the session in the HTML page is damaged',
    });
  });
});
