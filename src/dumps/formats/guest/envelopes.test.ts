// Guest definitions and lists of devices mean the same whatever surrounds them.
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { devicesOf, machinesOf, openText } from '../../testing/read.ts';

const fixture = (name: string) => readFileSync(new URL(`../../fixtures/${name}`, import.meta.url), 'utf8');
/** Without prompts: a prompt inside of a log or a quotation is another matter. */
const plain = (text: string) => text.replace(/^[$#] .*\n|^root@.*\n/gm, '\n').replace(/\n{3,}/g, '\n\n');

const TEXTS: readonly (readonly [name: string, text: string])[] = [
  ['libvirt log', fixture('guest-command-line/synthetic-libvirt-log.txt')],
  ['shells', plain(fixture('guest-command-line/synthetic-shells.txt'))],
  ['XML', plain(fixture('libvirt-xml/synthetic-domains.txt'))],
  ['Proxmox', plain(fixture('proxmox/synthetic-configs.txt'))],
  ['KubeVirt', plain(fixture('kubevirt/synthetic-objects.txt'))],
  ['devices', plain(fixture('devices/synthetic-lists.txt'))],
];

const eachLine = (change: (line: string) => string) => (text: string) => text.split('\n').map(change).join('\n');
const ENVELOPES: readonly (readonly [name: string, wrap: (text: string) => string])[] = [
  ['quote marks', eachLine((line) => `> ${line}`)],
  ['more quote marks', eachLine((line) => `>> > ${line}`)],
  [
    'escaped quote marks',
    eachLine((line) => `&gt; ${line.replaceAll('&', '&amp;').replaceAll('>', '&gt;').replaceAll('<', '&lt;')}`),
  ],
  ['syslog', eachLine((line) => `Jan  3 12:00:01 maple dump[17]: ${line}`)],
  ['a journal with ISO times', eachLine((line) => `2024-01-03T12:00:01.000001+0100 maple dump[17]: ${line}`)],
  ['kernel stamps', eachLine((line) => `[   12.345678] ${line}`)],
  ['chat', eachLine((line) => `12:34 <maple> ${line}`)],
  ['CR LF', (text) => text.replaceAll('\n', '\r\n')],
  ['CR', (text) => text.replaceAll('\n', '\r')],
  ['trailing blanks', eachLine((line) => `${line}  `)],
  ['indentation', eachLine((line) => `    ${line}`)],
  ['a mark of byte order', (text) => `\uFEFF${text}`],
];

test.each(ENVELOPES.flatMap(([name, wrap]) => TEXTS.map(([what, text]) => [what, name, text, wrap] as const)))(
  '%s in %s',
  async (_what, _name, text, wrap) => {
    const before = await openText(text);
    const after = await openText(wrap(text));
    expect(machinesOf(after)).toEqual(machinesOf(before));
    expect(devicesOf(after)).toEqual(devicesOf(before));
    expect(machinesOf(before).length + devicesOf(before).length).toBeGreaterThan(1);
  },
);
