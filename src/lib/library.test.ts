import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { check, createModel, fit as fitInto, models, readDumps, render, replaySession } from './iovascope.ts';

const MSI = '0x00000000fee00000 0x00000000feefffff msi\n';
const FOUR_GIB = 1n << 32n;
const regions = (group: number, text: string) => ({
  name: `sys/kernel/iommu_groups/${group}/reserved_regions`,
  data: text,
});

describe('readDumps', () => {
  test('text: facts with bigint addresses and their place, and what they say of the host', async () => {
    const dumps = await readDumps([
      regions(1, MSI),
      { name: 'dmesg', data: '[    0.1] DMAR: Host address width 39\n[    0.2] unrelated words\n' },
    ]);
    expect(dumps.facts[0]).toMatchObject({
      kind: 'reserved',
      start: 0xfee00000n,
      last: 0xfeefffffn,
      group: '1',
      line: 1,
    });
    expect(dumps.sources.map(({ name }) => name)).toEqual(['sys/kernel/iommu_groups/1/reserved_regions', 'dmesg']);
    const [host] = dumps.hosts;
    expect(host?.groups).toMatchObject([{ group: '1', reserved: [{ start: 0xfee00000n, type: 'msi' }] }]);
    expect(host?.usable).toEqual([
      { start: 0n, last: 0xfedfffffn },
      { start: 0xfef00000n, last: 0x7fffffffffn },
    ]);
  });

  test('bytes, packed ones too', async () => {
    const dumps = await readDumps(new Uint8Array(gzipSync(MSI)));
    expect(dumps.facts).toMatchObject([{ kind: 'reserved', source: 'dump', line: 1 }]);
  });

  test('what is not a dump is a diagnostic; nothing is usable', async () => {
    const dumps = await readDumps('Hello\n');
    expect(dumps.sources[0]?.diagnostics).toMatchObject([{ code: 'nothing-recognized' }]);
    expect(dumps.hosts[0]?.usable).toBeUndefined();
    expect(await fitInto(dumps, { size: 1n })).toEqual([]);
  });

  test('can be aborted', async () => {
    const signal = AbortSignal.abort(new Error('enough'));
    await expect(readDumps(MSI, { signal })).rejects.toThrow('enough');
  });
});

describe('check', () => {
  test('a guest over the MSI window', async () => {
    const { conflicts, more } = await check(await readDumps(regions(1, MSI)), { guest: 'virt:4G' });
    expect(more).toBe(0);
    expect(conflicts).toMatchObject([
      {
        severity: 'fatal',
        rule: 'guest-over-reserved',
        errno: 'EINVAL',
        kernel: expect.stringMatching(/^\d+\.\d+$/),
        ranges: [
          { role: 'requested', start: 0x40000000n, last: 0x13fffffffn },
          { role: 'obstacle', start: 0xfee00000n, last: 0xfeefffffn },
        ],
        provenance: [{ line: 1 }],
      },
    ]);
    expect(conflicts[0]?.remedies).toHaveLength(1);
  });

  test('a guest from dumps, and only some groups', async () => {
    const host = await readDumps([regions(1, MSI), regions(2, '0x0 0xfff direct\n')]);
    const guest = await readDumps(
      'FlatView #0\n AS "memory", root: system\n Root memory region: system\n  00000000fe000000-00000000ffffffff (prio 0, ram): odd.ram\n',
    );
    const rules = async (groups: string[]) =>
      (await check(host, { guest, groups })).conflicts.map(({ rule, ranges }) => [rule, ranges[1]?.start]);
    expect(await rules(['1'])).toContainEqual(['guest-over-reserved', 0xfee00000n]);
    expect(await rules(['2'])).not.toContainEqual(['guest-over-reserved', 0xfee00000n]);
  });

  test.each([
    ['no RAM', { guest: 'q35' }, /expected MACHINE:RAM/],
    ['RAM of 0', { guest: 'q35:0' }, /at least one byte/],
    ['a group', { groups: ['9'] }, /there is no group 9 in the dumps; found: group 1/],
    ['a page size', { pageSize: 5000n }, /power of two/],
  ])('%s that cannot be used', async (_name, options, message) => {
    const dumps = await readDumps(regions(1, MSI));
    await expect(check(dumps, options)).rejects.toThrow(RangeError);
    await expect(check(dumps, options)).rejects.toThrow(message);
  });

  test('only what readDumps returned is taken', async () => {
    const dumps = await readDumps(MSI);
    await expect(check({ ...dumps })).rejects.toThrow(TypeError);
  });
});

