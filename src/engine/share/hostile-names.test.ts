// Names that carry markup, scripts, marks of direction and control characters: in no form do they act, hide or reorder.
import * as fc from 'fast-check';
import { fromMarkdown } from 'mdast-util-from-markdown';
import { describe, expect, test } from 'vitest';
import { pageWithSession, svgWithSession } from '../../session/sharing/markup.ts';
import { paintSvg } from '../../timeline/paint/svg.ts';
import type { ShareForm } from '../protocol/share.ts';
import { Asker, filesOf, sessionText } from '../testing/documents.ts';

const RUNS = process.env.CI ? 15 : 60;
/** Control characters and those that are not seen and change what is seen. */
const HIDDEN = /[\p{Cc}\p{Cf}\u2028\u2029]/u;
const BASE = 'https://example.org/';

const part = fc.oneof(
  fc.constantFrom(
    ...['<script>alert(1)</script>', '"><img src=x onerror=alert(1)>', "' onload='alert(1)", '</text><a href="//e">'],
    ...['</metadata><script>', ']]><script>', '-->', '<!--', '</script><script>', '</summary></details>', '&lt;b&gt;'],
    ...['\u202egnp.exe', '\u2066a\u2069', '\u200f', '\u061c', '\u200b', '\u{e0041}', '\u2028', '\u00ad', '\ufeff'],
    ...['\u0000', '\u0007', '\u001b[31m', '\u001b]0;x\u0007', '\u009b2J', '\r', '\n', '\t', '\b', '\u007f'],
    ...['![x](http://e/x.png)', '[x](javascript:alert(1))', '<http://e>', 'http://evil.example/', 'www.evil.example'],
    ...['@root', '#1', '`x`', '```', '````\n', '~~~', '| a | b |', '\n| --- |', '\n# x', '\n- x', '\\', '**b**', '$x$'],
  ),
  fc.string({ unit: 'binary', maxLength: 6 }),
  fc.constantFrom('alpha', ' ', 'eth0', '0000:01:00.0', '/var/log/x'),
);
const name = fc.array(part, { minLength: 1, maxLength: 4 }).map((parts) => parts.join(''));
const FIELDS = [
  ...(['host', 'device', 'driver', 'type', 'group', 'source', 'note', 'title', 'reason', 'region', 'file'] as const),
  ...(['message', 'ioas', 'written', 'called', 'machine', 'kernel', 'options'] as const),
];
type Names = Readonly<Record<(typeof FIELDS)[number], string>>;
const input = fc
  .array(name, { minLength: FIELDS.length, maxLength: FIELDS.length })
  .map((values) => Object.fromEntries(FIELDS.map((field, i) => [field, values[i] ?? ''])) as Names);

function sessionOf(n: Names): string {
  const source = { source: n.source, line: 1 };
  const request = { kind: 'request', op: 'map', api: 'vfio', start: '0xfee00000', last: '0xfee00fff' };
  return sessionText(
    [
      { kind: 'host', name: n.host, kernel: n.kernel, options: n.options, ...source },
      { kind: 'group', group: n.group, devices: ['0000:01:00.0', n.device], ...source },
      { kind: 'device', device: n.device, name: n.device, driver: n.driver, class: n.device, ...source },
      { kind: 'iommu', name: n.device, driver: n.driver, ...source },
      {
        kind: 'reserved',
        start: '0xfee00000',
        last: '0xfeefffff',
        type: 'msi',
        origin: 'sysfs',
        group: n.group,
        ...source,
      },
      { kind: 'reserved', start: '0x1000', last: '0x1fff', type: n.type, origin: n.type, group: n.group, ...source },
      { kind: 'window', start: '0x2000', last: '0x2fff', name: n.region, depth: 0, type: 'ram', ...source },
      { kind: 'guest', start: '0x0', last: '0x8000', name: n.region, type: 'ram', ...source },
      {
        kind: 'machine',
        name: n.machine,
        monitor: n.machine,
        machine: n.machine,
        version: n.machine,
        ram: '0x0',
        ...source,
      },
      {
        kind: 'fault',
        address: '0x5000',
        device: n.device,
        access: 'read',
        reason: n.reason,
        driver: n.driver,
        ...source,
      },
      { ...request, name: n.region, device: n.device, result: '-EINVAL', ...source },
      { kind: 'ineligible', device: n.device, reason: n.reason, ...source },
      { kind: 'diagnostic', severity: 'warning', code: 'x', message: n.message, ...source },
      { kind: 'note', text: n.note, start: '0x1000', last: '0x1fff', ...source },
      { kind: 'note', text: n.note, ...source },
      { op: 'ioas.alloc', ioas: n.ioas },
      ...Array.from({ length: 2 }, () => ({
        ...{ op: 'ioas.map', ioas: n.ioas, flags: ['fixed', 'read'], user_va: '0x0' },
        ...{ length: '0x1000', iova: '0x0' },
      })),
    ],
    { model: 'iommufd', title: n.title },
  );
}

