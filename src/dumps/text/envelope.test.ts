import { describe, expect, test } from 'vitest';
import { cleanLine } from './envelope.ts';

const texts = (raw: string) => cleanLine(raw).map(({ text }) => text);

describe('one line', () => {
  test.each([
    ['> > > text', 'text'],
    ['>>>   indented', '  indented'],
    ['| text', 'text'],
    ['\u201c[   12.345678] the text is not set\u201d', 'the text is not set'],
    ['[   12.345678] the text is not set\u201d.', 'the text is not set.'],
    ['\u201c[   12.345678] the first line', 'the first line'],
    ['\u00abtext\u00bb', 'text'],
    ['text\u2019', 'text'],
    ['can\u2019t use \u2018text\u2019', "can't use 'text'"],
    ['can\u2019t use \u2019text\u2019', "can't use 'text'"],
    ['the text \u201cname\u201d', 'the text "name"'],
    ['\u201cname\u201d is a text', '"name" is a text'],
    ['\u201cname\u201d and \u201ctext\u201d', '"name" and "text"'],
    ['am> text', 'text'],
    ['&gt; &gt; a &amp;&lt;b', 'a &<b'],
    ['    indented   ', '    indented'],
    ['- `  indented`', '  indented'],
    ['  2. `\tindented`', '\tindented'],
    ['* `[   12.345678]   indented`', '  indented'],
    ['• `text`', 'text'],
    ['Jan  3 12:00:01 host kernel: text', 'text'],
    ['фев 28 09:10:11 birch app[42]: text', 'text'],
    ['13 févr. 18:17:24 host app[1]: text', 'text'],
    ['1月 13 10:11:12 host app[1]: text', 'text'],
    ['Jan 13 10:11:12 kernel: DMAR: text', 'DMAR: text'],
    ['2024-02-03T01:02:03.123456+01:00 host kernel: text', 'text'],
    ['2024-02-03T01:02:03.123456789Z stdout F text', 'text'],
    ['2024-02-03 01:02:03,123 host app: text', 'text'],
    ['Jan  3 12:00:01 host kernel: [   12.345678] pci 0000:00:1f.0: text', 'pci 0000:00:1f.0: text'],
    ['kernel: [   12.345678] text', 'text'],
    ['kernel: text', 'text'],
    ['[    0.200001] text', 'text'],
    ['[    0.200001]   indented', '  indented'],
    ['[    0.200001][    T0] text', 'text'],
    ['[  +0,000021] text', 'text'],
    ['[Fri Feb  2 01:02:03 2024] text', 'text'],
    ['[Sep 5 10:11] text', 'text'],
    ['<6>[    0.1] text', 'text'],
    ['<3> [123.456789] text', 'text'],
    ['(XEN) text', 'text'],
    ['> (XEN) [2024-01-04 1:2] text', '[2024-01-04 1:2] text'],
    ['<anna> text', 'text'],
    ['12:34 <@anna> text', 'text'],
    ['[12:34:56] <anna> text', 'text'],
    ['text    <<<< here', 'text'],
    ['text <-- this one', 'text'],
    ['text ← this one', 'text'],
    ['==> 7/type <==', '==> 7/type <=='],
    ['\u001b[31mtext\u001b[0m', 'text'],
    ['<pre>text</pre>', 'text'],
    ['[root@host dir]# cat x', 'cat x'],
    ['user@host:~$ cat x', 'cat x'],
    ['host:/$ cat x', 'cat x'],
    ['/ # cat x', 'cat x'],
    ['sh-5.1# cat x', 'cat x'],
    ['$ cat x', 'cat x'],
    ['# cat x', 'cat x'],
    ['> [root@host dir]# cat x', 'cat x'],
    ['Region 0: Memory at ab000000', 'Region 0: Memory at ab000000'],
    ['0x00000000000abcd | 0x1', '0x00000000000abcd | 0x1'],
    ['[0002]                      Subtable Type : 0001', '[0002]                      Subtable Type : 0001'],
    ['4711@1700000000.000001:some_trace_event', '4711@1700000000.000001:some_trace_event'],
    [
      '        CPU 1/KVM-77  [003] .... 12.345678: map: IOMMU:',
      '        CPU 1/KVM-77  [003] .... 12.345678: map: IOMMU:',
    ],
    ['address space limit 5 < 6 phys-bits', 'address space limit 5 < 6 phys-bits'],
  ])('%j', (raw, text) => {
    expect(texts(raw)).toEqual([text]);
  });

  test('log wrappers, several lines in one entry', () => {
    expect(texts('time="2024-02-03T01:02:03Z" level=error msg="one\\n\\"two\\"" error="three"')).toEqual([
      'one',
      '"two"',
      'three',
    ]);
    expect(texts('{"log":"one\\ntwo\\n","stream":"stderr"}')).toEqual(['one', 'two']);
    expect(texts('{"return":"one\\r\\n  two\\r\\n","id":"libvirt-1"}')).toEqual(['one', '  two']);
    expect(texts('{"return":{}}')).toEqual(['{"return":{}}']);
    expect(texts('{"level":"error","ts":1,"msg":"[    0.1] text"}')).toEqual(['text']);
    expect(texts('{"not":"a log"}')).toEqual(['{"not":"a log"}']);
    expect(texts('{"broken')).toEqual(['{"broken']);
  });

  test('padding with NULs', () => {
    expect(texts(`DMA${'\0'.repeat(4093)}`)).toEqual(['DMA']);
    expect(texts(`DMA${'\0'.repeat(4093)}identity${'\0'.repeat(4000)}`)).toEqual(['DMA', 'identity']);
    expect(texts('D\0M\0A\0')).toEqual(['DMA']);
    expect(texts('\0'.repeat(5000))).toEqual([]);
  });
});

test('the directory that a prompt shows', () => {
  const directory = (raw: string) => cleanLine(raw)[0]?.prompt?.directory;
  expect(directory('[root@host 19]# cat reserved_regions')).toBe('19');
  expect(directory('root@host:/sys/kernel/iommu_groups/3# cat reserved_regions')).toBe('/sys/kernel/iommu_groups/3');
  expect(directory('/sys/kernel/iommu_groups/3# cat reserved_regions')).toBe('/sys/kernel/iommu_groups/3');
  expect(directory('host:/$ ls')).toBe('/');
  expect(directory('me@host:~$ ls')).toBe('~');
  expect(directory('# ls')).toBeUndefined();
  expect(cleanLine('no prompt')[0]).toEqual({ text: 'no prompt' });
});
