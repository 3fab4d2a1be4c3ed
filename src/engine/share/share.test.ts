// What leaves the case: the same case comes back, nothing that was to be replaced is in it, and it is always the same.
import { readdirSync, readFileSync } from 'node:fs';
import { beforeAll, describe, expect, test } from 'vitest';
import { FACTS, OPERATIONS } from '../../session/schema.ts';
import { parseLink } from '../../session/sharing/link.ts';
import { sessionInSvg, svgWithSession } from '../../session/sharing/markup.ts';
import { paintSvg } from '../../timeline/paint/svg.ts';
import type { Shared, ShareForm, ShareParams } from '../protocol/share.ts';
import { Asker, filesOf, sessionText } from '../testing/documents.ts';

const MSI = '0x00000000fee00000 0x00000000feefffff msi';
const HOST_A = [
  'root@alpha:~# uname -a',
  'Linux alpha 6.1.0-18-amd64 #1 SMP x86_64 GNU/Linux',
  '/sys/kernel/iommu_groups/1/devices/0000:00:06.0',
  `/sys/kernel/iommu_groups/1/reserved_regions:${MSI}`,
  '',
].join('\n');
const HOST_B = [
  'root@beta:~# uname -a',
  'Linux beta 6.8.0-31-generic #31 SMP x86_64 GNU/Linux',
  '/sys/kernel/iommu_groups/1/devices/0000:00:07.0',
  `/sys/kernel/iommu_groups/1/reserved_regions:${MSI}`,
  '/sys/kernel/iommu_groups/1/reserved_regions:0x000000fd00000000 0x000000ffffffffff reserved',
  '',
].join('\n');
const RECORDED = sessionText(
  [
    { op: 'ioas.alloc', ioas: 'a' },
    { op: 'ioas.map', ioas: 'a', flags: ['fixed', 'read'], user_va: '0x10000', length: '0x2000', iova: '0x4000' },
    { op: 'ioas.map', ioas: 'a', flags: ['fixed', 'read'], user_va: '0x10000', length: '0x2000', iova: '0x4000' },
  ],
  { model: 'iommufd', kernel: '6.6' },
);
const FORMS: readonly ShareForm[] = ['session', 'link', 'picture', 'text', 'markdown'];

class Sharer extends Asker {
  async add(texts: Readonly<Record<string, string>>): Promise<this> {
    await this.ask('open', { title: 'drop', files: filesOf(texts) });
    return this;
  }

  async share(form: ShareForm, more: Partial<ShareParams> = {}): Promise<Shared> {
    const documents = await this.ask('documents', null);
    const selectedGroups = documents.flatMap((d) => [...d.groups, ...d.spaces, ...d.layers].map(({ key }) => key));
    return this.ask('share', { form, selectedGroups, expanded: [], scale: 'fold', version: '1.0', ...more });
  }
}

/** Everything that a form hands over, as text. */
function textOf({ text, scene, session, view, title }: Shared): string {
  return [text, scene ? svgWithSession(paintSvg(scene, 'light'), session) : session, view, title].join('\n');
}

async function titles(asker: Asker) {
  const { hosts, sessions } = await asker.ask('case', null);
  return {
    hosts: hosts.map(({ title, groups }) => [title, groups.length]),
    sessions: sessions.map(({ events, operations, model }) => [events, operations, model]),
  };
}

beforeAll(async () => {
  // Loads the modules, which takes its time on a busy machine.
  await (await new Sharer().add({ 'a.txt': HOST_A })).share('markdown', { redact: {} });
});

