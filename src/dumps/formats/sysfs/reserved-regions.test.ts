import { describe, expect, test } from 'vitest';
import { diagnosticsOf, openText, regionsOf } from '../../testing/read.ts';

const MSI = '0x00000000fee00000 0x00000000feefffff msi';
const HT = '0x000000fd00000000 0x000000ffffffffff reserved';
const ISA = '0x0000000000000000 0x0000000000ffffff direct';
const msi = 'fee00000-feefffff msi';
const ht = 'fd00000000-ffffffffff reserved';
const isa = '0-ffffff direct';

async function regions(...lines: string[]): Promise<string[]> {
  return regionsOf(await openText(`${lines.join('\n')}\n`));
}

describe('whose regions they are', () => {
  const forms: [name: string, lines: string[], expected: string[]][] = [
    ['the content of one file', [MSI, HT], [`?: ${msi}`, `?: ${ht}`]],
    [
      'fewer digits, an unknown type',
      ['0x0 0xfff pasid-window', '0X8000000 0x80fffff msi'],
      ['?: 0-fff pasid-window', '?: 8000000-80fffff msi'],
    ],
    ['the whole space', ['0x0000000000000000 0xffffffffffffffff reserved'], ['?: 0-ffffffffffffffff reserved']],
    ['cat of one path', ['cat /sys/kernel/iommu_groups/7/reserved_regions', ISA, MSI], [`7: ${isa}`, `7: ${msi}`]],
    ['cat behind a prompt', ['[root@lab-3 ~]# cat /sys/kernel/iommu_groups/12/reserved_regions', MSI], [`12: ${msi}`]],
    [
      'sudo, quotes and a slash too many',
      ['me@box:~$ sudo cat "/sys//kernel/iommu_groups/12/reserved_regions"', MSI],
      [`12: ${msi}`],
    ],
    ['a placeholder for the number', ['# cat /sys/kernel/iommu_groups/y/reserved_regions', MSI], [`?: ${msi}`]],
    ['a pattern', ['cat /sys/kernel/iommu_groups/*/reserved_regions', MSI, MSI], [`?: ${msi}`, `?: ${msi}`]],
    [
      'several paths',
      ['cat /sys/kernel/iommu_groups/1/reserved_regions /sys/kernel/iommu_groups/2/reserved_regions', MSI, MSI],
      [`?: ${msi}`, `?: ${msi}`],
    ],
    ['braces', ['cat /sys/kernel/iommu_groups/{1,2}/reserved_regions', MSI], [`?: ${msi}`]],
    [
      'grep -h and sort',
      ['$ grep -h . /sys/kernel/iommu_groups/*/reserved_regions | sort -u', MSI, HT],
      [`?: ${msi}`, `?: ${ht}`],
    ],
    [
      'grep -r, absolute',
      [
        '$ grep -r . /sys/kernel/iommu_groups/*/reserved_regions',
        `/sys/kernel/iommu_groups/3/reserved_regions:${MSI}`,
        `/sys/kernel/iommu_groups/4/reserved_regions:${HT}`,
      ],
      [`3: ${msi}`, `4: ${ht}`],
    ],
    ['grep -r, relative', [`7/reserved_regions:${MSI}`, `./8/reserved_regions:${HT}`], [`7: ${msi}`, `8: ${ht}`]],
    [
      'grep -n',
      [`/sys/kernel/iommu_groups/3/reserved_regions:1:${ISA}`, `/sys/kernel/iommu_groups/3/reserved_regions:2:${MSI}`],
      [`3: ${isa}`, `3: ${msi}`],
    ],
    [
      'grep -n of one path',
      ['# grep -n . /sys/kernel/iommu_groups/9/reserved_regions', `1:${ISA}`, `2:${MSI}`],
      [`9: ${isa}`, `9: ${msi}`],
    ],
    [
      'cat -n of one path',
      ['# cat -n /sys/kernel/iommu_groups/9/reserved_regions', `     1\t${ISA}`, `     2\t${MSI}`],
      [`9: ${isa}`, `9: ${msi}`],
    ],
    ['lines numbered, no command', [`1:${ISA}`, `2:${MSI}`], [`?: ${isa}`, `?: ${msi}`]],
    ['a bare line after grep lines', [`7/reserved_regions:${MSI}`, HT], [`7: ${msi}`, `?: ${ht}`]],
    ['awk with FILENAME', [`/sys/kernel/iommu_groups/3/reserved_regions ${MSI}`], [`3: ${msi}`]],
    [
      'head and tail',
      ['==> /sys/kernel/iommu_groups/0/reserved_regions <==', MSI, '', '==> 1/reserved_regions <==', ISA, MSI],
      [`0: ${msi}`, `1: ${isa}`, `1: ${msi}`],
    ],
    ['another file between', ['==> 0/reserved_regions <==', MSI, '', '==> 0/name <==', HT], [`0: ${msi}`, `?: ${ht}`]],
    ['more', ['::::::::::::::', '/sys/kernel/iommu_groups/5/reserved_regions', '::::::::::::::', MSI], [`5: ${msi}`]],
    [
      'a loop printing numbers',
      [
        'for g in $(ls /sys/kernel/iommu_groups); do echo "$g"; cat /sys/kernel/iommu_groups/$g/reserved_regions; done',
        '0',
        MSI,
        '1',
        ISA,
        MSI,
      ],
      [`0: ${msi}`, `1: ${isa}`, `1: ${msi}`],
    ],
    [
      'a loop of which only the output is there',
      ['0', MSI, '', '1', '', ISA, '', MSI],
      [`0: ${msi}`, `1: ${isa}`, `1: ${msi}`],
    ],
    [
      'a loop printing titles',
      ['group 7', MSI, 'Group 8:', HT, 'IOMMU Group 9', ISA, '=== iommu group 010 ===', MSI],
      [`7: ${msi}`, `8: ${ht}`, `9: ${isa}`, `10: ${msi}`],
    ],
    [
      'a loop printing paths',
      [
        '/sys/kernel/iommu_groups/7',
        MSI,
        '/sys/kernel/iommu_groups/8/reserved_regions',
        HT,
        '/sys/kernel/iommu_groups/9/:',
        ISA,
      ],
      [`7: ${msi}`, `8: ${ht}`, `9: ${isa}`],
    ],
    [
      'a loop printing on the same line',
      [`Group 7: ${ISA}`, MSI, `Group 8: ${MSI}`],
      [`7: ${isa}`, `7: ${msi}`, `8: ${msi}`],
    ],
    [
      'a loop printing numbers on the same line',
      [`7: ${ISA}`, MSI, `8: ${MSI}`],
      [`7: ${isa}`, `7: ${msi}`, `8: ${msi}`],
    ],
    [
      'a loop over devices',
      ['0000:00:1f.0', ISA, '00:02.0 VGA compatible controller: Example', MSI, '/sys/bus/pci/devices/0000:03:00.1', HT],
      [`0000:00:1f.0: ${isa}`, `0000:00:02.0: ${msi}`, `0000:03:00.1: ${ht}`],
    ],
    [
      'a group with its devices, then its regions',
      ['IOMMU Group 7:', '\t00:1f.0 ISA bridge', '\t00:1f.2 SATA controller', ISA, MSI],
      [`7: ${isa}`, `7: ${msi}`],
    ],
    [
      'a loop typed over several lines',
      [
        '$ for g in /sys/kernel/iommu_groups/*',
        '> do',
        '> echo $g',
        '> cat $g/reserved_regions',
        '> done',
        '/sys/kernel/iommu_groups/0',
        MSI,
      ],
      [`0: ${msi}`],
    ],
    ['the directory in the prompt', ['/sys/kernel/iommu_groups/3# cat reserved_regions', MSI], [`3: ${msi}`]],
    [
      'the directory in a longer prompt',
      ['root@box:/sys/kernel/iommu_groups/3# cat reserved_regions', MSI],
      [`3: ${msi}`],
    ],
    ['the end of the directory in the prompt', ['[root@lab 19]# cat reserved_regions', MSI], [`19: ${msi}`]],
    ['pwd before', ['/sys/kernel/iommu_groups/21', '[root@lab 21]# cat reserved_regions', MSI], [`21: ${msi}`]],
    [
      'pwd of one, prompt of another',
      ['/sys/kernel/iommu_groups/18', '[root@lab 19]# cat reserved_regions', MSI],
      [`19: ${msi}`],
    ],
    [
      'cd',
      [
        '# cd /sys/kernel/iommu_groups',
        '# cd 4',
        '# cat reserved_regions',
        MSI,
        '# cd ../5 && cat reserved_regions',
        HT,
        '# cd',
        '# cat reserved_regions',
        ISA,
      ],
      [`4: ${msi}`, `5: ${ht}`, `?: ${isa}`],
    ],
    ['cd, and relative paths', ['$ cd /sys/kernel/iommu_groups; cat 9/reserved_regions', MSI], [`9: ${msi}`]],
    [
      'a device',
      ['# cat /sys/bus/pci/devices/0000\\:5e\\:00.1/iommu_group/reserved_regions', MSI],
      [`0000:5e:00.1: ${msi}`],
    ],
    [
      'a device by cd',
      ['# cd /sys/bus/pci/devices/0000:5e:00.1', '# cat iommu_group/reserved_regions', MSI],
      [`0000:5e:00.1: ${msi}`],
    ],
    [
      'a platform device',
      ['cat /sys/devices/platform/ABCD0001\\:00/iommu_group/reserved_regions', MSI],
      [`ABCD0001:00: ${msi}`],
    ],
    ['a device of a class', ['cat /sys/class/net/eth0/device/iommu_group/reserved_regions', MSI], [`eth0: ${msi}`]],
    ['devices by pattern', ['cat /sys/bus/pci/devices/*/iommu_group/reserved_regions', MSI], [`?: ${msi}`]],
    [
      'a question between command and output',
      ['$ sudo cat /sys/kernel/iommu_groups/7/reserved_regions', '[sudo] password for me:', MSI],
      [`7: ${msi}`],
    ],
    ['a chat', [`12:01 <anna> group 7`, `12:01 <anna> ${MSI}`], [`7: ${msi}`]],
    ['all on one line', ['group 7', `${ISA} ${MSI}`], [`7: ${isa}`, `7: ${msi}`]],
    ['a list', ['group 7', `- ${ISA}`, `* ${MSI}`], [`7: ${isa}`, `7: ${msi}`]],
    [
      'annotations',
      ['group 7', `${ISA}    <<<< this one`, `${MSI} <-- not that`, `${HT} # HyperTransport`],
      [`7: ${isa}`, `7: ${msi}`, `7: ${ht}`],
    ],
  ];
  test.each(forms)('%s', async (_, lines, expected) => {
    expect(await regions(...lines)).toEqual(expected);
  });
});

