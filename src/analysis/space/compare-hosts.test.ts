import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { range } from '../../iova/range.ts';
import { find } from '../../iova/range-set.ts';
import type { SessionEvent } from '../../session/events.ts';
import { buildHost } from '../host/build-host.ts';
import { commonSpace } from './common-space.ts';
import { compareHosts, differsLabel, hostsLabel, pasteLine } from './compare-hosts.ts';

function space(...regions: readonly (readonly [bigint, bigint, string])[]) {
  const events = regions.map(
    ([start, last, type]): SessionEvent => ({ kind: 'reserved', ...range(start, last), type, group: '1', source: 'x' }),
  );
  const host = buildHost('h', 'h', events);
  return commonSpace(host, host.groups);
}

describe('compareHosts', () => {
  test('AMD and Intel: the hole below 1 TiB is what differs, and the line to paste', () => {
    const amd = space([0xfee0_0000n, 0xfeef_ffffn, 'msi'], [0xfd_0000_0000n, 0xff_ffff_ffffn, 'reserved']);
    const intel = space([0xfee0_0000n, 0xfeef_ffffn, 'msi'], [0n, 0xff_ffffn, 'direct-relaxable']);
    const compared = compareHosts([amd, intel]);
    expect(compared.reservedIntersection).toEqual([range(0xfee0_0000n, 0xfeef_ffffn)]);
    expect(compared.differences).toEqual([
      { ...range(0xfd_0000_0000n, 0xff_ffff_ffffn), usableOn: [1], blockedOn: [0] },
    ]);
    expect(pasteLine(compared.reservedUnion)).toBe('12G@1012G,1M@4078M');
    expect(compared.apertureUnknown).toEqual([true, true]);
  });

  test('hosts that do not differ are together, most of them first, and no others', () => {
    const odd = space([0x1000n, 0x1fffn, 'direct']);
    const plain = () => space([0xfee0_0000n, 0xfeef_ffffn, 'msi']);
    // Reserved in two parts of two types: the same addresses.
    const same = space([0xfee0_0000n, 0xfee7_ffffn, 'msi'], [0xfee8_0000n, 0xfeef_ffffn, 'reserved']);
    const compared = compareHosts([odd, plain(), same, plain()]);
    expect(compared.classes.map(({ hosts }) => hosts)).toEqual([[1, 2, 3], [0]]);
    expect(compared.classes.map(({ differs }) => differsLabel(differs))).toEqual([
      '',
      '0x1000-0x1fff blocked (direct); 0xfee00000-0xfeefffff usable (elsewhere MSI window (msi))',
    ]);
    expect(compared.differences).toEqual([
      { ...range(0x1000n, 0x1fffn), usableOn: [1, 2, 3], blockedOn: [0] },
      { ...range(0xfee0_0000n, 0xfeef_ffffn), usableOn: [0], blockedOn: [1, 2, 3] },
    ]);
  });

  test('hosts by name, by those that are missing, or by their number', () => {
    const all = Array.from({ length: 100 }, (_, i) => `n${i}`);
    expect(hostsLabel(['n3', 'n5'], all)).toBe('n3, n5');
    expect(hostsLabel(all, all)).toBe('all 100 hosts');
    expect(hostsLabel(all.slice(2), all)).toBe('98 of 100 hosts (all but n0, n1)');
    expect(hostsLabel(all.slice(0, 40), all)).toBe('40 of 100 hosts (n0, n1, n2 …)');
  });

  test('each address is in the sets in which it belongs', () => {
    const region = fc
      .tuple(fc.bigInt(0n, 4000n), fc.bigInt(0n, 500n))
      .map(([start, more]): readonly [bigint, bigint, string] => [start, start + more, 'reserved']);
    fc.assert(
      fc.property(
        fc.array(fc.array(region, { maxLength: 4 }), { minLength: 2, maxLength: 4 }),
        fc.bigInt(0n, 5000n),
        (hosts, address) => {
          const spaces = hosts.map((regions) => space(...regions));
          const compared = compareHosts(spaces);
          const usable = spaces.map((s) => find(s.usable, address) !== undefined);
          const has = (set: typeof compared.usableUnion) => find(set, address) !== undefined;
          expect(has(compared.usableUnion)).toBe(usable.includes(true));
          expect(has(compared.usableIntersection)).toBe(!usable.includes(false));
          expect(has(compared.reservedUnion)).toBe(usable.includes(false));
          const difference = compared.differences.find((d) => d.start <= address && address <= d.last);
          const indices = (wanted: boolean) => usable.flatMap((is, i) => (is === wanted ? [i] : []));
          const classes = compared.classes.map((one) => one.hosts);
          expect(classes.flat().sort((a, b) => a - b)).toEqual(spaces.map((_, i) => i));
          for (const { hosts: own, differs } of compared.classes) {
            const own0 = usable[own[0] ?? 0];
            const largest = usable[compared.classes[0]?.hosts[0] ?? 0];
            // What is said of the first host of a class holds for all of them.
            for (const i of own) expect(usable[i]).toBe(own0);
            const told = differs.find((d) => d.start <= address && address <= d.last && /usable|blocked/.test(d.is));
            expect(told?.is).toBe(own0 === largest ? undefined : own0 ? 'usable' : 'blocked');
          }
          if (usable.includes(true) && usable.includes(false)) {
            expect(difference).toMatchObject({ usableOn: indices(true), blockedOn: indices(false) });
          } else expect(difference).toBeUndefined();
        },
      ),
    );
  });

  test('differences are cut where the hosts differ, and say on which', () => {
    const compared = compareHosts([
      space([0x1000n, 0x2fffn, 'reserved']),
      space([0x2000n, 0x3fffn, 'reserved']),
      space([0x9000n, 0x9fffn, 'direct-relaxable']),
    ]);
    expect(compared.differences).toEqual([
      { ...range(0x1000n, 0x1fffn), usableOn: [1, 2], blockedOn: [0] },
      { ...range(0x2000n, 0x2fffn), usableOn: [2], blockedOn: [0, 1] },
      { ...range(0x3000n, 0x3fffn), usableOn: [0, 2], blockedOn: [1] },
    ]);
    expect(compared.reservedUnion).toEqual([range(0x1000n, 0x3fffn)]);
    expect(compared.reservedIntersection).toEqual([]);
  });

  test('up to the last address; what no host can use is no difference', () => {
    const top = 0xffff_ffff_ffff_ffffn;
    const compared = compareHosts([space([0n, 0xfffn, 'msi'], [top, top, 'msi']), space([0n, 0xfffn, 'msi'])]);
    expect(compared.differences).toEqual([{ ...range(top, top), usableOn: [1], blockedOn: [0] }]);
    expect(compared.reservedIntersection).toEqual([range(0n, 0xfffn)]);
  });

  test('the same hosts do not differ', () => {
    const compared = compareHosts([space([0n, 0xfffn, 'msi']), space([0n, 0xfffn, 'msi'])]);
    expect(compared.differences).toEqual([]);
    expect(compared.usableUnion).toEqual(compared.usableIntersection);
  });

  test('a known aperture limits what is usable, not what is reserved', () => {
    const host = buildHost('h', 'h', [
      { kind: 'reserved', ...range(0n, 0xfffn), type: 'msi', group: '1', source: 'x' },
      { kind: 'aperture', ...range(0n, 0xffffn), group: '1', source: 'x' },
    ]);
    const compared = compareHosts([commonSpace(host, host.groups), space([0n, 0xfffn, 'msi'])]);
    expect(compared.apertureUnknown).toEqual([false, true]);
    expect(compared.usableIntersection).toEqual([range(0x1000n, 0xffffn)]);
    expect(compared.reservedUnion).toEqual([range(0n, 0xfffn)]);
  });
});
