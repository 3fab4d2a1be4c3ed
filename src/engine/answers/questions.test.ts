import { describe, expect, test } from 'vitest';
import type { PictureSpace } from '../picture/spaces.ts';
import { selectedHosts, spacesFor } from '../picture/spaces.ts';
import { sessionDocument } from '../testing/documents.ts';
import { fitIn, guestSizes, holesIn } from './questions.ts';

const MSI = { kind: 'reserved', start: '0xfee00000', last: '0xfeefffff', type: 'msi', group: '1' };
const RELAXABLE = { kind: 'reserved', start: '0x1000', last: '0x1fff', type: 'direct-relaxable', group: '1' };
const HOST = { kind: 'host', address_width: 39 };
const MAP = { kind: 'map', start: '0x100000', last: '0x1fffff', origin: 'ftrace' };
const OPERATIONS = [
  { op: 'ioas.alloc', ioas: 'a' },
  { op: 'ioas.map', ioas: 'a', flags: ['fixed', 'read'], user_va: '0x0', length: '0x1000', iova: '0x1000' },
  { op: 'ioas.reserve', ioas: 'a', start: '0x5000', length: '0x1000' },
];

/** The spaces of everything in a session. */
async function spacesOf(lines: readonly object[], header?: object): Promise<PictureSpace[]> {
  const document = await sessionDocument('d', lines, header);
  const groups = document.host.groups.map(({ key }) => key);
  const others = document.mappings.map(({ key }) => `d/mappings ${key}`);
  const selectedGroups = [...groups, ...others, 'd/space a', 'd/reported c'];
  return spacesFor(new Map([['d', document]]), { selectedGroups, expanded: [], scale: 'fold' });
}

const GIB = 1n << 30n;
const blockers = async (spaces: readonly PictureSpace[], at: bigint, size: bigint) =>
  fitIn(spaces, { size, alignment: 1n, at }).map((answer) =>
    answer.blockers.map(({ start, last, message }) => [start, last, message]),
  );

describe('would it fit', () => {
  test('a place, how many fit together, and the largest', async () => {
    const [fit] = fitIn(await spacesOf([MSI, HOST]), { size: GIB, alignment: GIB });
    expect(fit).toMatchObject({ fits: true, space: 'd: group 1', placesMore: 0, blockers: [] });
    expect(fit?.places[0]).toMatchObject({ first: 0n, last: 2n * GIB });
    expect(fit?.together).toBe(511n);
    expect(fit?.largest).toMatchObject({ start: 4n * GIB, size: 508n * GIB });
  });

  test('what blocks a range is named with its own bounds', async () => {
    const spaces = await spacesOf([MSI, HOST, MAP]);
    expect(await blockers(spaces, 0xfee80000n, 0x1000n)).toEqual([[[0xfee00000n, 0xfeefffffn, 'MSI window (msi)']]]);
    expect(await blockers(spaces, (1n << 39n) - 1n, 2n)).toEqual([
      [[1n << 39n, 0xffffffffffffffffn, 'outside the aperture']],
    ]);
    expect(await blockers(spaces, 0x1fffffn, 1n)).toEqual([[[0x100000n, 0x1fffffn, 'mapping']]]);
    expect(await blockers(spaces, 0x200000n, 1n)).toEqual([[]]);
  });

  test('a direct-relaxable region does not block', async () => {
    expect(await blockers(await spacesOf([MSI, RELAXABLE]), 0x1000n, 0x1000n)).toEqual([[]]);
  });

  test('no caption decides: an unknown aperture blocks nothing', async () => {
    expect(await blockers(await spacesOf([MSI]), 1n << 60n, 1n)).toEqual([[]]);
  });

  test('in a model, areas and reserved ranges block', async () => {
    const spaces = await spacesOf(OPERATIONS, { model: 'iommufd' });
    expect(await blockers(spaces, 0x1fffn, 0x4000n)).toEqual([
      [
        [0x5000n, 0x5fffn, 'reserved by request'],
        [0x1000n, 0x1fffn, 'mapping'],
      ],
    ]);
  });

  test('outside of what a kernel reported', async () => {
    const spaces = await spacesOf([{ kind: 'valid_range', start: '0x0', last: '0xffff', container: 'c' }]);
    expect(await blockers(spaces, 0xf000n, 0x2000n)).toEqual([
      [[0x10000n, 0xffffffffffffffffn, 'outside the valid ranges']],
    ]);
  });

  test('a range that would wrap around has no blockers, but a reason', async () => {
    const [fit] = fitIn(await spacesOf([MSI]), { size: 2n, alignment: 1n, at: (1n << 64n) - 1n });
    expect(fit).toMatchObject({ fits: false, startError: 'past-the-end', blockers: [] });
  });

  test('spaces without groups do not say what is usable: no answer', async () => {
    expect(fitIn(await spacesOf([HOST, MAP]), { size: 1n, alignment: 1n })).toEqual([]);
  });

  test('a hundred places are listed, the rest counted', async () => {
    const reserved = Array.from({ length: 120 }, (_, i) => ({
      ...MSI,
      start: `0x${i + 1}0000`,
      last: `0x${i + 1}0fff`,
    }));
    const [fit] = fitIn(await spacesOf(reserved), { size: 1n, alignment: 1n });
    expect([fit?.places.length, fit?.placesMore]).toEqual([100, 21]);
  });
});