describe('a case as one file', () => {
  test('two hosts and a session come back, each by itself, whatever else is open', async () => {
    const first = await new Sharer().add({ 'a.txt': HOST_A, 'b.txt': HOST_B, 'ops.iova.jsonl': RECORDED });
    const { session } = await first.share('session');
    const again = await new Sharer().add({ 'case.iova.jsonl': session });
    expect(await titles(again)).toEqual({
      hosts: [
        ['alpha', 1],
        ['beta', 1],
      ],
      sessions: [[3, 3, 'iommufd']],
    });
    expect((await again.share('session')).session).toBe(session);
    // Into a case that has one of the hosts: that one joins it.
    const other = await new Sharer().add({ 'b.txt': HOST_B });
    await other.add({ 'case.iova.jsonl': session });
    expect((await titles(other)).hosts.map(([title]) => title)).toEqual(['beta', 'alpha']);
  });

  test('hosts that say the same stay two hosts', async () => {
    const part = {
      kind: 'reserved',
      start: '0xfee00000',
      last: '0xfeefffff',
      type: 'msi',
      origin: 'sysfs',
      group: '1',
    };
    const text = sessionText([{ kind: 'host', part: 1 }, part, { kind: 'host', part: 2 }, part]);
    const { hosts } = await titles(await new Sharer().add({ 'case.iova.jsonl': text }));
    expect(hosts.map(([title]) => title)).toEqual(['Host A', 'Host B']);
  });

  test('the moment is kept', async () => {
    const first = await new Sharer().add({ 'a.txt': HOST_A, 'ops.iova.jsonl': RECORDED });
    const { sessions } = await first.ask('case', null);
    await first.ask('seek', { id: sessions[0]?.id ?? '', position: 2 });
    const { text } = await first.share('link');
    const { target, view } = parseLink(text);
    const again = await new Sharer().add({ link: target?.kind === 'session' ? target.text : '' });
    const { sessions: opened } = await again.ask('case', null);
    await again.ask('seek', { id: opened[0]?.id ?? '', position: view.at ?? -1 });
    const spaces = (await again.ask('documents', null)).flatMap(({ spaces: found }) => found);
    expect(spaces.map(({ title, areas }) => [title, areas])).toEqual([['a', 1]]);
    expect((await again.share('link')).text).toBe(text);
  });

  test('a session of operations alone is unchanged', async () => {
    const { session } = await (await new Sharer().add({ 'ops.iova.jsonl': RECORDED })).share('session');
    expect(session).toBe(RECORDED);
  });

  test('a second session is left out, and that is said', async () => {
    const both = await new Sharer().add({ 'ops.iova.jsonl': RECORDED });
    await both.add({ 'more.iova.jsonl': sessionText([{ op: 'ioas.alloc', ioas: 'b' }], { title: 'other' }) });
    const { sessions } = await both.ask('case', null);
    const { session, remarks } = await both.share('session', { sessionId: sessions[0]?.id });
    expect(session).toContain('"ioas":"a"');
    expect(session).not.toContain('"ioas":"b"');
    expect(remarks).toEqual(['The session other is not included: a file has the operations of one session.']);
  });
});

describe('forms', () => {
  test.each(FORMS)('%s: the same twice, with and without redaction', async (form) => {
    for (const redact of [undefined, {}]) {
      const made = async () =>
        textOf(await (await new Sharer().add({ 'a.txt': HOST_A, 'b.txt': HOST_B })).share(form, { redact }));
      expect(await made()).toBe(await made());
    }
  });

  test.each(FORMS)(
    '%s: has the answer of the case that it was made of, and names nothing that is replaced',
    async (form) => {
      const asker = await new Sharer().add({ 'a.txt': HOST_A, 'b.txt': HOST_B, 'ops.iova.jsonl': RECORDED });
      const guest = { kind: 'machine', machine: 'q35', ram: 1n << 41n } as const;
      const shared = await asker.share(form, { guest, redact: {}, base: 'https://example.org/' });
      const text = form === 'link' ? decoded(shared.text) : textOf(shared);
      expect(text).not.toMatch(/alpha|beta|a\.txt|b\.txt|ops\.iova/);
      expect(shared.replacements.map(({ value }) => value)).toEqual(expect.arrayContaining(['alpha', 'beta', 'a.txt']));
      if (form === 'text') expect(text).toMatch(/FATAL: .*host-2|FATAL/);
      if (form === 'link') expect(shared.text).toContain('guest=q35:2T');
    },
  );

  test('a picture carries its session', async () => {
    const shared = await (await new Sharer().add({ 'a.txt': HOST_A })).share('picture');
    expect(sessionInSvg(textOf(shared))).toEqual({ state: 'found', text: shared.session });
  });

  test('title and notes are in every report', async () => {
    const asker = await new Sharer().add({ 'a.txt': HOST_A });
    for (const form of ['text', 'markdown', 'picture'] as const) {
      const shared = await asker.share(form, { title: 'My <b>report', notes: 'First.\n1. not a list', redact: {} });
      const text = textOf(shared);
      expect(text).toMatch(form === 'text' ? /My <b>report/ : /My &lt;b&gt;report/);
      expect(text).toMatch(form === 'markdown' ? /^1\\\. not a list$/m : /1\. not a list/);
      expect(text).toContain('1.0');
    }
  });
});

