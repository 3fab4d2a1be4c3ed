import { describe, expect, test } from 'vitest';
import { openText } from '../testing/read.ts';
import { hostNameOf } from './host-name.ts';
import { splitPrompt } from './shell.ts';

const ofPrompt = (line: string) => hostNameOf(line, splitPrompt(line)?.prompt);

describe('the name of a host', () => {
  test.each([
    ['Feb 28 09:10:11 maple kernel: DMAR: dmar0', 'maple'],
    ['> Feb  8 09:10:11 maple-7.example.org qemu-system-x86_64[411]: x', 'maple-7.example.org'],
    ['2024-02-03T01:02:03.5+01:00 birch kernel: x', 'birch'],
    ['2024-02-03T01:02:03+0100 birch libvirtd[17]: x', 'birch'],
    ['[   12.345678] birch kernel: x', 'birch'],
    ['{"_HOSTNAME":"cedar","MESSAGE":"x"}', 'cedar'],
    ['    _HOSTNAME=cedar', 'cedar'],
  ])('is in %s', (line, name) => {
    expect(hostNameOf(line)).toBe(name);
  });

  test.each([
    ['root@oak:~# dmesg', 'oak'],
    ['ada@oak.example:/sys/kernel$ ls', 'oak.example'],
    ['[root@oak ~]# dmesg', 'oak'],
  ])('is in the prompt %s', (line, name) => {
    expect(ofPrompt(line)).toBe(name);
  });

  test.each([
    ['Feb 28 09:10:11 QEMU warning: x', 'a tag without a process may follow a program'],
    ['[   12.345678] vfio-pci 0000:03:00.0: x', 'a device'],
    ['Feb 28 09:10:11 localhost kernel: x', 'any machine'],
    ['Feb 28 09:10:11 10.0.0.7 kernel: x', 'an address'],
    ['12:34 <maple> hello', 'a nickname'],
  ])('is not certain in %s: %s', (line) => {
    expect(hostNameOf(line)).toBeUndefined();
  });

  test.each(['maple:/sys# ls', 'maple ~ # ls', 'root@3f2a9c1b2d4e:/# ls', '$ ls'])(
    'is not certain in the prompt %s',
    (line) => {
      expect(ofPrompt(line)).toBeUndefined();
    },
  );
});

describe('the fact', () => {
  const hosts = async (text: string) =>
    (await openText(text)).facts.flatMap((fact) => (fact.kind === 'host' ? [[fact.name, fact.line]] : []));

  test('is there once for each name, at its first line', async () => {
    const line = (host: string) => `Feb 28 09:10:11 ${host} kernel: iommu: Default domain type: Translated\n`;
    expect(await hosts(`\n${line('maple')}${line('maple')}${line('birch')}${line('maple')}`)).toEqual([
      ['maple', 2],
      ['birch', 4],
    ]);
    expect(await hosts('root@oak:~# cat /x\nroot@oak:~# \n')).toEqual([['oak', 1]]);
  });

  test('keeps its place among the facts of the text', async () => {
    const { facts } = await openText(
      '0: 0x00000000fee00000 0x00000000feefffff msi\n[root@oak ~]# cat /sys/kernel/iommu_groups/1/reserved_regions\n0x00000000fee00000 0x00000000feefffff msi\n',
    );
    expect(facts.map(({ line }) => line)).toEqual([...facts.map(({ line = 0 }) => line)].sort((a, b) => a - b));
    expect(facts.some(({ kind }) => kind === 'host')).toBe(true);
  });

  test('alone does not make a text a dump', async () => {
    const { facts, sources } = await openText('Feb 28 09:10:11 maple sshd[7]: session opened\n');
    expect(facts.map(({ kind }) => kind)).toEqual(['host', 'diagnostic']);
    expect(sources[0]?.formats).toEqual([]);
  });
});
