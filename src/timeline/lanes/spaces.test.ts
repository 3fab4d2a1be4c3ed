import { describe, expect, test } from 'vitest';
import { range } from '../../iova/range.ts';
import { hostSource, modelSource, reportedSource } from '../testing/sources.ts';
import { LANE_KINDS, type LaneKind, laneKind } from './kinds.ts';
import { MODEL_LANES, modelSpace } from './model-space.ts';
import { hostSpace, reportedSpace } from './spaces.ts';

const MSI = { kind: 'reserved', start: '0xfee00000', last: '0xfeefffff', type: 'msi' };
const groups = (n: number) => Array.from({ length: n }, (_, i) => ({ ...MSI, group: `${i}` }));
const EVERYTHING = [
  { ...MSI, group: '1' },
  { kind: 'group', group: '1', devices: ['0000:01:00.0'] },
  { kind: 'msi_message', device: '0000:01:00.0', address: '0xfee00000' },
  { kind: 'window', start: '0x0', last: '0xffff', name: 'ram', depth: 0, type: 'ram' },
  { kind: 'bar', device: '0000:01:00.0', index: 0, start: '0x10000', last: '0x1ffff' },
  { kind: 'map', start: '0x1000', last: '0x1fff', origin: 'ftrace' },
  { kind: 'request', op: 'map', api: 'vfio', start: '0x1000', last: '0x1fff', result: '-EINVAL' },
  { kind: 'fault', address: '0x1000' },
];
const GUEST = { title: 'vm', ranges: [{ ...range(0n, 9n), name: 'r', type: 'ram' }] };
const kindsOf = (space: { readonly lanes: readonly { readonly kind: string }[] }) =>
  space.lanes.map(({ kind }) => kind);

describe('the space of a host', () => {
  test('has its lanes in the order of the table, and those of layers only if they are selected', () => {
    const source = hostSource(EVERYTHING, { guests: [GUEST, GUEST] });
    const kinds = (layers: readonly LaneKind[]) => kindsOf(hostSpace('h', source, new Set(), new Set(layers)));
    const own = ['aperture', 'reserved', 'doorbells', 'guest', 'guest', 'mappings', 'requests', 'usable'];
    expect(kinds([])).toEqual(own);
    const all = ['aperture', 'reserved', 'doorbells', 'windows', 'bars', 'guest', 'guest', 'mappings', 'requests'];
    expect(kinds(['windows', 'bars', 'faults'])).toEqual([...all, 'faults', 'usable']);
    expect(kinds(['faults'])).toEqual([...own.slice(0, -1), 'faults', 'usable']);
  });

  test('every lane has the traits of its kind and an id of its own', () => {
    const layers = new Set<LaneKind>(['windows', 'bars', 'faults']);
    const { lanes } = hostSpace('h', hostSource(EVERYTHING, { guests: [GUEST, GUEST] }), new Set(), layers);
    for (const { kind, traits } of lanes) expect(traits).toBe(laneKind(kind as LaneKind).traits);
    expect(new Set(lanes.map(({ id }) => id)).size).toBe(lanes.length);
  });

  test('is named after its groups', () => {
    const heading = (lines: readonly object[]) => {
      const { title, subtitle } = hostSpace('h', hostSource(lines), new Set(), new Set());
      return [title, subtitle];
    };
    expect(heading(groups(1))).toEqual(['host: group 0', '']);
    expect(heading(groups(2))).toEqual(['host: group 0 + group 1', 'shared address space']);
    expect(heading(groups(4))[0]).toBe('host: group 0 + group 1 + group 2 + group 3');
    expect(heading(groups(5))[0]).toBe('host: 5 groups');
    expect(heading([{ kind: 'host', address_width: 39 }])).toEqual(['host', '']);
  });

  test('lanes are expanded by their ids', () => {
    const source = hostSource(groups(2));
    const lanes = (ids: readonly string[]) => hostSpace('h', source, new Set(ids), new Set()).lanes;
    expect(lanes(['h#reserved']).map(({ expanded }) => expanded)).toEqual([false, true, false]);
    expect(lanes(['x#reserved']).some(({ expanded }) => expanded)).toBe(false);
  });
});

describe('other spaces', () => {
  test('what a kernel reported', () => {
    const source = reportedSource(
      [{ kind: 'valid_range', start: '0x0', last: '0xffff', container: 'c', process: 'qemu', pid: 7 }],
      { guests: [GUEST] },
    );
    const space = reportedSpace('r', 'host', source, new Set());
    expect(space).toMatchObject({ id: 'r', title: 'host: c', subtitle: 'qemu (7)' });
    expect(kindsOf(space)).toEqual(['guest', 'usable']);
  });

  test('of a model, with holes once something is mapped', () => {
    const alloc = { op: 'ioas.alloc', ioas: 'a' };
    const map = {
      ...{ op: 'ioas.map', ioas: 'a', flags: ['fixed', 'read'], user_va: '0x0', length: '0x1000', iova: '0x1000' },
    };
    const empty = modelSpace('m', 'trace', modelSource('iommufd', [alloc]), new Set());
    expect(empty).toMatchObject({ id: 'm', title: 'trace: a', subtitle: '0 domains, 0 areas' });
    expect(kindsOf(empty)).toEqual(['aperture', 'reserved', 'areas', 'usable']);
    const mapped = modelSpace('m', 'trace', modelSource('iommufd', [alloc, map], { guest: GUEST }), new Set());
    expect(mapped.subtitle).toBe('0 domains, 1 area');
    expect(kindsOf(mapped)).toEqual(['aperture', 'reserved', 'guest', 'areas', 'holes', 'usable']);
    const container = modelSource('type1', [{ op: 'container.open', container: 'c', model: 'type1' }]);
    expect(modelSpace('m', 'trace', container, new Set()).subtitle).toBe('0 domains, 0 mappings');
  });
});

describe('the table of kinds', () => {
  test('a kind has functions, or is made by another one', () => {
    const without = LANE_KINDS.filter((kind) => Object.keys(laneKind(kind).of ?? {}).length === 0);
    const others = without.filter((kind) => !MODEL_LANES[kind]);
    expect(others).toEqual(['requests', 'notes', 'differences']);
  });

  test('layers count what a host has, and describe it', () => {
    const { host } = hostSource(EVERYTHING).space;
    const layers = LANE_KINDS.flatMap((kind) => {
      const { layer } = laneKind(kind);
      return layer ? [[layer.title, layer.count(host), layer.note(host), layer.isShownByDefault]] : [];
    });
    expect(layers).toEqual(
      expect.arrayContaining([
        ['memory map', 1, 'physical · 1 window', false],
        ['BARs', 1, 'physical · 1 BAR', false],
        ['faults', 1, '1 fault', true],
      ]),
    );
  });

  test('background, and what follows from other lanes, is neither content of the fold scale nor in the minimap', () => {
    for (const kind of ['aperture', 'holes', 'usable'] as const) {
      expect(laneKind(kind).traits).toMatchObject({ isContent: false, isInMinimap: false, shape: 'bar' });
    }
    for (const kind of ['reserved', 'guest', 'areas', 'mappings', 'requests', 'faults'] as const) {
      expect(laneKind(kind).traits).toMatchObject({ isContent: true, isInMinimap: true, holdsFacts: true });
    }
    for (const kind of LANE_KINDS) expect(laneKind(kind).traits.height).toBeGreaterThanOrEqual(20);
  });
});
