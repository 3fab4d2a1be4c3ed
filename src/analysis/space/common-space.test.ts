import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { IOVA_MAX } from '../../iova/iova.ts';
import { range } from '../../iova/range.ts';
import { find, totalSize } from '../../iova/range-set.ts';
import type { SessionEvent } from '../../session/events.ts';
import { buildHost } from '../host/build-host.ts';
import { groupTitle } from '../host/host.ts';
import {
  beyondApertures,
  commonSpace,
  holderLabel,
  mergeByType,
  reportedSpaces,
  separateSpaces,
  spaceTitle,
} from './common-space.ts';

function reserved(start: bigint, last: bigint, type: string, group?: string, line = 1, source = 'a.txt'): SessionEvent {
  return { kind: 'reserved', ...range(start, last), type, ...(group === undefined ? {} : { group }), source, line };
}

describe('buildHost', () => {
  test('the same region said twice is one region with two places', () => {
    const host = buildHost('h', 'host', [
      reserved(0xfee00000n, 0xfeefffffn, 'msi', '3', 4),
      reserved(0xfee00000n, 0xfeefffffn, 'msi', '3', 9, 'b.txt'),
    ]);
    expect(host.groups).toHaveLength(1);
    expect(host.groups[0]?.regions).toHaveLength(1);
    expect(host.groups[0]?.regions[0]?.provenance).toEqual([
      { source: 'a.txt', line: 4 },
      { source: 'b.txt', line: 9 },
    ]);
  });

  test('groups are in natural order, with what is known of each', () => {
    const host = buildHost('h', 'host', [
      { kind: 'group', group: '10', devices: ['0000:00:1f.2', '0000:00:1f.0'], type: 'DMA' },
      reserved(0n, 0xfffn, 'reserved', '2'),
      reserved(0n, 0xfffn, 'reserved'),
    ]);
    expect(host.groups.map(groupTitle)).toEqual(['group 2', 'group 10', 'unknown group']);
    expect(host.groups[1]).toMatchObject({ type: 'DMA', devices: ['0000:00:1f.0', '0000:00:1f.2'] });
  });

  test('a region of a device whose group is not known stands under the device', () => {
    const host = buildHost('h', 'host', [
      { kind: 'reserved', ...range(0n, 0xfffn), type: 'direct', device: '0000:05:00.0', source: 'a', line: 1 },
    ]);
    expect(host.groups.map(groupTitle)).toEqual(['0000:05:00.0']);
  });

  test('a region of the firmware goes to the groups that have it, and stays alone if none has', () => {
    const rmrr = (start: bigint, last: bigint, line: number): SessionEvent => ({
      kind: 'reserved',
      ...range(start, last),
      type: 'direct',
      origin: 'rmrr',
      source: 'dmesg',
      line,
    });
    const host = buildHost('h', 'host', [
      rmrr(0x3f000000n, 0x3f7fffffn, 134),
      rmrr(0x1000n, 0x1fffn, 135),
      reserved(0x3f000000n, 0x3f7fffffn, 'direct', '3', 4),
    ]);
    expect(host.groups.map(groupTitle)).toEqual(['group 3', 'unknown group']);
    expect(host.groups[0]?.regions[0]?.provenance).toEqual([
      { source: 'a.txt', line: 4 },
      { source: 'dmesg', line: 134 },
    ]);
    expect(host.groups[1]?.regions).toHaveLength(1);
  });
});

