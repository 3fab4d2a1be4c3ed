// Whatever surrounds a dump, its facts are the same, with the numbers of their lines.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { writeEvent } from '../session/write.ts';
import { FUZZ_TIMEOUT, fuzzRuns, inputOf, openAll } from './testing/read.ts';

const ROOT = fileURLToPath(new URL('./fixtures/', import.meta.url));
const FIXTURES = readdirSync(ROOT, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.includes('/captured') && /\.(?:txt|hex)$/.test(name))
  .sort();

interface Envelope {
  wrap(text: string): string;
  /** Lines before the first one of the text. */
  readonly above?: number;
  /** Shown by three lines in a row, or by what is in them: fixtures that have neither, or lines with such marks. */
  readonly except?: RegExp;
}

const lines = (change: (line: string, i: number) => string, except?: RegExp): Envelope => ({
  wrap: (text) => {
    const end = text.endsWith('\n') ? '\n' : '';
    return (
      text
        .slice(0, text.length - end.length)
        .split('\n')
        .map(change)
        .join('\n') + end
    );
  },
  ...(except ? { except } : {}),
});
const filled = (change: (line: string) => string) => lines((line) => (line.trim() === '' ? line : change(line)));
const escaped = (text: string) =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
const twoDigits = (n: number) => String(n % 60).padStart(2, '0');

/** Files of one or two lines. */
const SHORT = /\.hex$|iommu-groups\/captured-(?:arm64|x86-virtio)|-tail\.txt$/;

