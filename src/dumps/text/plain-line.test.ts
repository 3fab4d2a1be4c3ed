// Whatever the fast way accepts, the normal way finds the same in.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { cleanLine } from './envelope.ts';
import { hostNameOf } from './host-name.ts';
import { hasMarks, PlainLine } from './plain-line.ts';
import { QuotedPrintable } from './quoted-printable.ts';
import { isDecoration } from './separators.ts';

function plainOf(
  text: string,
  from = 0,
  to = text.length,
  plain = new PlainLine(),
): { content: string; host: string | undefined } | undefined {
  const bytes = new TextEncoder().encode(text);
  // Lines that are not of ASCII alone take the normal way.
  if (bytes.length !== text.length || !plain.find(text, from, to, bytes)) return undefined;
  if (hasMarks(bytes, plain.start, plain.end)) return undefined;
  const { start, end, hostStart, hostEnd } = plain;
  return { content: text.slice(start, end), host: hostEnd > 0 ? text.slice(hostStart, hostEnd) : undefined };
}

const PREFIXES = [
  ...['', 'Jan  3 12:00:01 maple kernel: ', 'Jan 13 12:00:01 maple qemu[17]: ', 'Jan 3 12:00:01 maple audit: '],
  ...['[   12.345678] ', '[    0.1] ', 'Jan  3 12:00:01 maple kernel: [   12.345678] ', '[12.345] maple kernel: '],
  ...['[   12.345678] maple app[17]: ', 'Jan  3 12:00:01 maple kernel:  ', 'Jan  3 12:00:01 h kernel: ', '  ', '> '],
];
const PIECES = [
  ...[
    'usb 1-3: new device',
    'audit: type=1400 pid=17',
    'kern  :err   : x',
    'kern: err: x',
    'kern: text',
    'kernel: text',
  ],
  ...['ERROR text', 'WARN: text', 'DMAR: text', 'dmesg: x', 'syslog:  x', 'x.log: y', 'Feb 28 09:10:11 host app: x'],
  ...['Feb 28, 2024', 'Wed 2024-01-03 12:00:01 x', 'E0103 12:00:01.0 17 a.go:3] x', 'vm-1  | text', 'ab> text'],
  ...['maple ~ # cat x', 'host:/$ ls', 'me@host:~$ ls', 'sh-5.1# ls', 'msg="a" error="b"', 'time="x" msg="y"'],
  ...['pci 0000:00:1f.0: PME# supported', 'a 12 b', 'eth0: link', '100% $x', '**bold**', '__x__', '`x`', '[b]x[/b]'],
  ...[
    '[code]',
    '// here',
    'http://x',
    '<b>',
    'a &gt; b',
    'x <<<< here',
    '"_HOSTNAME":"maple"',
    'x=',
    '=3D0x1',
    '=20',
    '\t',
  ],
  ...[
    'a=3D',
    'size=4096',
    'q=',
    ' ',
    '  ',
    '-',
    '.',
    '...',
    ':',
    ' x',
    '\u00a0',
    'é',
    '\u2019',
    '^M',
    '|',
    '\\_',
    '\\>',
    '|x',
    '#',
    '\0',
    '~',
  ],
];

const STARTS = [
  ...['usb 1-3: ', 'audit: ', 'pci 0000:00:1f.0: ', 'text ', 'EXT4-fs (sda1): ', 'DMAR: ', 'Started ', ''],
  ...['pam_unix(cron:session): ', 'apt-daily.service: ', 'md/raid1:md0: ', 'a.b/c,d;e ', 'r8169 ', 'x(y) ', 'Jan. '],
  ...['[UFW BLOCK] ', '[Firmware Bug]: ', '[drm] ', '[WARN] ', '[output cut] ', '[BAD CAFE] ', '[', 'kern', 'ERROR '],
];

const line = fc
  .tuple(
    fc.constantFrom(...PREFIXES),
    fc.constantFrom(...STARTS),
    fc.array(fc.oneof(fc.constantFrom(...PIECES), fc.string({ maxLength: 4 })), { maxLength: 3 }),
    fc.constantFrom('', ' ', '\t '),
  )
  .map(([prefix, start, pieces, end]) => (prefix + start + pieces.join('') + end).replace(/[\r\n]/g, ' '));

test('what it accepts is cleaned to the same', () => {
  let count = 0;
  fc.assert(
    fc.property(line, (text) => {
      const plain = plainOf(text);
      if (!plain) return;
      count++;
      expect(new QuotedPrintable().line(text, 1)).toEqual({ raw: text, number: 1 });
      expect(cleanLine(text)).toEqual([{ text: plain.content }]);
      expect(isDecoration(plain.content)).toBe(false);
      const name = hostNameOf(text);
      if (name !== undefined) expect(plain.host).toBe(name);
    }),
    { numRuns: 5000 },
  );
  expect(count).toBeGreaterThan(200);
});

test('the line may be anywhere in a text', () => {
  fc.assert(
    fc.property(line, fc.string({ maxLength: 9 }), fc.string({ maxLength: 9 }), (text, before, after) => {
      expect(plainOf(`${before}\n${text}\n${after}`, before.length + 1, before.length + 1 + text.length)).toEqual(
        plainOf(text),
      );
    }),
    { numRuns: 1000 },
  );
});

test('what the lines before it began with does not matter', () => {
  let again = 0;
  // Lines with one prefix, in which digits and lengths differ a little.
  const varied = fc
    .tuple(line, fc.nat(9), fc.constantFrom('', '1', ' ', '[', '[1.5] ', '[ 1'))
    .map(([text, digit, more]) => {
      const numbered = text.replace(/(?<=^.{0,40})\d/g, String(digit));
      return numbered.replace(/(?<=^[^\]]{0,50}[:\]] )/, more);
    });
  fc.assert(
    fc.property(fc.array(fc.oneof(line, varied), { minLength: 2, maxLength: 8 }), (texts) => {
      const plain = new PlainLine();
      for (const text of texts) {
        const found = plainOf(text, 0, text.length, plain);
        expect([text, found]).toEqual([text, plainOf(text)]);
        if (found?.host !== undefined) again++;
      }
    }),
    { numRuns: 3000 },
  );
  expect(again).toBeGreaterThan(500);
});

test('the usual lines of a log are plain', () => {
  for (const text of [
    'Jan  3 12:00:01 maple kernel: [   12.345678] usb 1-3: new high-speed USB device number 12',
    'Jan  3 12:00:01 maple kernel: audit: type=1400 audit(1.2:3): apparmor="STATUS"',
    '[   12.345678] pci 0000:02:00.0: PME# supported from D0',
    'Jan 13 12:00:01 maple systemd[1]: Started Daily apt upgrade and clean activities.',
    'EXT4-fs (nvme0n1p2): mounted filesystem with ordered data mode. Quota mode: none.',
    'Jan  3 12:00:01 maple CRON[17]: pam_unix(cron:session): session opened for user root(uid=0)',
    'Jan  3 12:00:01 maple systemd[1]: apt-daily.service: Deactivated successfully.',
    'Jan  3 12:00:01 maple kernel: [UFW BLOCK] IN=eth0 OUT= SRC=10.0.0.1',
  ]) {
    const prefix = /^.*(?:kernel|\[1\]|\[17\]): (?=audit|Started|pam|apt|\[UFW)|^.*\] (?=usb|pci)/;
    expect(plainOf(text)?.content).toBe(text.replace(prefix, ''));
  }
});