describe('fit', () => {
  test('starts are multiples of the page that the IOMMU has, unless another alignment is given', async () => {
    const pages = (bitmap: string) =>
      readDumps(
        [
          '{"format":"iova-trace","version":1}',
          `{"kind":"aperture","start":"0x0","last":"0xffffffff","pgsize_bitmap":"${bitmap}","group":"1"}`,
          '{"kind":"group","group":"1","devices":["0000:00:02.0"]}',
        ].join('\n'),
      );
    const small = await pages('0x40201000');
    const large = await pages('0x20010000');
    const at = (dumps: typeof small, start: bigint, alignment?: bigint) =>
      fitInto(dumps, { size: 0x1000n, at: start, ...(alignment === undefined ? {} : { alignment }) });
    expect(await at(small, 0x5000n)).toMatchObject([{ fits: true, alignment: 0x1000n }]);
    expect(await at(small, 0x5001n)).toMatchObject([{ fits: false, problem: 'misaligned' }]);
    expect(await at(small, 0x5001n, 1n)).toMatchObject([{ fits: true, alignment: 1n }]);
    expect(await at(large, 0x5000n)).toMatchObject([{ fits: false, alignment: 0x10000n, problem: 'misaligned' }]);
  });

  test('where it fits, and what blocks it where it does not', async () => {
    const dumps = await readDumps(regions(1, MSI));
    const [anywhere] = await fitInto(dumps, { size: FOUR_GIB, alignment: 1n << 30n });
    expect(anywhere).toMatchObject({ fits: true, isApertureKnown: false, places: [{ start: FOUR_GIB }] });
    const [there] = await fitInto(dumps, { size: FOUR_GIB, at: 0x80000000n });
    expect(there).toMatchObject({
      fits: false,
      largest: { size: 0x7ee00000n, start: 0x80000000n },
      obstacles: [{ kind: 'reserved', start: 0xfee00000n, last: 0xfeefffffn, owners: ['group 1'] }],
    });
  });

  test('what is mapped in a session counts as taken', async () => {
    const session = [
      '{"format":"iova-trace","version":1,"model":"iommufd"}',
      '{"op":"ioas.alloc","ioas":"a"}',
      '{"op":"ioas.map","ioas":"a","flags":["fixed","read"],"user_va":"0x10000","length":"0x2000","iova":"0x4000"}',
    ];
    const dumps = await readDumps(session.join('\n'));
    expect(dumps.operations).toBe(2);
    const [answer] = await fitInto(dumps, { size: 0x1000n, at: 0x5000n });
    expect(answer).toMatchObject({ fits: false, obstacles: [{ kind: 'mapping', start: 0x4000n, last: 0x5fffn }] });
  });

  test.each([
    ['a size', { size: 0n }, /the size/],
    ['an alignment', { size: 1n, alignment: 3n }, /power of two/],
    ['an address', { size: 1n, at: 1n << 64n }, /the address/],
  ])('%s that cannot be used', async (_name, options, message) => {
    await expect(fitInto(await readDumps(MSI), options)).rejects.toThrow(message);
  });
});

describe('render', () => {
  test('a picture with the exact bounds', async () => {
    const dumps = await readDumps(regions(1, MSI));
    const svg = await render(dumps, { width: 900, theme: 'dark' });
    expect(svg).toMatch(/^<svg /);
    expect(svg).toContain('width="900"');
    expect(svg).toContain('0xfee0_0000 – 0xfeef_ffff');
    const again = await readDumps(regions(1, MSI));
    expect(await render(again, { width: 900, theme: 'dark' })).toBe(svg);
  });

  test('a width or a range that cannot be used', async () => {
    const dumps = await readDumps(regions(1, MSI));
    await expect(render(dumps, { width: 12.5 })).rejects.toThrow(/width/);
    await expect(render(dumps, { range: { start: 5n, last: 3n } })).rejects.toThrow(/range/);
  });
});

describe('the models', () => {
  test('operations in the terms of session files, addresses as bigint or hex', () => {
    const model = createModel('iommufd');
    expect(model.apply({ op: 'ioas.alloc', ioas: 'a' })).toMatchObject({ ok: true, answer: { ret: 0 } });
    const map = {
      op: 'ioas.map',
      ioas: 'a',
      flags: ['fixed', 'read'],
      user_va: 0x10000n,
      length: '0x1000',
      iova: 0x4000n,
    };
    expect(model.apply(map)).toEqual({ ok: true, answer: { ret: 0, iova: 0x4000n } });
    expect(model.apply(map)).toMatchObject({ ok: false, errno: 'EEXIST' });
    expect(model.apply({ op: 'ioas.frob' })).toMatchObject({ ok: false, errno: undefined });
    expect(model.apply({ op: 'ioas.alloc' })).toMatchObject({ ok: false, errno: undefined });
  });

  test('a recorded session, replayed', () => {
    const text = readFileSync(join(import.meta.dirname, '../kernel/fixtures/iommufd-dev-20.jsonl'), 'utf8');
    expect(replaySession(text)).toMatchObject({
      model: 'iommufd',
      isTranslated: false,
      operations: 261,
      mismatches: [],
    });
    const wrong = '{"format":"iova-trace","version":1}\n{"op":"ioas.alloc","ioas":"a","expect":{"ret":"-EPERM"}}\n';
    expect(replaySession(wrong).mismatches).toEqual([
      { line: 2, op: 'ioas.alloc', expected: { ret: '-EPERM' }, got: { ret: 0 } },
    ]);
  });

  test('a model or a page size that there is not', () => {
    expect(models).toContain('type1');
    expect(() => createModel('vfio')).toThrow(RangeError);
    expect(() => createModel('iommufd', { pageSize: 5000n })).toThrow(/powers of two/);
  });
});