const ENVELOPES: Readonly<Record<string, Envelope>> = {
  'no-break blanks': lines((line) => line.replaceAll(' ', '\u00a0')),
  'indented by no-break blanks': lines((line) => line.replace(/^ +/, (blanks) => '\u00a0'.repeat(blanks.length))),
  'figure blanks': lines((line) => line.replaceAll(' ', '\u2007')),
  'zero-width blanks': lines((line) => `\u200b${line}`),
  'en dashes': lines((line) => line.replaceAll('-', '\u2013')),
  'typographic apostrophes': lines((line) => line.replaceAll("'", '\u2019')),
  comments: lines((line) => `# ${line}`, /\.hex$|iommu-groups\//),
  slashes: lines((line) => `// ${line}`),
  'a diff': {
    wrap: (text) => `--- a/x\n+++ b/x\n@@ -1,3 +1,4 @@\n${lines((line) => `+${line}`).wrap(text)}`,
    above: 3,
  },
  'lines of a diff': lines((line) => `+${line}`, /\.hex$|registers/),
  'the context of a diff': lines((line) => ` ${line}`),
  'grep -n': lines((line, i) => `${i + 1}:${line}`, new RegExp(`${SHORT.source}|debugfs-roots`)),
  'grep -nH': lines((line, i) => `dmesg.txt:${i + 1}:${line}`, SHORT),
  'cat -n': lines((line, i) => `${String(i + 1).padStart(6)}\t${line}`, SHORT),
  'a date in brackets': lines((line, i) => `[2020-11-30 14:45:${twoDigits(i)}] ${line}`),
  'dmesg -x': lines((line) => `kern  :err   : ${line}`),
  Jenkins: lines((line) => `[2024-01-03T12:00:01.123Z] ${line}`),
  'Jenkins, a clock': lines((line) => `12:00:01  ${line}`),
  GitLab: lines((line) => `2024-01-03T12:00:01.123456Z 00O ${line}`),
  'GitHub Actions': lines((line) => `2024-01-03T12:00:01.1234567Z ${line}`),
  'gh run view': lines((line) => `build\tRun tests\t2024-01-03T12:00:01.1234567Z ${line}`),
  'kubectl logs --timestamps': lines((line) => `2024-01-03T12:00:01.123456789Z ${line}`),
  'kubectl logs --prefix': lines((line) => `[pod/vm-1/compute] ${line}`),
  'docker compose': lines((line) => `vm-1  | ${line}`),
  'JSON of Docker': lines((line) =>
    JSON.stringify({ log: `${line}\n`, stream: 'stdout', time: '2024-01-03T12:00:01Z' }),
  ),
  'JSON of logrus': lines((line) => JSON.stringify({ level: 'info', msg: line, time: '2024-01-03T12:00:01Z' })),
  'JSON of the journal': lines((line) => JSON.stringify({ MESSAGE: line, PRIORITY: '3', __REALTIME_TIMESTAMP: '1' })),
  logfmt: lines((line) => `time="2024-01-03T12:00:01Z" level=info msg=${JSON.stringify(line)}`),
  // A string of bytes in hex may be anything.
  'a list of strings': lines((line) => (line.trim() === '' ? line : `  ${JSON.stringify(line)},`), /\.hex$/),
  entities: lines(escaped),
  'entities for blanks': lines((line) => escaped(line).replaceAll(' ', '&nbsp;')),
  BBCode: { wrap: (text) => `[code]\n${text}[/code]\n`, above: 1 },
  'BBCode, bold': filled((line) => `[b]${line}[/b]`),
  HTML: lines((line) => `<span class="x">${escaped(line)}</span><br>`),
  'a fence': { wrap: (text) => `\`\`\`text\n${text}\`\`\`\n`, above: 1 },
  bold: filled((line) => `**${line}**`),
  'bold behind the indentation': filled((line) => line.replace(/^(\s*)(.*)$/, '$1**$2**')),
  backticks: filled((line) => `\`${line}\``),
  'a table': lines((line) => `| ${line} |`),
  'a table with numbers': lines((line, i) => `| ${i + 1} | ${line} |`, SHORT),
  colours: lines((line) => `\u001b[31m${line}\u001b[0m`),
  'colours of words': lines((line) => line.replace(/(\w+)/g, '\u001b[1;31m$1\u001b[0m')),
  'colours, shown': lines((line) => `^[[31m${line}^[[0m`),
  '^M': lines((line) => `${line}^M`),
};

/** What has no line, or is known from the envelope alone, is not compared. */
async function factsOf(text: string, above = 0): Promise<string[]> {
  const { facts } = await openAll([inputOf('paste.txt', text)]);
  return facts
    .filter((fact) => fact.kind !== 'diagnostic')
    .map((fact) => writeEvent({ ...fact, ...(fact.line === undefined ? {} : { line: fact.line - above }) }));
}

const names = Object.keys(ENVELOPES);

test(
  'any fixture in any envelope has the same facts',
  async () => {
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...FIXTURES), fc.constantFrom(...names), async (fixture, name) => {
        const { wrap, above = 0, except } = ENVELOPES[name] as Envelope;
        fc.pre(!except?.test(fixture));
        const text = readFileSync(join(ROOT, fixture), 'utf8');
        const expected = await factsOf(text);
        expect(expected.length).toBeGreaterThan(0);
        expect([fixture, name, await factsOf(wrap(text), above)]).toEqual([fixture, name, expected]);
      }),
      fuzzRuns(120),
    );
  },
  FUZZ_TIMEOUT * 3,
);

