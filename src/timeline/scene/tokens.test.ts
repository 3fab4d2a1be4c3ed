// One place for the look: no other file of the page or the picture has a color, a size of text or a distance of its own.
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { tokensCss } from '../../../vite.tokens.ts';
import * as tokens from './tokens.ts';

const SRC = path.resolve(import.meta.dirname, '../..');
const NOT_OF_THE_LOOK = /tokens\.ts$|\.test\.ts$|(?:^|\/)(?:testing|fixtures)\//;

const files = readdirSync(SRC, { recursive: true, encoding: 'utf8' })
  .map((file) => file.replaceAll(path.sep, '/'))
  .filter((file) => /\.(?:css|tsx?)$/.test(file) && !NOT_OF_THE_LOOK.test(file))
  .map((file) => ({ file, text: readFileSync(path.join(SRC, file), 'utf8') }));

const COLOR = /#(?:[0-9a-f]{8}|[0-9a-f]{6}|[0-9a-f]{3,4})\b|\b(?:rgba?|hsla?|oklch|oklab|hwb|lab|lch)\(/i;
const COLOR_NAME =
  /\b(?:white|black|gr[ae]y|silver|red|green|blue|yellow|orange|purple|navy|teal|maroon|pink|brown)\b/i;

/** What one declaration of a style sheet has that belongs into the tokens. */
function objection(property: string, value: string): string | undefined {
  if (COLOR.test(value)) return 'a color';
  if (/color|background|border|outline|shadow|fill|stroke/.test(property) && COLOR_NAME.test(value)) return 'a color';
  if (/^font(?:-size)?$/.test(property) && !/^(?:var\(--text-[a-z]+\)|inherit)/.test(value)) return 'a size of text';
  if (/^font(?:-family)?$/.test(property) && /system-ui|serif|monospace/.test(value)) return 'a font';
  if (/^(?:padding|margin|scroll-|(?:row-|column-)?gap)/.test(property)) {
    // A pixel closes the seam between two borders; paper has millimetres.
    const rest = value.replace(/var\(--space-\d+\)|\b0\b|-?\b1px\b|\b\d+mm\b|auto|calc\(|-1 \*|[()+\s]/g, '');
    if (rest !== '') return 'a distance';
  }
  if (/radius$/.test(property) && value.replace(/var\(--corner-[a-z]+\)|\b0\b|50%|\s/g, '') !== '') return 'a corner';
  return undefined;
}

function objections(file: string, text: string): string[] {
  if (file.endsWith('.css')) {
    const declarations = text.replace(/\/\*[\s\S]*?\*\//g, '').matchAll(/(?<=[{;]\s*)([\w-]+):\s*([^;{}]+)(?=[;}])/g);
    return [...declarations].flatMap(([all, property = '', value = '']) => {
      const what = objection(property, value.trim());
      return what === undefined ? [] : [`${file}: ${what}: ${all}`];
    });
  }
  const code = text.replace(/^\s*(?:\/\/|\/?\*).*$/gm, '');
  const found = [
    ...code.matchAll(/['"`](?:#(?:[0-9a-f]{8}|[0-9a-f]{6}|[0-9a-f]{3,4})|(?:rgba?|hsla?)\([^'"`]*)['"`]/gi),
    ...code.matchAll(/\b\d+(?:\.\d+)?p[xt] \$?\{?[\w-]*(?:sans|serif|mono)\w*/gi),
    ...code.matchAll(/fontSize: ?['"\d][^,}]*|font-size="\d[^"]*"/g),
    ...(/^timeline\/(?:scene|paint)\//.test(file) ? code.matchAll(/\bsize: \d[\d.]*|SIZE = \d[\d.]*/g) : []),
    // The third parameter of most: the last of some is a count of characters.
    ...code.matchAll(/\b(?:textWidth|shorten|wrapText)\([^()]*, \d\d(?:\.\d+)?[,)]/g),
  ];
  return found.map(([what]) => `${file}: ${what}`);
}

test('colors, sizes of text, distances, corners and fonts are in tokens.ts alone', () => {
  expect(files.length).toBeGreaterThan(300);
  expect(files.flatMap(({ file, text }) => objections(file, text))).toEqual([]);
});

test('what does not belong elsewhere is found', () => {
  const inCss = (declaration: string) => objections('app/x.css', `.x {\n  ${declaration};\n}\n`).length;
  const wrong = [
    ...['color: #fff', 'background: rgb(0 0 0)', 'border: 1px solid black', 'font-size: 12px', 'font-size: 0.9em'],
    ...['font: 12px / 1.5 var(--mono)', 'font-family: ui-monospace, monospace', 'padding: 0 5px', 'gap: 1em'],
    ...['margin-top: 4pt', 'margin: 0 calc(-1 * 12px)', 'border-radius: 3px', 'box-shadow: 0 0 4px #0008'],
  ];
  expect(wrong.filter((declaration) => inCss(declaration) === 0)).toEqual([]);
  const right = [
    ...['color: var(--ink)', 'border: 1px solid var(--line)', 'font: inherit', 'font-size: var(--text-label)'],
    ...['font: var(--text-label) / 1.5 var(--mono)', 'padding: 0 var(--space-3)', 'margin: 0 auto', 'margin: -1px'],
    ...['margin: 0 calc(-1 * var(--space-3))', 'border-radius: 50%', 'color: Highlight'],
  ];
  expect(right.filter((declaration) => inCss(declaration) > 0)).toEqual([]);
  const inScene = (code: string) => objections('timeline/scene/x.ts', code).length;
  expect(["fill: '#a0b1c2'", 'const LABEL_SIZE = 11;', "shorten(title, room, 12, 'bold')"].map(inScene)).toEqual([
    1, 1, 1,
  ]);
  expect(inScene('context.font = `600 10px sans-serif`')).toBe(1);
});

test('every custom property that a style sheet uses is a token or is set by the page', () => {
  const css = tokensCss(tokens);
  const isSet = (name: string) =>
    css.includes(`${name}: `) ||
    files.some(({ file, text }) =>
      file.endsWith('.css')
        ? text.includes(`${name}: `)
        : // As a whole, or its end behind a variable: `--${panel}-size`.
          text.includes(`'${name}'`) || text.includes(`}${name.slice(name.lastIndexOf('-'))}\``),
    );
  const used = new Set(
    files.flatMap(({ text }) => [...text.matchAll(/var\((--[a-z0-9-]+)[),]/g)].map(([, name = '']) => name)),
  );
  expect(used.size).toBeGreaterThan(20);
  expect([...used].filter((name) => !isSet(name))).toEqual([]);
});

/** WCAG 2.2: relative luminance of a color as `#rrggbb`. */
function luminance(color: string): number {
  const [r = 0, g = 0, b = 0] = [1, 3, 5].map((at) => {
    const share = Number.parseInt(color.slice(at, at + 2), 16) / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

function contrast(a: string, b: string): number {
  const [low = 0, high = 0] = [luminance(a), luminance(b)].sort((x, y) => x - y);
  return (high + 0.05) / (low + 0.05);
}

test.each(['light', 'dark'] as const)('text and outlines stand out in the %s theme', (theme) => {
  const { INKS, SURFACES, TYPE_COLORS } = tokens;
  const ink = INKS[theme];
  const surface = SURFACES[theme];
  for (const name of ['ink', 'muted'] as const) expect(contrast(ink[name], ink.strip)).toBeGreaterThanOrEqual(4.5);
  for (const ground of [ink.ground, surface.panel]) {
    for (const name of ['ink', 'muted', 'alarm', 'caution', 'good', 'accent'] as const) {
      expect(contrast(ink[name], ground), `${name} on ${ground}`).toBeGreaterThanOrEqual(4.5);
    }
  }
  expect(contrast(ink.alarm, surface['alarm-soft'])).toBeGreaterThanOrEqual(4.5);
  expect(contrast(surface['accent-ink'], ink.accent)).toBeGreaterThanOrEqual(4.5);
  // Labels are drawn on the area of their range, whose pattern they cover with a halo.
  for (const [style, { [theme]: colors }] of Object.entries(TYPE_COLORS)) {
    expect(contrast(ink.ink, colors[0]), `text on ${style}`).toBeGreaterThanOrEqual(4.5);
  }
});