describe('what a model refused', () => {
  const refused = sessionText(
    [
      { op: 'ioas.alloc', ioas: 'a' },
      { op: 'ioas.map', ioas: 'a', flags: ['fixed', 'read'], user_va: '0x10000', length: '0x2000', iova: '0x4000' },
      ...Array.from({ length: 50 }, () => ({
        ...{ op: 'ioas.map', ioas: 'a', flags: ['fixed', 'read'], user_va: '0x10000' },
        ...{ length: '0x1000', iova: '0x5000' },
      })),
    ],
    { model: 'iommufd' },
  );

  test('is in every report, with bounds, reason and rule; the others are counted', async () => {
    const asker = await new Sharer().add({ 'r.iova.jsonl': refused });
    const { text } = await asker.share('text');
    expect(text.replace(/\s+/g, ' ')).toContain(
      'event 3, IOAS a: map 4 KiB at 0x5000 r, user address 0x10000: EEXIST Part of the range is already mapped: area 0x4000-0x5fff. rule: Linux ',
    );
    expect(text).toContain('30 more refused operations not listed.');
    const { text: report } = await asker.share('markdown');
    expect(report).toMatch(
      /^\| 3 \| IOAS a: map 4 KiB at 0x5000 r, user address 0x10000 \| EEXIST \| .*0x4000-0x5fff\. \| Linux \d\.\d+, iopt/m,
    );
    expect(report).toContain('10 more refused operations not listed.');
    expect(report).not.toContain('No conflicts.');
    expect(textOf(await asker.share('picture'))).toContain('ioas.map of 0x5000-0x5fff: EEXIST');
    const { sessions } = await asker.ask('case', null);
    await asker.ask('seek', { id: sessions[0]?.id ?? '', position: 2 });
    expect((await asker.share('text')).text).not.toContain('EEXIST');
  });
});

describe('where it was read, and by which versions', () => {
  const FILES = {
    'a.txt': HOST_A,
    'e.txt': 'vfio_dma_map(0x55d0, 0xfee00000, 0x1000, 0x7f12) = -22 (Invalid argument)\n',
  };

  test('the text has the lines of each source, and says what is not known', async () => {
    const { text } = await (await new Sharer().add(FILES)).share('text');
    expect(text).toMatch(/^from: a\.txt:3; e\.txt:1$/m);
    expect(text.replace(/\s+/g, ' ')).toContain(
      'alpha: host kernel: 6.1.0-18-amd64 (x86_64), QEMU or other VMM: not known; rules of Linux 6.1.0-18-amd64',
    );
  });

  test('the picture lists conflicts with rule and place, counts the others, and says that it opens again', async () => {
    const shown = textOf(await (await new Sharer().add(FILES)).share('picture'));
    expect(shown).toMatch(/>EINVAL · Linux 6\.1\S*, vfio_iommu_iova_dma_valid · e\.txt:1 and 1 more</);
    expect(shown).toContain('iovascope 1.0; this picture contains the session');
    const many = sessionText(
      Array.from({ length: 70 }, (_, i) => ({
        ...{ kind: 'fault', address: `0x${(i * 0x10000).toString(16)}`, device: `0000:0${i % 10}:00.0` },
        ...{ time: i * 100, source: 'dmesg', line: i + 1 },
      })),
    );
    const { scene } = await (await new Sharer().add({ 'many.iova.jsonl': many })).share('picture');
    expect(scene && paintSvg(scene, 'light')).toContain('and 10 more conflicts, not listed here');
  });
});

function decoded(fragment: string): string {
  const { target } = parseLink(fragment);
  if (target?.kind !== 'session') throw new Error('no session in the link');
  return `${target.text}\n${fragment.slice(fragment.indexOf('&'))}`;
}

describe('links', () => {
  test('carry a selection that was made by hand, and no other', async () => {
    const asker = await new Sharer().add({ 'a.txt': HOST_A, 'b.txt': HOST_B });
    const [first] = (await asker.ask('documents', null)).flatMap(({ groups }) => groups.map(({ key }) => key));
    expect(parseLink((await asker.share('link')).text).view.groups).toBeUndefined();
    for (const redact of [undefined, {}]) {
      const { text } = await asker.share('link', { selectedGroups: [first ?? ''], redact });
      expect(parseLink(text).view.groups).toEqual(['1:1']);
    }
  });

  test('leave out sources and expectations when they would be too long, and say so', async () => {
    const lines = Array.from({ length: 600 }, (_, i) => ({
      ...{ kind: 'reserved', start: '0xfee00000', last: '0xfeefffff', type: 'msi', origin: 'sysfs', group: String(i) },
      ...{ source: `f${(i * 7919) % 1000}/sys/kernel/iommu_groups/${i}/reserved_regions`, line: (i * 31) % 97 },
    }));
    const asker = await new Sharer().add({ 'big.iova.jsonl': sessionText(lines) });
    const { text, remarks } = await asker.share('link', { base: 'https://example.org/' });
    expect(text.length).toBeLessThan(8000);
    expect(remarks.join()).toContain('where facts were read');
    expect(decoded(text)).not.toContain('reserved_regions');
    const small = await (await new Sharer().add({ 'a.txt': HOST_A })).share('link');
    expect(small.remarks).toEqual([]);
    expect(decoded(small.text)).toContain('"source":"a.txt","line":');
  });
});