/** Messages of two or three lines, without the text around them that shows a block. */
const SHORT_DUMPS: Readonly<Record<string, string>> = {
  'a reason of Xen':
    '(XEN) [VT-D]DMAR:[DMA Read] Request device [0000:02:00.0] fault addr 7b800000, iommu reg = ffff82c000201000\n' +
    '(XEN) [VT-D]DMAR: reason 06 - PTE Read access is not set\n',
  'a reason of newer Xen':
    '(XEN) [VT-D]DMAR:[DMA Write] Request device [0000:00:14.0] fault addr 8d5bd000\n' +
    '(XEN) [VT-D]DMAR: reason 05 - PTE Write access is not set\n',
  'a reason on a line of its own':
    '[   12.345678] DMAR:[DMA Write] Request device [02:00.0] fault addr 7b800000 \n' +
    '[   12.345679] DMAR:[fault reason 05] PTE Write access is not set\n',
  'an event of AMD, broken in two':
    '[   12.345678] AMD-Vi: Event logged [\n' +
    '[   12.345679] IO_PAGE_FAULT device=23:00.0 domain=0x0001 address=0x7b800000 flags=0x0000]\n',
  'the same without stamps':
    'AMD-Vi: Event logged [IO_PAGE_FAULT device=23:00.0 domain=0x0001\naddress=0x7b800000 flags=0x0000]\n',
  'an event of SMMUv3':
    '[   12.345678] arm-smmu-v3 arm-smmu-v3.0.auto: event 0x10 received:\n' +
    '[   12.345679] arm-smmu-v3 arm-smmu-v3.0.auto: \t0x0000001000000010\n' +
    '[   12.345680] arm-smmu-v3 arm-smmu-v3.0.auto: \t0x0000020800000000\n' +
    '[   12.345681] arm-smmu-v3 arm-smmu-v3.0.auto: \t0x000000007b800000\n' +
    '[   12.345682] arm-smmu-v3 arm-smmu-v3.0.auto: \t0x0000000000000000\n',
  'a device and its driver':
    '02:00.0 Ethernet controller [0200]: Intel Corporation I350 [8086:1521] (rev 01)\n\tKernel driver in use: vfio-pci\n',
  'two regions': '0x00000000fee00000 0x00000000feefffff msi\n0x00000000000a0000 0x00000000000bffff direct\n',
  'two ranges of memory': '00100000-7fffffff : System RAM\n  01000000-01ffffff : Kernel code\n',
  'a refused map of QEMU':
    'qemu-system-x86_64: VFIO_MAP_DMA failed: Invalid argument\n' +
    'qemu-system-x86_64: vfio_dma_map(0x55d0c0de0000, 0xfe000000, 0x1000000, 0x7f1234500000) = -22 (Invalid argument)\n',
};

test.each(Object.entries(SHORT_DUMPS))('%s in any envelope has the same facts', async (_, text) => {
  const expected = await factsOf(text);
  expect(expected.length).toBeGreaterThan(0);
  for (const name of names) {
    const { wrap, above = 0 } = ENVELOPES[name] as Envelope;
    expect.soft([name, await factsOf(wrap(text), above)]).toEqual([name, expected]);
  }
});

test.each([
  ['options of a command', '-m 8G\n-device vfio-pci,host=01:00.0\n-enable-kvm\n'],
  ['commands of root', '# cat /proc/iomem\n# lspci -vv\n# dmesg\n'],
  ['settings that are commented out', '#hostpci0: 0000:01:00\n#hostpci1: 0000:02:00\n#memory: 4096\n'],
  ['a hex dump', '10: 00 00 00 00 00 00 00 00\n20: 00 00 00 00 00 00 00 00\n30: 00 00 00 00 00 00 00 00\n'],
  ['clocks', '12:00:01 a\n13:00:01 b\n14:00:01 c\n'],
])('%s are no marks', async (_, text) => {
  const { LineMarks } = await import('./text/line-marks.ts');
  const seen: string[] = [];
  const marks = new LineMarks((line) => seen.push(line));
  for (const [i, line] of text.trimEnd().split('\n').entries()) marks.line(line, i + 1, false);
  marks.end();
  expect(seen).toEqual(text.trimEnd().split('\n'));
});

test('a table below a row of dashes, and text after a block', async () => {
  const { LineMarks } = await import('./text/line-marks.ts');
  const seen: [number, string][] = [];
  const marks = new LineMarks((line, number) => seen.push([number, line]));
  const text =
    '| Start | End | Type |\n|---|:---:|---|\n| 0xfee00000 | 0xfeefffff | msi |\n\nafter\n1:a\n2:b\n9:c\n9:d\n';
  for (const [i, line] of text.trimEnd().split('\n').entries()) marks.line(line, i + 1, false);
  marks.end();
  expect(seen).toEqual([
    [1, 'Start End Type'],
    [2, ''],
    [3, '0xfee00000 0xfeefffff msi'],
    [4, ''],
    [5, 'after'],
    [6, 'a'],
    [7, 'b'],
    [8, 'c'],
    [9, '9:d'],
  ]);
});
