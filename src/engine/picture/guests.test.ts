import { describe, expect, test } from 'vitest';
import { MACHINES } from '../../analysis/guest/layouts.ts';
import type { Guest, Host } from '../../analysis/host/host.ts';
import { range } from '../../iova/range.ts';
import { chosenGuest, customGuest, machineGuest, parseGuest } from './guests.ts';
import { guestsHolding, layoutOf } from './own-guests.ts';

const GIB = 1n << 30n;
const part = (name: string, space?: string) => ({ ...range(0n, 0xfffn), name, type: 'ram', space, provenance: [] });
const guest = (source: string, ...ranges: Guest['ranges']): Guest => ({ source, ranges });

describe('custom ranges', () => {
  const rangesOf = (text: string) => {
    const made = customGuest(text);
    return made.ok ? made.guest.ranges.map((r) => [r.start, r.last, r.type, r.name]) : made.message;
  };

  test('are separated by lines, commas or semicolons, in any notation', () => {
    expect(rangesOf('0x0-0xfff, 1G@0x100000000;\n\n 0x40000000+4K ')).toEqual([
      [0n, 0xfffn, 'ram', 'ram'],
      [4n * GIB, 5n * GIB - 1n, 'ram', 'ram'],
      [0x40000000n, 0x40000fffn, 'ram', 'ram'],
    ]);
  });

  test('may have a type and a name', () => {
    expect(rangesOf('0x0-0xfff ramd GPU memory')).toEqual([[0n, 0xfffn, 'ramd', 'GPU memory']]);
    expect(rangesOf('0x0-0xfff i/o')).toEqual([[0n, 0xfffn, 'i/o', 'i/o']]);
  });

  test('may be a start and a size, or a start and a last address, with a blank between', () => {
    const low = [0n, 2n * GIB - 1n];
    expect(rangesOf('0x0 2G ram pc.ram')).toEqual([[...low, 'ram', 'pc.ram']]);
    expect(rangesOf('0x0 2 GiB')).toEqual([[...low, 'ram', 'ram']]);
    expect(rangesOf('0x00000000 0x7fffffff rom BIOS 2')).toEqual([[...low, 'rom', 'BIOS 2']]);
    expect(rangesOf('2G @ 0x0 ram')).toEqual([[...low, 'ram', 'ram']]);
    expect(rangesOf('0x0 - 0x7fffffff ram b')).toEqual([[...low, 'ram', 'b']]);
    expect(rangesOf('0x1000 0x10 ram')).toBe(
      '"0x1000 0x10 ram": the range ends before it starts: for a size write START+SIZE',
    );
    expect(rangesOf('0x0 abc ram')).toMatch(/^"0x0 abc ram": /);
  });

  test('are refused if one of them cannot be read, or there are none', () => {
    expect(rangesOf('0x0-0xfff, nonsense')).toMatch(/^"nonsense": /);
    expect(rangesOf(' ,\n')).toBe('expected ranges such as 0x0-0x7fffffff, 1G@4G');
  });
});

describe('a machine', () => {
  test('has the layout of its RAM', () => {
    const made = machineGuest('q35', 8n * GIB);
    expect(made).toMatchObject({
      ok: true,
      guest: { title: expect.stringMatching(/, 8 GiB$/), machine: { ram: 8n * GIB } },
    });
  });

  test('needs RAM, and not more than it can have', () => {
    expect(machineGuest('q35', 0n)).toMatchObject({ ok: false, message: 'a guest needs at least one byte of RAM' });
    for (const ram of [1n, MACHINES.q35.maxRam]) expect(machineGuest('q35', ram).ok).toBe(true);
    expect(machineGuest('q35', MACHINES.q35.maxRam + 1n)).toMatchObject({
      ok: false,
      message: expect.stringContaining('does not support'),
    });
  });

  test('is written as MACHINE:RAM', () => {
    expect(parseGuest('q35:8G')).toEqual({ ok: true, choice: { kind: 'machine', machine: 'q35', ram: 8n * GIB } });
    expect(parseGuest('q35:lots')).toMatchObject({ ok: false });
    for (const text of ['q35', './a:8G', ':8G', '/dev/x:1', 'a b:1G']) expect(parseGuest(text)).toBeUndefined();
  });

  test('or with options, which make a definition of it', () => {
    expect(parseGuest('pc-q35-7.2:16G,vendor=amd')).toMatchObject({
      ok: true,
      choice: { kind: 'definition', definition: { machine: 'pc-q35-7.2', ram: 16n * GIB, vendor: 'amd' } },
    });
    expect(parseGuest('q35:2G,vendor=acme')).toMatchObject({ ok: false });
    for (const text of ['pdp11:8G', 'toString:1G']) {
      expect(parseGuest(text)).toMatchObject({ ok: false, isReadable: true, message: /is not known/ });
    }
  });

  test('the vendor of the hosts decides where RAM is, unless they differ', () => {
    const choice = parseGuest('pc-q35-7.2:1010G');
    const top = (...drivers: string[]) => {
      const hosts = new Map(
        drivers.map((driver, i) => [
          `${i}`,
          { host: { iommus: [{ driver }], groups: [], faults: [] } as unknown as Host },
        ]),
      );
      const made = choice?.ok ? chosenGuest(choice.choice, hosts) : undefined;
      return made?.ok ? made.guest.ranges.at(-1)?.start : undefined;
    };
    expect(top('amd')).toBe(1n << 40n);
    expect(top('intel')).toBe(4n * GIB);
    expect(top('amd', 'intel')).toBe(4n * GIB);
  });
});

describe('guests of dumps', () => {
  test('are what the processors see, if the dump has several address spaces', () => {
    const ranges = [part('a', 'memory'), part('b', 'I/O'), part('c')];
    const names = (of: Guest) => layoutOf(of).ranges.map(({ name }) => name);
    expect(names(guest('x', ...ranges))).toEqual(['a', 'c']);
    expect(names(guest('x', part('b', 'I/O')))).toEqual(['b']);
    expect(layoutOf(guest('x')).title).toBe('x');
  });

  test('hold the space that names them', () => {
    const valid = (name?: string) => ({ ...range(0n, 9n), guest: name }) as never;
    const guests = [guest('QMP aspen'), guest('QMP birch')];
    expect(guestsHolding({ validRanges: [valid('birch'), valid()] }, guests)).toEqual([guests[1]]);
    expect(guestsHolding({ validRanges: [valid()] }, guests)).toEqual([]);
  });

  test('are chosen by document and source', () => {
    const host = { guests: [guest('vm', part('a'))], iommus: [] } as unknown as Host;
    const hosts = new Map([['d', { host }]]);
    const chosen = (id: string, name: string) => chosenGuest({ kind: 'document', id, guest: name }, hosts);
    expect(chosen('d', 'vm')).toMatchObject({ ok: true, guest: { title: 'vm' } });
    for (const [id, name] of [
      ['d', 'other'],
      ['e', 'vm'],
    ] as const) {
      expect(chosen(id, name)).toMatchObject({
        ok: false,
        message: `no open document contains a guest layout "${name}"`,
      });
    }
    expect(chosenGuest({ kind: 'machine', machine: 'pdp11', ram: GIB }, hosts)).toMatchObject({
      message: '"pdp11" is not a known machine',
    });
    expect(chosenGuest({ kind: 'machine', machine: 'pc', ram: GIB }, hosts).ok).toBe(true);
    expect(chosenGuest({ kind: 'ranges', text: '1G@0x100000000' }, hosts).ok).toBe(true);
  });
});