async function made(names: Names, form: ShareForm) {
  const open = new Asker();
  await open.ask('open', { title: 'drop', files: filesOf({ [names.file]: sessionOf(names) }) });
  const documents = await open.ask('documents', null);
  const selectedGroups = documents.flatMap((d) => [...d.groups, ...d.spaces, ...d.layers].map(({ key }) => key));
  return open.ask('share', {
    ...{ form, selectedGroups, expanded: [], scale: 'fold', version: '1.0', base: BASE },
    ...{ title: names.called, notes: names.written },
  });
}

function everyNames(check: (names: Names) => Promise<void>) {
  return fc.assert(fc.asyncProperty(input, check), { numRuns: RUNS });
}

interface Node {
  readonly type: string;
  readonly value?: string;
  readonly url?: string;
  readonly alt?: string | null;
  readonly children?: readonly Node[];
}

const all = (node: Node): Node[] => [node, ...(node.children ?? []).flatMap(all)];

describe('hostile names', () => {
  test('text: printable ASCII only', async () => {
    await everyNames(async (names) => {
      const { text } = await made(names, 'text');
      for (const line of text.split('\n')) expect(line).toMatch(/^[ -~]{0,72}$/);
    });
  });

  test('Markdown: no markup, link or picture but its own, and nothing that is not seen', async () => {
    await everyNames(async (names) => {
      const { text } = await made(names, 'markdown');
      for (const line of text.split('\n')) expect(line.replaceAll('\t', '')).not.toMatch(HIDDEN);
      const nodes = all(fromMarkdown(text) as Node);
      const own = /^(?:<\/?details>|<summary>[^<>]*<\/summary>|<!-- Attach [^<>]*-->|<br>)$/;
      for (const { value = '' } of nodes.filter(({ type }) => type === 'html')) {
        for (const line of value.split('\n')) expect(line).toMatch(own);
      }
      const links = nodes.filter(({ type }) => type === 'link' || type === 'definition');
      expect(links.every(({ url = '' }) => url.startsWith(`${BASE}#v1.`))).toBe(true);
      expect(nodes.filter(({ type }) => type === 'image').map(({ url }) => url)).toEqual(['iovascope.png']);
      expect(nodes.filter(({ type }) => type === 'heading')).toHaveLength(1);
      // What trackers make links of by themselves.
      const prose = nodes.flatMap(({ type, value = '' }) => (type === 'text' ? [value] : [])).join(' ');
      const raw = text.replace(/^(`{3,})[\s\S]*?^\1$/gm, '').replace(/\]\(https:\/\/example\.org\/#\S*\)/g, '');
      for (const line of prose.split('\n')) expect(line).not.toMatch(HIDDEN);
      expect(raw).not.toMatch(/@\w|https?:\/\/|www\./i);
    });
  });

  test('SVG: only its own elements and attributes, and text that runs from left to right', async () => {
    await everyNames(async (names) => {
      const { scene, session } = await made(names, 'picture');
      const svg = svgWithSession(scene ? paintSvg(scene, 'light') : '', session);
      const [, shown = '', inside = ''] =
        /^([\s\S]*)<metadata id="iovascope-session">([\s\S]*)<\/metadata><\/svg>\s*$/.exec(svg) ?? [];
      expect(shown.startsWith('<svg ')).toBe(true);
      expect(inside).not.toMatch(/[<>]|[^\P{Cc}\t\n\r\x7f-\x9f]/u);
      // Of what is painted, and of the description, which may have lines.
      const acting = /[\p{Cc}\p{Bidi_Control}\u2028\u2029]/u;
      for (const mark of scene?.marks ?? []) if (mark.type === 'text') expect(mark.text).not.toMatch(acting);
      for (const line of shown.split('\n')) expect(line.replaceAll('\t', '')).not.toMatch(acting);
      const tags = [...shown.matchAll(/<\/?([^\s>/]*)/g)].map(([, tag = '']) => tag);
      expect([...new Set(tags)].filter((tag) => !OWN_TAGS.has(tag))).toEqual([]);
      expect(shown.replace(/>[^<]*</g, '><')).not.toMatch(/\son\w+\s*=|href|javascript:/i);
    });
  });

  test('HTML and links: nothing ends the element of the session, and a link has only characters of links', async () => {
    await everyNames(async (names) => {
      const { session, view } = await made(names, 'session');
      const page = pageWithSession('<!doctype html><html><body></body></html>', session, view);
      expect(page.match(/<[^>]*>/g)).toEqual([
        ...[
          '<!doctype html>',
          '<html>',
          '<body>',
          expect.stringMatching(/^<script type="application\/json" id="[\w-]+"/),
        ],
        ...['</script>', '</body>', '</html>'],
      ]);
      expect((await made(names, 'link')).text).toMatch(/^[\w.~!*'()&=,:/@%-]*$/);
    });
  });
});

/** Elements that the painter makes. */
const OWN_TAGS: ReadonlySet<string> = new Set(
  'svg title desc defs style pattern rect path line polyline polygon text tspan g circle clipPath use'.split(' '),
);