describe('Markdown', () => {
  const TRACES = new URL('../../kernel/fixtures/', import.meta.url);

  test('stays below 60,000 characters for large cases, and counts what is missing', async () => {
    const lines = Array.from({ length: 3000 }, (_, i) => ({
      ...{ kind: 'fault', address: `0x${(i * 0x10000).toString(16)}`, device: `0000:0${i % 10}:00.0` },
      ...{ reason: '`````` | <script>alert(1)</script> @everyone', source: 'dmesg', line: i + 1 },
    }));
    const asker = await new Sharer().add({ 'big.iova.jsonl': sessionText(lines) });
    const { text } = await asker.share('markdown');
    expect(text.length).toBeLessThan(60_000);
    expect(text).toContain('more conflicts not listed.');
    expect(text).toContain('Left out because the report would be too long');
  });

  test.each(readdirSync(TRACES).slice(0, 6))('%s: fences are longer than any in the text', async (name) => {
    const trace = readFileSync(new URL(name, TRACES), 'utf8');
    const asker = await new Sharer().add({
      'x.iova.jsonl': trace.replace('"version":1', '"version":1,"source":"```` x"'),
    });
    const { text } = await asker.share('markdown');
    expect(text.length).toBeLessThan(60_000);
    const fences = [...text.matchAll(/^(`{3,})/gm)].map(([, ticks = '']) => ticks.length);
    expect(fences.length % 2).toBe(0);
    for (let i = 0; i < fences.length; i += 2) expect(fences[i]).toBe(fences[i + 1]);
    if (text.includes('```` x')) expect(Math.max(...fences)).toBeGreaterThanOrEqual(5);
  });

  test('names with markup, mentions and marks of direction are text', async () => {
    const name = 'x</summary><script>alert(1)</script> | @root `a` [b](http://c) \u202egnp';
    const text = sessionText([
      { kind: 'group', group: '1', devices: ['0000:00:06.0'] },
      { kind: 'host', name },
      { kind: 'reserved', start: '0x0', last: '0xfff', type: name, group: '1', origin: 'sysfs', source: name },
    ]);
    const report = (await (await new Sharer().add({ 'a.iova.jsonl': text })).share('markdown')).text;
    const outside = report.replace(/^(`{3,})[\s\S]*?^\1$/gm, '');
    expect(outside).not.toMatch(/<script|@root|\u202e|\]\(http:\/\/c/);
    expect(outside).toContain('&lt;script&gt;');
  });
});

interface Schema {
  readonly type: string;
  readonly entries?: Readonly<Record<string, Schema>>;
  readonly wrapped?: Schema;
  readonly item?: Schema;
  readonly options?: readonly unknown[];
  readonly literal?: unknown;
  readonly pipe?: readonly { readonly type: string }[];
}

const SECRET = 'tellNobody-7Q';

/** A value that the schema allows, with the secret in every text. */
function filled(schema: Schema): unknown {
  const { type, wrapped, item, entries, options = [], literal, pipe = [] } = schema;
  if (type === 'optional') return wrapped && filled(wrapped);
  if (type === 'literal') return literal;
  if (type === 'array') return item && [filled(item)];
  if (type === 'tuple') return ['0x1000', '0x1fff'];
  if (type === 'record') return { [SECRET]: SECRET };
  if (type === 'picklist') return options[0];
  if (type === 'union') return SECRET;
  if (type === 'number') return 1;
  if (type === 'boolean') return true;
  if (entries) {
    const values = Object.entries(entries).map(([field, entry]) => [
      field,
      field === 'part' ? undefined : filled(entry),
    ]);
    return { ...Object.fromEntries(values), serial: SECRET, [`extra_${SECRET}`]: SECRET };
  }
  return pipe.some((step) => step.type === 'regex') || pipe.length > 2 ? '0x1000' : SECRET;
}

describe('secrets in every field of every kind', () => {
  const schemas = [...Object.values(FACTS), ...Object.values(OPERATIONS)] as unknown as readonly Schema[];
  const lines = schemas.map((schema) => filled(schema) as object);
  const text = sessionText([...lines, { kind: `unknown-${SECRET}`, x: SECRET }], { title: SECRET, author: SECRET });

  test.each(FORMS)('%s has none of them once it is redacted', async (form) => {
    const asker = await new Sharer().add({ [`${SECRET}.iova.jsonl`]: text });
    const { hosts, sessions } = await asker.ask('case', null);
    expect(hosts.length + sessions.length).toBeGreaterThan(1);
    const plain = await asker.share(form);
    const readable = (shared: Shared) => (form === 'link' ? decoded(shared.text) + textOf(shared) : textOf(shared));
    expect(readable(plain)).toContain(SECRET);
    const redacted = await asker.share(form, { redact: { pciAddresses: true } });
    expect(readable(redacted)).not.toContain(SECRET);
    expect(redacted.remarks.join()).not.toContain(SECRET);
  });
});
