// A number that was cut, elided, masked, separated or wrapped is no number: whatever format it is in, reading it gives the
// true value, or a diagnostic and no value.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  diagnosticsOf,
  FUZZ_TIMEOUT,
  faultsOf,
  fuzzRuns,
  IS_LONG,
  inputOf,
  type Opened,
  openAll,
} from './testing/read.ts';

const ROOT = fileURLToPath(new URL('./fixtures/', import.meta.url));
/** Longer fixtures repeat themselves. */
const LINES_MAX = 100;
const NUMBER =
  /(?<![\w.])0x[0-9a-f]{3,}(?![\w.])|(?<![\w.:])(?=[0-9a-f]*\d)[0-9a-f]{5,}(?![\w.:])|(?<=[=:] ?)\d{4,}(?![\w.:])/gi;

interface Place {
  readonly fixture: string;
  readonly lines: readonly string[];
  readonly index: number;
  readonly number: string;
  readonly before: string;
  readonly after: string;
}

const FIXTURES = readdirSync(ROOT, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.includes('/') && !/\.facts\.jsonl$|\.dat$/.test(name))
  .sort();

function placesOf(fixture: string): Place[] {
  const lines = readFileSync(join(ROOT, fixture), 'utf8').split('\n').slice(0, LINES_MAX);
  return lines.flatMap((line, index) =>
    [...line.matchAll(NUMBER)].map((match) => ({
      fixture,
      lines,
      index,
      number: match[0],
      before: line.slice(0, match.index),
      after: line.slice(match.index + match[0].length),
    })),
  );
}

const isHex = (number: string) => /^0x/i.test(number);
const digitsOf = (number: string) => number.replace(/^0x/i, '');

function grouped(number: string, separator: string): string {
  const size = isHex(number) ? 4 : 3;
  const digits = digitsOf(number).replace(new RegExp(`\\B(?=(?:.{${size}})+$)`, 'g'), separator);
  return (isHex(number) ? '0x' : '') + digits;
}

/** What people and programs do to numbers. Undefined where it cannot be seen, as at the end of a line. */
const DAMAGES: Readonly<Record<string, (place: Place, keep: number) => string | undefined>> = {
  'cut with the rest of the line': ({ number, before, after }) =>
    /[0-9a-z]/i.test(after) ? before + number.slice(0, -2) : undefined,
  'dots for its end': ({ number, before, after }, keep) => `${before}${number.slice(0, keep)}...${after}`,
  'an ellipsis for its end': ({ number, before, after }, keep) => `${before}${number.slice(0, keep)}…${after}`,
  'an ellipsis in its middle': ({ number, before, after }, keep) =>
    `${before}${number.slice(0, keep)}…${number.slice(-2)}${after}`,
  'masked end': ({ number, before, after }) => `${before}${number.slice(0, -3)}XXX${after}`,
  'masked end in lower case': ({ number, before, after }) => `${before}${number.slice(0, -3)}xxx${after}`,
  'masked by asterisks': ({ number, before, after }, keep) => `${before}${number.slice(0, keep)}****${after}`,
  'masked as a whole': ({ number, before, after }) =>
    `${before}${isHex(number) ? '0x' : ''}${'X'.repeat(digitsOf(number).length)}${after}`,
  underscores: ({ number, before, after }) => before + grouped(number, '_') + after,
  commas: ({ number, before, after }) => before + grouped(number, ',') + after,
  apostrophes: ({ number, before, after }) => before + grouped(number, "'") + after,
  blanks: ({ number, before, after }) => before + grouped(number, ' ') + after,
  'a line break inside': ({ number, before, after }, keep) =>
    `${before}${number.slice(0, keep)}\n${number.slice(keep)}${after}`,
};

/** Settings of guests are words of a person: `memory: 327`, and a line of `68` below it, are two. */
const SETTINGS = /^(?:guest-command-line|proxmox|libvirt-xml|kubevirt)\//;
/** Registers of sysfs are bare digits on a line of their own: what follows may be the next one. */
const BARE = /^iommu-class\//;
const OF_LINES = ['cut with the rest of the line', 'a line break inside', 'blanks', 'commas', 'apostrophes'];

