import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { IOVA_MAX } from '../../iova/iova.ts';
import { containsRange, range } from '../../iova/range.ts';
import { find } from '../../iova/range-set.ts';
import { createModel } from '../../kernel/models.ts';
import { Script } from '../../kernel/testing/run.ts';
import type { SessionEvent } from '../../session/events.ts';
import { buildHost } from '../host/build-host.ts';
import { MappingState } from '../host/mapping-state.ts';
import { mappingSets } from '../host/mappings.ts';
import { commonSpace, reportedSpaces } from './common-space.ts';
import { usableInModel } from './usable-in-model.ts';
import { obstacleLabel, usableAsReported, usableInFacts } from './usable-ranges.ts';

const reserved = (start: bigint, last: bigint, type: string, group = '1'): SessionEvent => ({
  kind: 'reserved',
  ...range(start, last),
  type,
  group,
  source: 'sysfs',
  line: 2,
});
const width = (bits: number, name = 'dmar0'): SessionEvent => ({
  kind: 'iommu',
  name,
  driver: 'intel',
  address_width: bits,
  source: 'log',
  line: 5,
});
const map = (start: bigint, last: bigint): SessionEvent => ({
  kind: 'map',
  ...range(start, last),
  device: '0000:01:00.0',
  source: 'trace',
  line: 9,
});

function factsOf(events: readonly SessionEvent[]) {
  const host = buildHost('h', 'host', events);
  const states = mappingSets(events).map((set) => {
    const state = new MappingState(set);
    state.seek(events.length);
    return state;
  });
  const answers = usableInFacts(commonSpace(host, host.groups), states);
  if (!answers) throw new Error('a group expected');
  return answers;
}