describe('commonSpace', () => {
  const region = fc.tuple(
    fc.oneof(fc.bigInt(0n, IOVA_MAX), fc.constantFrom(0n, IOVA_MAX, 1n << 32n, 1n << 63n)),
    fc.bigInt(0n, 1n << 40n),
    fc.constantFrom('msi', 'direct', 'direct-relaxable', 'reserved', 'odd'),
    fc.constantFrom('1', '2', '3'),
  );

  test('usable is exactly what is in every aperture and in no blocking region', () => {
    fc.assert(
      fc.property(
        fc.array(region, { maxLength: 20 }),
        fc.integer({ min: 20, max: 64 }),
        fc.bigInt(0n, IOVA_MAX),
        (list, bits, probe) => {
          const events: SessionEvent[] = list.map(([a, n, type, group]) =>
            reserved(a, a + n > IOVA_MAX ? IOVA_MAX : a + n, type, group),
          );
          const host = buildHost('h', 'host', [...events, { kind: 'host', address_width: bits }]);
          const { usable } = commonSpace(host, host.groups);
          const probes = [
            probe,
            ...list.flatMap(([a, n]) => [a, a - 1n, a + n, a + n + 1n]),
            0n,
            IOVA_MAX,
            1n << BigInt(bits),
          ];
          for (const address of probes) {
            if (address < 0n || address > IOVA_MAX) continue;
            const blocked = list.some(
              ([a, n, type]) => type !== 'direct-relaxable' && a <= address && address <= a + n,
            );
            expect(find(usable, address) !== undefined).toBe(!blocked && address < 1n << BigInt(bits));
          }
        },
      ),
    );
  });

  test('without a word on the aperture the whole space counts, less what is reserved', () => {
    const host = buildHost('h', 'host', [reserved(0xfee00000n, 0xfeefffffn, 'msi', '1')]);
    const space = commonSpace(host, host.groups);
    expect(space.apertures).toEqual([]);
    expect(totalSize(space.usable)).toBe((1n << 64n) - 0x100000n);
  });

  test('only ticked groups count, and a merged region says who brings it', () => {
    const host = buildHost('h', 'host', [
      reserved(0x1000n, 0x2fffn, 'direct', '1'),
      reserved(0x2000n, 0x3fffn, 'direct', '2'),
      reserved(0x9000n, 0x9fffn, 'direct', '3'),
    ]);
    const [one, two] = host.groups;
    if (!one || !two) throw new Error('two groups expected');
    const space = commonSpace(host, [one, two]);
    expect(space.reserved).toHaveLength(1);
    expect(space.reserved[0]).toMatchObject({ start: 0x1000n, last: 0x3fffn });
    expect(space.reserved[0]?.parts.map((p) => p.owner)).toEqual(['group 1', 'group 2']);
  });

  test('an aperture of another group does not limit the ticked ones', () => {
    const host = buildHost('h', 'host', [
      reserved(0x1000n, 0x1fffn, 'msi', '1'),
      reserved(0x1000n, 0x1fffn, 'msi', '2'),
      { kind: 'aperture', ...range(0n, 0xffffffn), group: '2' },
    ]);
    const [one, two] = host.groups;
    if (!one || !two) throw new Error('two groups expected');
    expect(commonSpace(host, [one]).usable.at(-1)?.last).toBe(IOVA_MAX);
    expect(commonSpace(host, [one, two]).usable.at(-1)?.last).toBe(0xffffffn);
  });

  test('a title names up to four groups', () => {
    const host = buildHost(
      'h',
      'host',
      ['1', '2', '3', '4', '5'].map((name) => reserved(0n, 0xfffn, 'msi', name)),
    );
    expect(spaceTitle({ host, groups: [] })).toBe('host');
    expect(spaceTitle({ host, groups: host.groups.slice(0, 4) })).toBe('host: group 1 + group 2 + group 3 + group 4');
    expect(spaceTitle({ host, groups: host.groups })).toBe('host: 5 groups');
  });
});

describe('merging', () => {
  const part = (start: bigint, last: bigint, type: string, owner = 'o') => ({
    type,
    owner,
    range: range(start, last),
    provenance: [],
  });
  const merged = (...parts: ReturnType<typeof part>[]) =>
    mergeByType(parts).map(({ start, last, type, parts: own }) => [start, last, type, own.map(({ owner }) => owner)]);

  test('regions of one type that overlap, by one address at least', () => {
    expect(merged(part(5n, 9n, 'msi', 'b'), part(0n, 5n, 'msi', 'a'))).toEqual([[0n, 9n, 'msi', ['a', 'b']]]);
    expect(merged(part(0n, 9n, 'msi', 'a'), part(2n, 3n, 'msi', 'b'))).toEqual([[0n, 9n, 'msi', ['a', 'b']]]);
    expect(merged(part(0n, 9n, 'msi', 'a'), part(0n, 9n, 'msi', 'a'))).toEqual([[0n, 9n, 'msi', ['a', 'a']]]);
  });

  test('adjacent ones and other types stay separate, by address, then by type', () => {
    expect(merged(part(5n, 9n, 'msi'), part(0n, 4n, 'msi'))).toEqual([
      [0n, 4n, 'msi', ['o']],
      [5n, 9n, 'msi', ['o']],
    ]);
    expect(merged(part(0n, 9n, 'reserved'), part(0n, 4n, 'msi'), part(1n, 2n, 'direct'))).toEqual([
      [0n, 4n, 'msi', ['o']],
      [0n, 9n, 'reserved', ['o']],
      [1n, 2n, 'direct', ['o']],
    ]);
  });
});