function isVisible({ fixture, number }: Place, how: string): boolean {
  // Without 0x, two words are two numbers.
  if (how === 'blanks' && !isHex(number)) return false;
  if (SETTINGS.test(fixture)) return !OF_LINES.includes(how);
  return !(BARE.test(fixture) && how === 'a line break inside');
}

/** Every address and size in the facts: `fault.address 7cd80000`. */
function valuesOf({ facts }: Pick<Opened, 'facts'>): Set<string> {
  const values = new Set<string>();
  for (const fact of facts) {
    for (const [key, value] of Object.entries(fact)) {
      if (typeof value === 'bigint') values.add(`${fact.kind}.${key} ${value.toString(16)}`);
    }
  }
  return values;
}

const warningsOf = (opened: Opened) => diagnosticsOf(opened).filter((text) => !text.startsWith('info')).length;
const factsOf = ({ facts }: Opened) => facts.filter(({ kind }) => kind !== 'diagnostic').length;
const unrecognized = ({ sources }: Opened) => sources.reduce((sum, source) => sum + source.unrecognized, 0);

const wholes = new Map<string, Promise<Opened>>();
function wholeOf({ fixture, lines }: Place): Promise<Opened> {
  const known = wholes.get(fixture) ?? openAll([inputOf('x', lines.join('\n'))]);
  wholes.set(fixture, known);
  return known;
}

const place = fc
  .constantFrom(...FIXTURES.map(placesOf).filter(({ length }) => length > 0))
  .chain((places) => fc.constantFrom(...places));

/** Reads a fixture with one number damaged. False if that number cannot be damaged so. */
async function isRight(at: Place, how: string, digits: number): Promise<boolean> {
  const line = DAMAGES[how]?.(at, Math.min(digits, at.number.length - 1));
  if (line === undefined || line === at.lines[at.index] || !isVisible(at, how)) return false;
  const before = await wholeOf(at);
  const after = await openAll([inputOf('x', at.lines.with(at.index, line).join('\n'))]);
  const isSaid = warningsOf(after) > warningsOf(before);
  const known = valuesOf(before);
  const made = isSaid ? [] : [...valuesOf(after)].filter((value) => !known.has(value));
  expect([at.fixture, how, line, made]).toEqual([at.fixture, how, line, []]);
  const isLost = factsOf(after) < factsOf(before) && !isSaid && unrecognized(after) <= unrecognized(before);
  expect([at.fixture, how, line, isLost]).toEqual([at.fixture, how, line, false]);
  return true;
}

test('a damaged number gives its true value, or a diagnostic', { timeout: 3 * FUZZ_TIMEOUT }, async () => {
  let damaged = 0;
  const keep = fc.integer({ min: 3, max: 6 });
  await fc.assert(
    fc.asyncProperty(place, fc.constantFrom(...Object.keys(DAMAGES)), keep, async (at, how, digits) => {
      if (await isRight(at, how, digits)) damaged++;
    }),
    // The same places each time, so that the test says the same of the same code; others with FUZZ_RUNS.
    { ...fuzzRuns(150), ...(process.env.FUZZ_RUNS ? {} : { seed: 20 }) },
  );
  expect(damaged).toBeGreaterThan(100);
});