describe('the space of selected groups', () => {
  const events = [
    reserved(0xfee0_0000n, 0xfeef_ffffn, 'msi'),
    reserved(0xfee0_0000n, 0xfeef_ffffn, 'msi', '2'),
    reserved(0n, 0xff_ffffn, 'direct-relaxable'),
    width(39),
    width(48, 'dmar1'),
    map(0x1000_0000n, 0x1fff_ffffn),
  ];
  const answers = factsOf(events);

  test('usable, and free of what is mapped', () => {
    expect(answers.usable).toEqual([range(0n, 0xfedf_ffffn), range(0xfef0_0000n, 0x7f_ffff_ffffn)]);
    expect(answers.free).toEqual([
      range(0n, 0xfff_ffffn),
      range(0x2000_0000n, 0xfedf_ffffn),
      range(0xfef0_0000n, 0x7f_ffff_ffffn),
    ]);
    expect(answers).toMatchObject({ hasMappings: true, isApertureKnown: true });
    expect(factsOf(events.slice(0, 3))).toMatchObject({ hasMappings: false, isApertureKnown: false });
  });

  test('what blocks: bounds, owners and sources; a relaxable region does not', () => {
    expect(answers.obstaclesIn(range(0n, IOVA_MAX))).toEqual([
      {
        kind: 'reserved',
        type: 'msi',
        ...range(0xfee0_0000n, 0xfeef_ffffn),
        owners: ['group 1', 'group 2'],
        provenance: [
          { source: 'sysfs', line: 2 },
          { source: 'sysfs', line: 2 },
        ],
      },
      {
        kind: 'aperture',
        ...range(0x80_0000_0000n, IOVA_MAX),
        owners: ['dmar0, 39 bits'],
        provenance: [{ source: 'log', line: 5 }],
      },
      {
        kind: 'mapping',
        ...range(0x1000_0000n, 0x1fff_ffffn),
        owners: ['0000:01:00.0'],
        provenance: [{ source: 'trace', line: 9 }],
      },
    ]);
    expect(answers.obstaclesIn(range(0n, IOVA_MAX), 2).map(({ kind }) => kind)).toEqual(['reserved', 'aperture']);
  });

  test('both bounds of an obstacle count, the addresses beside it do not', () => {
    const kinds = (start: bigint, last: bigint) => answers.obstaclesIn(range(start, last)).map(({ kind }) => kind);
    expect(kinds(0xfed0_0000n, 0xfedf_ffffn)).toEqual([]);
    expect(kinds(0xfed0_0000n, 0xfee0_0000n)).toEqual(['reserved']);
    expect(kinds(0xfeef_ffffn, 0xff00_0000n)).toEqual(['reserved']);
    expect(kinds(0xfef0_0000n, 0xff00_0000n)).toEqual([]);
    expect(kinds(0x7f_ffff_ffffn, 0x7f_ffff_ffffn)).toEqual([]);
    expect(kinds(0x7f_ffff_ffffn, 0x80_0000_0000n)).toEqual(['aperture']);
    expect(kinds(0x1fff_ffffn, 0x2000_0000n)).toEqual(['mapping']);
    expect(kinds(0x2000_0000n, 0x2fff_ffffn)).toEqual([]);
  });

  test('at most so many obstacles, of one kind or of several sets', () => {
    const many = factsOf([
      reserved(0n, 9n, 'msi'),
      reserved(20n, 29n, 'msi'),
      map(100n, 109n),
      map(120n, 129n),
      { ...map(140n, 149n), device: 'other' } as SessionEvent,
    ]);
    const count = (max: number) => many.obstaclesIn(range(0n, 200n), max).length;
    expect([0, 1, 2, 3, 4, 5, 6].map(count)).toEqual([0, 1, 2, 3, 4, 5, 5]);
    expect(many.obstaclesIn(range(0n, 200n)).map(({ start }) => start)).toEqual([0n, 20n, 100n, 120n, 140n]);
  });

  test('what is free is computed once', () => {
    expect(answers.free).toBe(answers.free);
  });

  test('regions and what is outside of the aperture ascend together', () => {
    const low = factsOf([
      reserved(0x5000n, 0x5fffn, 'msi'),
      { kind: 'aperture', ...range(0x1000n, 0xffffn), group: '1', source: 'x' },
    ]);
    expect(low.obstaclesIn(range(0n, 0x1_0000n)).map(({ kind, start }) => [kind, start])).toEqual([
      ['aperture', 0n],
      ['reserved', 0x5000n],
      ['aperture', 0x1_0000n],
    ]);
  });

  test('without a group there is no answer', () => {
    const host = buildHost('h', 'host', [width(39)]);
    expect(usableInFacts(commonSpace(host, []), [])).toBeUndefined();
  });

  test('a range is blocked exactly if it is in no free range', () => {
    const piece = fc.tuple(fc.bigInt(0n, 200n), fc.bigInt(0n, 40n));
    fc.assert(
      fc.property(
        fc.array(fc.tuple(piece, fc.constantFrom('msi', 'direct-relaxable', 'odd')), { minLength: 1, maxLength: 5 }),
        fc.array(piece, { maxLength: 4 }),
        fc.integer({ min: 4, max: 8 }),
        piece,
        (regions, maps, bits, [start, more]) => {
          const found = factsOf([
            ...regions.map(([[s, n], type]) => reserved(s, s + n, type)),
            ...maps.map(([s, n]) => map(s, s + n)),
            width(bits),
          ]);
          const wanted = range(start, start + more);
          const holder = find(found.free, start);
          expect(found.obstaclesIn(wanted).length === 0).toBe(holder !== undefined && containsRange(holder, wanted));
        },
      ),
    );
  });
});