describe('holes', () => {
  test('are what is free, and the answer says what counts as free', async () => {
    const of = async (lines: readonly object[], header?: object) =>
      holesIn(await spacesOf(lines, header), [0x1000n]).map(({ count, note, space }) => [space, count, note]);
    expect(await of([MSI])).toEqual([['d: group 1', 2, 'usable']]);
    expect(await of([MSI, MAP])).toEqual([['d: group 1', 3, 'usable and not mapped']]);
    expect(await of(OPERATIONS, { model: 'iommufd' })).toEqual([['d: a', 3, 'neither reserved nor mapped']]);
    expect(await of(OPERATIONS.slice(0, 1), { model: 'iommufd' })).toEqual([['d: a', 1, 'usable']]);
    expect(await of([HOST, MAP])).toEqual([]);
  });
});

describe('sizes of guests', () => {
  async function hosts(...sessions: readonly (readonly object[])[]) {
    const documents = await Promise.all(sessions.map((lines, i) => sessionDocument(`h${i}`, lines)));
    const keys = documents.flatMap(({ host }) => host.groups.map(({ key }) => key));
    return selectedHosts(new Map(documents.map((d) => [d.id, d])), new Set(keys));
  }
  const HIGH = { ...MSI, start: '0x100000000', last: '0x1ffffffff', type: 'reserved' };

  test('that fit on each host, and on all of them together', async () => {
    const sizes = guestSizes(await hosts([MSI], [MSI, HIGH]), 'q35');
    if (!sizes.ok) throw new Error(sizes.error.message);
    const [first, second] = sizes.value.hosts;
    expect([first?.title, second?.title]).toEqual(['h0', 'h1']);
    expect(first?.message).not.toBe(second?.message);
    expect(sizes.value.message).toBe(second?.message);
    expect(sizes.value.isApertureKnown).toBe(false);
    expect(sizes.value.maxRam).toBeGreaterThan(1n << 40n);
  });

  test('are certain only if every aperture is known', async () => {
    const known = async (...sessions: readonly (readonly object[])[]) => {
      const sizes = guestSizes(await hosts(...sessions), 'q35');
      return sizes.ok && sizes.value.isApertureKnown;
    };
    expect([await known([MSI, HOST]), await known([MSI, HOST], [MSI])]).toEqual([true, false]);
  });

  test('an unknown machine is refused', async () => {
    expect(guestSizes([], 'pdp11')).toMatchObject({ ok: false, error: { message: '"pdp11" is not a known machine' } });
  });
});