/** Formats whose lines have no addresses of memory: what is damaged is a device, a group, ids or a release. */
const NAMES: Readonly<Record<string, readonly string[]>> = {
  'host-identity': [
    'Linux maple 6.12.0-18-amd64 #1 SMP PREEMPT_DYNAMIC Debian 6.12.7-1 (2024-02-01) x86_64 GNU/Linux',
    '[    0.000000] Linux version 6.12.42-generic (build@host) (gcc 12.2.0) #1 SMP',
    'proxmox-ve: 8.1.0 (running kernel: 6.5.11-7-pve)',
  ],
  'lspci-tree': [
    '-[0000:00]-+-00.0  Host bridge',
    '           +-01.0-[01]--+-00.0  Graphics',
    '           |            \\-00.1  Audio',
    '           +-1c.4-[03-07]----00.0  Network',
    '           \\-1f.6  Ethernet',
  ],
  driverctl: ['0000:00:1f.6 e1000e (Ethernet)', '0000:0b:00.0 vfio-pci [*] (Graphics)', '0000:0b:00.1 (none)'],
  'kernel-log-devices': [
    '[    0.412345] pci 0000:0b:00.0: [10de:2484] type 00 class 0x030000 PCIe Legacy Endpoint',
    '[    3.412345] ixgbe 0000:5e:00.0 eth0: renamed from eth1',
  ],
  'vfio-messages': [
    'vfio 0000:0b:00.0: failed to open /dev/vfio/27: No such file or directory',
    'vfio 0000:0c:00.0: error getting device from group 31: No such device',
    'PCI device 0000:0d:00.0 is in use by driver QEMU, domain studio',
    '[    9.1] vfio-pci: probe of 0000:0e:00.0 failed with error -22',
  ],
};
const NAME =
  /(?<![\w.:])(?:[0-9a-f]{4}:)?[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]|\b\d+\.\d+\.\d+-\w+|[0-9a-f]{4}:[0-9a-f]{4}|\[[0-9a-f]{2}(?:-[0-9a-f]{2})?\]|(?<=vfio\/|group )\d+/g;
const SPOILED: Readonly<Record<string, (name: string, keep: number) => string>> = {
  dots: (name, keep) => `${name.slice(0, keep)}...`,
  'an ellipsis': (name, keep) => `${name.slice(0, keep)}…`,
  'an ellipsis in the middle': (name, keep) => `${name.slice(0, keep)}…${name.slice(-1)}`,
  masked: (name, keep) => name.slice(0, keep) + 'X'.repeat(Math.max(2, name.length - keep)),
  asterisks: (name, keep) => name.slice(0, keep) + '*'.repeat(Math.max(2, name.length - keep)),
  redacted: () => '<redacted>',
};

/** The devices, groups and releases that facts name, and messages about groups. */
function namesOf({ facts }: Pick<Opened, 'facts'>): Set<string> {
  return new Set(
    facts.flatMap((fact) => {
      if (fact.kind === 'device') return [`device ${fact.device}`, `parent ${fact.parent}`, `ids ${fact.ids}`];
      if (fact.kind === 'host') return [`kernel ${fact.kernel}`];
      if (fact.kind === 'group') return [`group ${fact.group}`];
      const named = fact.kind === 'diagnostic' && fact.code !== 'damaged-number' ? fact.message : '';
      return named.match(/\bgroup \w+|[0-9a-f]{4}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]/g) ?? [];
    }),
  );
}

test.each(Object.keys(NAMES))('a damaged device, group or release is not another one: %s', async (format) => {
  const lines = NAMES[format] ?? [];
  const whole = await openAll([inputOf('x', lines.join('\n'))]);
  const known = namesOf(whole);
  expect(known.size).toBeGreaterThan(2);
  let tried = 0;
  for (const [index, line] of lines.entries()) {
    for (const match of line.matchAll(NAME)) {
      for (const [how, spoil] of Object.entries(SPOILED)) {
        for (let keep = 1; keep < match[0].length; keep++) {
          const spoiled =
            line.slice(0, match.index) + spoil(match[0], keep) + line.slice(match.index + match[0].length);
          const after = await openAll([inputOf('x', lines.with(index, spoiled).join('\n'))]);
          const made = [...namesOf(after)].filter((name) => !known.has(name) && !name.endsWith(' undefined'));
          expect([how, spoiled, made]).toEqual([how, spoiled, []]);
          tried++;
        }
      }
    }
  }
  expect(tried).toBeGreaterThan(20);
});