describe('a space that a kernel reported', () => {
  const valid = (start: bigint, last: bigint): SessionEvent => ({
    kind: 'valid_range',
    ...range(start, last),
    container: 'c',
    source: 'info',
    line: 3,
  });
  const answersOf = (...events: SessionEvent[]) => {
    const [space] = reportedSpaces(buildHost('h', 'host', events));
    if (!space) throw new Error('a reported space expected');
    return usableAsReported(space);
  };

  test('what is in none of its ranges is not valid, with the bounds of the gap', () => {
    const answers = answersOf(valid(0n, 0xfedf_ffffn), valid(0xfef0_0000n, 0x7f_ffff_ffffn));
    expect(answers.usable).toHaveLength(2);
    expect(answers.free).toEqual(answers.usable);
    const source = { source: 'info', line: 3 };
    expect(answers.obstaclesIn(range(0xfee0_1000n, 0xfee0_1fffn))).toEqual([
      { kind: 'not-valid', ...range(0xfee0_0000n, 0xfeef_ffffn), owners: ['c'], provenance: [source, source] },
    ]);
    expect(answers.obstaclesIn(range(0xfef0_0000n, 0x7f_ffff_ffffn))).toEqual([]);
    expect(answers.obstaclesIn(range(0n, IOVA_MAX), 1)).toHaveLength(1);
  });

  test('beyond its aperture the aperture is the reason', () => {
    const aperture: SessionEvent = { kind: 'aperture', ...range(0n, 0x7f_ffff_ffffn), container: 'c', source: 'info' };
    const answers = answersOf(valid(0x1000n, 0x7f_ffff_ffffn), aperture);
    expect(answers.obstaclesIn(range(0n, IOVA_MAX)).map(({ kind, start, last }) => [kind, start, last])).toEqual([
      ['not-valid', 0n, 0xfffn],
      ['aperture', 0x80_0000_0000n, IOVA_MAX],
    ]);
  });
});

test('a space of a model: what blocks comes with the event that mapped it', () => {
  const made = createModel({}, 'iommufd');
  if (!made.ok) throw new Error(made.message);
  const script = new Script(made.model);
  script.alloc();
  script.reserve(0x5000n, 0x1000n);
  script.attach('nic', { iommu: 'vtd', aperture: [0n, 0xffffn], regions: [[0x8000n, 0x8fffn, 'msi']] });
  script.map(0n, 0x1000n, 0x2000n);
  const space = made.model.space('a');
  if (!space) throw new Error('no space');
  const answers = usableInModel(space, (index) => [{ source: 'session', line: index }]);
  expect(answers).toMatchObject({ hasMappings: true, isApertureKnown: true });
  script.alloc('empty');
  const empty = made.model.space('empty');
  expect(empty && usableInModel(empty, () => [])).toMatchObject({
    hasMappings: false,
    isApertureKnown: false,
    free: [range(0n, IOVA_MAX)],
  });
  expect(answers.free).toEqual([
    range(0n, 0x1fffn),
    range(0x3000n, 0x4fffn),
    range(0x6000n, 0x7fffn),
    range(0x9000n, 0xffffn),
  ]);
  const found = answers.obstaclesIn(range(0n, 0x1_0000n));
  expect(found).toEqual([
    { kind: 'reserved', type: 'manual', ...range(0x5000n, 0x5fffn), owners: [], provenance: [] },
    { kind: 'reserved', type: 'msi', ...range(0x8000n, 0x8fffn), owners: ['nic'], provenance: [] },
    { kind: 'aperture', ...range(0x1_0000n, IOVA_MAX), owners: ['vtd'], provenance: [] },
    { kind: 'mapping', ...range(0x2000n, 0x2fffn), owners: [], provenance: [{ source: 'session', line: 3 }] },
  ]);
  expect(found.map(obstacleLabel)).toEqual([
    'reserved by request',
    'MSI window (msi)',
    'outside the aperture',
    'mapping',
  ]);
});

test('labels', () => {
  expect(obstacleLabel({ kind: 'reserved', type: 'reserved' })).toBe('reserved');
  expect(obstacleLabel({ kind: 'reserved', type: 'odd' })).toBe('odd');
  expect(obstacleLabel({ kind: 'reserved', type: 'sw-msi' })).toBe('MSI window (sw-msi)');
  expect(obstacleLabel({ kind: 'not-valid' })).toBe('outside the valid ranges');
});