describe('what the kernel reported of containers', () => {
  const valid = (start: bigint, last: bigint, container = 'c') =>
    ({ kind: 'valid_range', ...range(start, last), container, source: 'info' }) as const;
  const regions: SessionEvent[] = [reserved(0x2000n, 0x2fffn, 'msi', '1')];

  test('is the aperture of the host if all report the same; only unexplained holes are added', () => {
    const events = [...regions, valid(0n, 0x1fffn), valid(0x3000n, 0x4fffn), valid(0x6000n, 0x7fffn)];
    const host = buildHost('h', 'host', events);
    const space = commonSpace(host, host.groups);
    expect(space.apertures.map(({ start, last, message }) => [start, last, message])).toEqual([
      [0n, 0x7fffn, 'c, reported by the kernel'],
    ]);
    expect(space.reserved.map(({ start, type, parts }) => [start, type, parts[0]?.owner])).toEqual([
      [0x2000n, 'msi', 'group 1'],
      [0x5000n, 'reserved', 'c'],
    ]);
    expect(space.usable.map(({ start, last }) => [start, last])).toEqual([
      [0n, 0x1fffn],
      [0x3000n, 0x4fffn],
      [0x6000n, 0x7fffn],
    ]);
    expect(separateSpaces(host)).toEqual([]);
  });

  test('stays apart where they differ, and where no group is known', () => {
    const differing = buildHost('h', 'host', [...regions, valid(0n, 0xfffn), valid(0n, 0x1fffn, 'd')]);
    expect(commonSpace(differing, differing.groups).apertures).toEqual([]);
    expect(separateSpaces(differing).map(({ name }) => name)).toEqual(['c', 'd']);
    const alone = buildHost('h', 'host', [valid(0n, 0xfffn)]);
    expect(separateSpaces(alone).map(({ name }) => name)).toEqual(['c']);
  });
});

describe('the aperture of a space', () => {
  const aperture = (start: bigint, last: bigint, more: object = {}): SessionEvent =>
    ({ kind: 'aperture', ...range(start, last), source: 'x', ...more }) as SessionEvent;

  test('what is outside of any of them', () => {
    const host = buildHost('h', 'host', [aperture(0n, 0xffffn), aperture(0x100n, 0x1_ffffn)]);
    expect(beyondApertures(host.apertures)).toEqual([range(0n, 0xffn), range(0x1_0000n, IOVA_MAX)]);
    expect(beyondApertures([])).toEqual([]);
  });

  test('those of containers and IOASs that differ belong to the reported spaces, not to that of groups', () => {
    const host = buildHost('h', 'host', [
      reserved(0x1000n, 0x1fffn, 'msi', '1'),
      aperture(0n, 0xffffn, { container: 'c' }),
      aperture(0n, 0xf_ffffn),
      { kind: 'valid_range', ...range(0n, 0xfffn), container: 'c', source: 'x' },
      { kind: 'valid_range', ...range(0n, 0x1fffn), ioas: 'i', source: 'x' },
    ]);
    expect(commonSpace(host, host.groups).apertures.map(({ last }) => last)).toEqual([0xf_ffffn]);
    expect(
      reportedSpaces(host).map(({ name, apertures, validRanges }) => [name, apertures.length, validRanges.length]),
    ).toEqual([
      ['c', 1, 1],
      ['i', 0, 1],
    ]);
  });
});

test('who uses a reported space', () => {
  const label = (more: object) => {
    const [space] = reportedSpaces(
      buildHost('h', 'host', [{ kind: 'valid_range', ...range(0n, 1n), container: 'c', ...more } as SessionEvent]),
    );
    return space && holderLabel(space);
  };
  expect(label({})).toBe('');
  expect(label({ guest: 'vm', process: 'qemu', pid: 7, mappings_left: 1 })).toBe('guest vm, qemu (7), 1 mapping left');
  expect(label({ process: 'qemu', mappings_left: 65535 })).toBe('qemu, 65,535 mappings left');
  expect(label({ pid: 7 })).toBe('');
  expect(holderLabel({ validRanges: [] })).toBe('');
});
