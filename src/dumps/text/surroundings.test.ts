import { describe, expect, test } from 'vitest';
import { cleanLine } from './envelope.ts';

const texts = (raw: string) => cleanLine(raw).map(({ text }) => text);

describe('what logs and tools put before a line', () => {
  test.each([
    ['[2020-11-30 14:45:33] text', 'text'],
    ['[2020-11-30T14:45:33.123Z] text', 'text'],
    ['14:45:33   indented', '  indented'],
    ['2020-11-30T14:45:33,123456+01:00 text', 'text'],
    ['2024-01-01T00:00:00.000000Z 00O text', 'text'],
    ['2024-01-01T00:00:00.0000000Z   indented', '  indented'],
    ['2024-01-01 00:00:00 ERROR text', 'text'],
    ['kern  :err   : [    1.500000] text', 'text'],
    ['<6>1 2024-01-03T12:00:01.000Z maple kernel - - - text', 'text'],
    ['E0103 12:00:01.000001      17 file.go:3] text', 'text'],
    ['vm-1  | text', 'text'],
    ['[pod/virt-launcher/compute] text', 'text'],
    ['##[error]text', 'text'],
    ['12:[    1.500000] text', 'text'],
    ['dmesg.txt:12:[    1.500000] text', 'text'],
    ['+[    1.500000] text', 'text'],
    ['-  00001000-0009ffff : System RAM', '  00001000-0009ffff : System RAM'],
    ['//   00001000-0009ffff : System RAM', '  00001000-0009ffff : System RAM'],
    ['#   00001000-0009ffff : System RAM', '  00001000-0009ffff : System RAM'],
    ['# 0x00000000fee00000 0x00000000feefffff msi', '0x00000000fee00000 0x00000000feefffff msi'],
  ])('%j', (raw, text) => {
    expect(texts(raw)).toEqual([text]);
  });
});

describe('marks of editors and forums', () => {
  test.each([
    ['\u00a0\u00a000001000-0009ffff : System\u00a0RAM', '  00001000-0009ffff : System RAM'],
    ['can\u2019t map \u201cx\u201d \u2013 y', 'can\'t map "x" - y'],
    ['**DMAR: text**', 'DMAR: text'],
    ['`DMAR: text`', 'DMAR: text'],
    ['```', ''],
    ['| DMAR: text |', 'DMAR: text'],
    ['[code]DMAR: text[/code]', 'DMAR: text'],
    ['Memory at f0000000 (32-bit, prefetchable) [size=128K]', 'Memory at f0000000 (32-bit, prefetchable) [size=128K]'],
    ['&gt; a -&gt; b &#39;c&#39; &#x26;', "a -> b 'c' &"],
    ['DMAR: text^M', 'DMAR: text'],
    ['{"MESSAGE":[68,77,65,82],"PRIORITY":"3"}', 'DMAR'],
  ])('%j', (raw, text) => {
    expect(texts(raw)).toEqual([text]);
  });
});

describe('output behind a prompt', () => {
  test.each([
    '[root@host ~]# [  131.400000] DMAR: text',
    'root@host:~# [  131.400000] DMAR: text',
    'root@host:~# DMAR: text',
  ])('%j: the prompt without a command, then the text', (raw) => {
    expect(cleanLine(raw)).toMatchObject([{ text: '', prompt: { host: 'host' } }, { text: 'DMAR: text' }]);
  });

  test.each([
    'vtd_dmar_fault sid 0xb00 fault 6 addr 0xfee01000 write 0',
    'smmuv3_translate_abort smmuv3-iommu-memory-region-16-2 sid=0x10 bypass (0) iova:0x8000000 is_write=1',
    'amdvi_page_fault fault addr 0xfee01000',
    'region_add [ram] 0x0 - 0xbffff [0x7f0000000000]',
    'address sizes\t: 46 bits physical, 48 bits virtual',
    'qemu-kvm-4575    [000] .....    12.500000: map: IOMMU: iova=0x1000 - 0x2000 paddr=0x5000 size=4096',
  ])('%j is no command', (text) => {
    for (const prompt of ['[root@host ~]# ', 'me@host:/tmp$ ']) {
      expect(cleanLine(prompt + text)).toMatchObject([{ text: '', prompt: {} }, { text }]);
    }
  });

  test.each(['# cat x', '$ FOO=1 qemu-system-x86_64 -m 1G', '# tracer: nop', 'root@host:~# dmesg | grep -i dmar'])(
    '%j: a command',
    (raw) => {
      expect(cleanLine(raw)).toMatchObject([{ prompt: {} }]);
    },
  );
});