describe('an ACPI table', () => {
  const TABLES = readdirSync(join(ROOT, 'acpi-table')).filter((name) => name.endsWith('.dat'));
  const codesOf = ({ facts }: Opened) => facts.map((fact) => (fact.kind === 'diagnostic' ? fact.code : ''));

  test.each(TABLES)('%s, cut anywhere: true values, and that it is cut', async (name) => {
    const bytes = new Uint8Array(readFileSync(join(ROOT, 'acpi-table', name)));
    const known = valuesOf(await openAll([inputOf('x', bytes)]));
    // A header is at least so long.
    for (let length = 36; length < bytes.length; length++) {
      const after = await openAll([inputOf('x', bytes.slice(0, length))]);
      expect([length, [...valuesOf(after)].filter((value) => !known.has(value))]).toEqual([length, []]);
      expect([length, ...codesOf(after)]).toContain('acpi-truncated');
    }
  });

  test.each(TABLES)('%s, changed anywhere: true values, or that it was changed', async (name) => {
    const bytes = new Uint8Array(readFileSync(join(ROOT, 'acpi-table', name)));
    const known = valuesOf(await openAll([inputOf('x', bytes)]));
    for (let at = 4; at < bytes.length; at++) {
      // One bit of each byte, the long form both.
      for (const bits of IS_LONG ? [0x01, 0x80] : [at % 2 === 0 ? 0x01 : 0x80]) {
        const changed = bytes.slice();
        changed[at] = (changed[at] ?? 0) ^ bits;
        const after = await openAll([inputOf('x', changed)]);
        const made = [...valuesOf(after)].filter((value) => !known.has(value));
        if (made.length === 0) continue;
        const said = codesOf(after).filter((code) => code === 'acpi-checksum' || code === 'acpi-truncated');
        expect([at, made, said.length > 0]).toEqual([at, made, true]);
      }
    }
  });
});

describe('as people post them', () => {
  test.each([
    'DMAR: [DMA Read NO_PASID] Request device [02:00.0] fault addr 0xXXXXXXXX [fault reason 0x06] PTE Read access is not set',
    'DMAR: [DMA Read NO_PASID] Request device [02:00.0] fault addr 0x7cd8... [fault reason 0x06] PTE Read access is not set',
    'DMAR: [DMA Read NO_PASID] Request device [02:00.0] fault addr 8c0… [fault reason 0x06] PTE Read access is not set',
    'AMD-Vi: Event logged [IO_PAGE_FAULT device=02:00.0 domain=0x0001 address=0xfc18… flags=0x0020]',
    'arm-smmu-v3 a.iommu: event: F_TRANSLATION client: 0000:01:00.0 sid: 0x100 ssid: 0x0 iova: 0x9000… ipa: 0x0',
    'arm-smmu 5000000.iommu: Unhandled context fault: fsr=0x402, iova=0x080000',
    'virtio_iommu virtio0: page fault from EP 8 at 0xfee0_0000 [RW]',
    'vfio_listener_region_add_ram region_add [ram] 0x0 - 0x9f…',
    'vfio_listener_region_add_ram region_add [ram] 0x0 - 0x9f',
    "qemu-system-x86_64: vfio_dma_map(0x55d8, 0xfee0'0000, 0x1000, 0x7f00) = -22 (Invalid argument)",
    'iommu: map: iova 0xfee????? pa 0x1000 size 0x1000',
    'map: IOMMU: iova=0x1000 - 0x2000 paddr=0x5000 size=4,096',
    '0x00000000fee0XXXX 0x00000000feefffff msi',
    '0x00000000fee00000 0x00000000fee[redacted] msi',
  ])('%s', async (line) => {
    const opened = await openAll([inputOf('x', line)]);
    expect(factsOf(opened)).toBe(0);
    expect(diagnosticsOf(opened)).toEqual([expect.stringMatching(/^warning damaged-[a-z]+ 1$/)]);
  });

  test('a multiplication sign for the x is repaired, and said', async () => {
    const line =
      'DMAR: [DMA Read] Request device [02:00.0] fault addr 0×7cd80000 [fault reason 06] PTE Read access is not set';
    const opened = await openAll([inputOf('x', line)]);
    expect(faultsOf(opened)).toEqual(['0000:02:00.0 read 7cd80000 (PTE Read access is not set)']);
    expect(diagnosticsOf(opened)).toEqual(['info repaired-number 1']);
  });

  test('names keep what looks like a number', async () => {
    const opened = await openAll([
      inputOf('x', '00000000-00000fff : Reserved\n00001000-0009ffff : Flash 0x12... bank\n'),
    ]);
    expect(opened.facts.map((fact) => (fact.kind === 'window' ? fact.name : fact.kind))).toEqual([
      'Reserved',
      'Flash 0x12... bank',
      'diagnostic',
    ]);
  });
});
