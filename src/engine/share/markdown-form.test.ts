// The Markdown of three cases, parsed as trackers do: the picture with its words, the tables, the folded parts, the fences.
import { readdirSync, readFileSync } from 'node:fs';
import { fromMarkdown } from 'mdast-util-from-markdown';
import { expect, test } from 'vitest';
import { Asker, filesOf } from '../testing/documents.ts';

const SAMPLES = new URL('../../../public/samples/', import.meta.url);

async function reportOf(name: string, guest: boolean): Promise<string> {
  const folder = new URL(`${name}/`, SAMPLES);
  const files = readdirSync(folder).map((file) => [file, readFileSync(new URL(file, folder), 'utf8')]);
  const open = new Asker();
  await open.ask('open', { title: 'drop', files: filesOf(Object.fromEntries(files)) });
  const documents = await open.ask('documents', null);
  const selectedGroups = documents.flatMap((d) => [...d.groups, ...d.spaces, ...d.layers].map(({ key }) => key));
  const params = { selectedGroups, expanded: [], scale: 'fold', version: '1.0', base: 'https://example.org/' } as const;
  const tried = guest ? { guest: { kind: 'machine', machine: 'q35', ram: 1n << 41n } as const } : {};
  return (await open.ask('share', { ...params, ...tried, form: 'markdown' })).text;
}

test.each([
  ['x86-vtd-39bit-rmrr', true],
  ['x86-amd-vi', false],
  ['qemu-viommu-unmap', false],
] as const)('%s', async (name, guest) => {
  const report = await reportOf(name, guest);
  const { children } = fromMarkdown(report);
  const [heading, answer] = children;
  expect(heading).toMatchObject({ type: 'heading', depth: 2 });
  expect(answer).toMatchObject({ type: 'paragraph', children: [{ type: 'strong' }] });
  const inline = children.flatMap((node) => (node.type === 'paragraph' ? node.children : []));
  const [picture] = inline.filter(({ type }) => type === 'image');
  expect(picture).toMatchObject({ url: 'iovascope.png', alt: expect.stringMatching(/^IOVA layout of .+: \w+\. /) });
  expect(inline.filter(({ type }) => type === 'link')).toHaveLength(1);
  // Each fence is closed where it should be: the drawing, the lines and the session are whole.
  const code = children.flatMap((node) => (node.type === 'code' ? [node] : []));
  expect(code.map(({ lang }) => lang)).toEqual(expect.arrayContaining(['text', 'json']));
  const session = code.find(({ lang }) => lang === 'json')?.value.split('\n') ?? [];
  for (const line of session) expect(() => JSON.parse(line) as unknown).not.toThrow();
  expect(session[0]).toContain('"format":"iova-trace"');
  // Every folded part is opened and closed, with a summary, outside of code.
  const html = children.flatMap((node) => (node.type === 'html' ? [node.value] : [])).join('\n');
  const count = (tag: string) => html.split(tag).length - 1;
  expect(count('<details>')).toBeGreaterThanOrEqual(3);
  expect([count('</details>'), count('<summary>'), count('</summary>')]).toEqual(Array(3).fill(count('<details>')));
  // Rows of a table have as many cells as its head.
  const tables = report
    .replace(/^(`{3,})[\s\S]*?^\1$/gm, '')
    .split(/\n{2,}/)
    .filter((block) => /^\|.*\n\|[ :|-]+\n/.test(block.trimStart()));
  expect(tables.length).toBeGreaterThan(0);
  for (const block of tables) {
    const cells = block
      .trim()
      .split('\n')
      .filter((line) => line.startsWith('|'))
      .map((line) => line.replaceAll('\\|', '').split('|').length);
    expect(new Set(cells).size).toBe(1);
  }
});