describe('a group does not leak', () => {
  const CAT = '# cat /sys/kernel/iommu_groups/7/reserved_regions';
  const forms: [name: string, lines: string[]][] = [
    ['past another command', [CAT, MSI, '# dmesg | tail -1', HT]],
    ['past an empty prompt', [CAT, MSI, '#', HT]],
    ['past a sentence', [CAT, MSI, 'and the other machine says', HT]],
    ['past a blank line', [CAT, MSI, '', HT]],
    ['past an error', ['cat: /sys/kernel/iommu_groups/7/reserved_regions: No such file or directory', HT]],
    ['past a pattern', [CAT, MSI, '# cat /sys/kernel/iommu_groups/*/reserved_regions', HT]],
    ['past what was left out below a title', ['Group 7:', MSI, '...', HT]],
    ['far', [CAT, 'a', 'b', 'c', HT]],
  ];
  test.each(forms)('%s', async (_, lines) => {
    expect((await regions(...lines)).at(-1)).toBe(`?: ${ht}`);
  });

  test('but it holds past what was left out below its command', async () => {
    expect(await regions(CAT, MSI, '[output trimmed]', HT)).toEqual([`7: ${msi}`, `7: ${ht}`]);
  });
});

describe('broken lines', () => {
  const PATH = '/sys/kernel/iommu_groups/19/reserved_regions';
  const forms: [name: string, lines: string[], expected: string[]][] = [
    ['between the addresses', [`${PATH}:0x00000000fee00000`, '0x00000000feefffff msi'], [`19: ${msi}`]],
    ['inside an address', [`${PATH}:0x00000000fee0`, '0000 0x00000000feefffff msi'], [`19: ${msi}`]],
    ['behind 0', [`${PATH}:0`, 'x00000000fee00000 0x00000000feefffff msi'], [`19: ${msi}`]],
    ['before the first address', [`${PATH}:`, MSI], [`19: ${msi}`]],
    ['before the type', [`${PATH}:0x00000000fee00000 0x00000000feefffff`, 'msi'], [`19: ${msi}`]],
    ['inside the type', [`${PATH}:0x00000000fee00000 0x00000000feefffff m`, 'si'], [`19: ${msi}`]],
    [
      'inside a longer type',
      ['group 19', '0x0 0xfff direct-', 'relaxable', '0x2000 0x2fff direct', '-relaxable', '0x4000 0x4fff dir', 'ect'],
      ['19: 0-fff direct-relaxable', '19: 2000-2fff direct-relaxable', '19: 4000-4fff direct'],
    ],
    ['inside the path', ['/sys/kernel/iommu_groups/19/reserved_re', `gions:${MSI}`], [`19: ${msi}`]],
    ['inside the group', ['/sys/kernel/iommu_groups/1', `9/reserved_regions:${MSI}`], [`19: ${msi}`]],
    ['quoted', [`> ${PATH}:0x00000000fee00000`, '> 0x00000000feefffff msi'], [`19: ${msi}`]],
    ['quoted once', [`> ${PATH}:0x00000000fee00000`, '0x00000000feefffff msi'], [`19: ${msi}`]],
    ['by quoted-printable', [`${PATH}:0x00000000fe=`, 'e00000 0x00000000feefffff msi'], [`19: ${msi}`]],
    ['twice', [`${PATH}:0x00000000fee0`, '0000 0x00000000fee', 'fffff msi'], [`19: ${msi}`]],
    ['a command at a blank', ['# cat', PATH, MSI], [`19: ${msi}`]],
    [
      'a command inside its path',
      ['# cat /sys/bus/pci/devices/0000:0c:00.0/iommu_group/', 'reserved_regions', MSI],
      [`0000:0c:00.0: ${msi}`],
    ],
    [
      'a command inside a word',
      ['> # cat /sys/kernel/iommu_gro', '> ups/19/reserved_regions', `> ${MSI}`],
      [`19: ${msi}`],
    ],
  ];
  test.each(forms)('%s', async (_, lines, expected) => {
    expect(await regions(...lines)).toEqual(expected);
  });
});

describe('what is wrong is said, and the rest is read', () => {
  async function both(...lines: string[]) {
    const opened = await openText(`${lines.join('\n')}\n`);
    return { regions: regionsOf(opened), diagnostics: diagnosticsOf(opened), facts: opened.facts };
  }

  test('start above last', async () => {
    const { regions, diagnostics, facts } = await both('0x2000 0x1fff direct', MSI);
    expect(regions).toEqual([`?: ${msi}`]);
    expect(diagnostics).toEqual(['error start-above-last 1']);
    expect(facts[0]).toMatchObject({
      message: "'0x2000 0x1fff direct': the start 0x2000 is above the last address 0x1fff; the range was skipped",
    });
  });

  test('too many digits', async () => {
    const { regions, diagnostics, facts } = await both('0x000000000fee00000 0x00000000feefffff msi', MSI);
    expect(regions).toEqual([`?: ${msi}`]);
    expect(diagnostics).toEqual(['error too-many-digits 1']);
    expect(facts[0]?.kind === 'diagnostic' && facts[0].message).toContain('more than 16 hexadecimal digits');
  });

  test('twice in one group, with the line of the first; not where the group is unknown', async () => {
    const { regions, diagnostics, facts } = await both('group 1', ISA, MSI, MSI, 'group 2', MSI);
    expect(regions).toEqual([`1: ${isa}`, `1: ${msi}`, `1: ${msi}`, `2: ${msi}`]);
    expect(diagnostics).toEqual(['info repeated-region 4']);
    expect(facts.find((fact) => fact.kind === 'diagnostic')).toMatchObject({
      message: expect.stringContaining('line 3'),
    });
    expect((await both(MSI, MSI)).diagnostics).toEqual([]);
  });

  test('overlap in one group, with both lines', async () => {
    const { diagnostics, facts } = await both(
      'group 1',
      '0x0 0xffff direct',
      '0xffff 0x1ffff direct',
      '0x20000 0x2ffff msi',
    );
    expect(diagnostics).toEqual(['info overlapping-regions 3']);
    expect(facts.find((fact) => fact.kind === 'diagnostic')).toMatchObject({
      message: expect.stringContaining('line 2'),
    });
  });

  test.each([
    ['a digit that is none', ['group 1', '0x00000000fee0000g 0x00000000feefffff msi']],
    ['no second address', ['group 1', '0x00000000fee00000 msi']],
    ['no type, with a good region below', ['group 1', ISA, '0x00000000fee00000 0x00000000feefffff', MSI]],
    ['cut off behind its path', ['/sys/kernel/iommu_groups/7/reserved_regions:0x00000000fee0']],
  ])('damaged: %s', async (_, lines) => {
    const { diagnostics, regions } = await both(...lines, '', MSI);
    expect(diagnostics.map((text) => text.split(' ').slice(0, 2).join(' '))).toContain('warning damaged-region');
    expect(regions.at(-1)).toBe(`?: ${msi}`);
  });

  test('other tables with hex and words are not regions', async () => {
    const { regions } = await both(
      '  LOAD 0x000000 0x0000000000400000 0x0000000000400000 0x0006fc 0x0006fc R E 0x200000',
      '                 0x0000000000000724 0x0000000000000724  R E    0x200000',
      '0x00000000000abcd | 0x0000000000000000 0x0000000112345003 0x0000000112346003',
      'GCMD 0x18 0x0000000000000000 x',
      'map 0x1000 0x2000 for the device',
      '[mem 0x00000000fee00000-0x00000000feefffff] reserved',
    );
    expect(regions).toEqual([]);
  });
});

test('line numbers are those of the first line of a fact', async () => {
  const { facts } = await openText(
    `\n\r\n# cat /sys/kernel/iommu_groups/1/reserved_regions\r\n0x0\r\n0xfff direct\n${MSI}`,
  );
  expect(facts.map((fact) => fact.line)).toEqual([4, 6]);
});
