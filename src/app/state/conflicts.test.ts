import { beforeEach, describe, expect, test } from 'vitest';
import { selectableKeys } from '../../engine/protocol/selection.ts';
import { HeldEngine, openText, startApp } from '../testing/app.ts';
import { useApp } from './app-state.ts';
import { conflictKey, shownConflict } from './conflict-key.ts';
import {
  conflictGroups,
  nextConflict,
  setGuest,
  setPageSize,
  severityCounts,
  showConflict,
  showFlag,
} from './conflicts.ts';
import { setSelectedGroups } from './documents.ts';
import { arrange } from './picture.ts';
import { clearSelection } from './selection.ts';

const MSI = '/sys/kernel/iommu_groups/1/reserved_regions:0x00000000fee00000 0x00000000feefffff msi\n';
const DIRECT = '/sys/kernel/iommu_groups/2/reserved_regions:0x0000000000001000 0x0000000000001fff direct\n';

const get = useApp.getState;
const rows = () => get().conflicts?.rows ?? [];
const virt = (gib: bigint) => ({ kind: 'machine', machine: 'virt', ram: gib << 30n }) as const;

describe('conflicts', () => {
  beforeEach(async () => {
    startApp();
    await openText(MSI + DIRECT);
    await setSelectedGroups(get().documents.flatMap(selectableKeys));
  });

  test('a guest over the MSI window is one', async () => {
    const before = rows().length;
    await setGuest(virt(4n));
    expect(rows()).toHaveLength(before + 1);
    await setGuest(undefined);
    expect(rows()).toHaveLength(before);
  });

  test('what is from before a change is marked until picture and answer are new', async () => {
    const engine = new HeldEngine(['answer']);
    startApp(engine);
    const first = arrange('all');
    await expect.poll(() => get().isOutdated).toBe(true);
    const second = arrange('all');
    await expect.poll(() => engine.held.length).toBe(2);
    await engine.at(0).release();
    await first;
    expect(get().isOutdated).toBe(true);
    await engine.at(1).release();
    await second;
    expect(get().isOutdated).toBe(false);
    expect(get().conflicts).toBeDefined();
  });

  test('are shown one after the other, around the end of the list', async () => {
    await setGuest(virt(4n));
    const keys = rows().map(conflictKey);
    expect(keys.length).toBeGreaterThan(1);
    for (const key of [...keys, keys[0]]) {
      await nextConflict();
      expect(get().conflict).toBe(key);
    }
    await showConflict(undefined);
    expect(shownConflict(get())).toBeUndefined();
  });

  test('of one kind are one item, with the numbers of the picture', async () => {
    const lines = Array.from({ length: 5 }, (_, i) => {
      const id = String(i + 1).padStart(2, '0');
      return `vfio-pci 0000:${id}:00.0: BAR 1: can't reserve [mem 0x${id}000000-0x${id}ffffff 64bit pref]\n`;
    });
    await openText(lines.join(''), 'dmesg.txt');
    const groups = conflictGroups(get().conflicts);
    expect(groups.flatMap((group) => group.rows.map(({ number }) => number))).toEqual(rows().map((row) => row.number));
    for (const { rows: members, numbers } of groups) {
      expect(members.length).toBeGreaterThan(0);
      expect(numbers).toMatch(members.length === 1 ? /^\d+$/ : /^\d+(–| … )\d+$/);
    }
    expect(conflictGroups(undefined)).toEqual([]);
  });

  test('are counted by severity', async () => {
    const row = (severity: string) => ({ severity }) as never;
    expect(severityCounts(['note', 'fatal', 'note', 'warning'].map(row))).toBe('1 fatal, 1 warning, 2 notes');
    expect(severityCounts([])).toBe('');
  });

  test('a flag with several goes through them', async () => {
    await setGuest(virt(4n));
    const [a, b] = rows();
    if (!a || !b) throw new Error('expected two conflicts');
    await showFlag([a.number, b.number]);
    expect(get().conflict).toBe(conflictKey(a));
    await showFlag([a.number, b.number]);
    expect(get().conflict).toBe(conflictKey(b));
    await showFlag([b.number]);
    expect(get().conflict).toBe(conflictKey(b));
  });

  test('the shown one is forgotten when it is gone', async () => {
    await setGuest(virt(4n));
    await showConflict(rows().find(({ marks }) => marks.some(({ start }) => start === 0xfee00000n)));
    expect(get().conflict).toBeDefined();
    await setGuest(undefined);
    expect(get().conflict).toBeUndefined();
    await nextConflict();
    clearSelection();
    expect(get().conflict).toBeUndefined();
  });
});

describe('outdated conflicts', () => {
  test('of guests that are chosen fast the last one counts, and those in between may be skipped', async () => {
    const engine = new HeldEngine(['arrange']);
    startApp(engine);
    const done = setGuest(virt(1n));
    for (const gib of [2n, 3n, 4n]) void setGuest(virt(gib));
    expect(engine.held).toHaveLength(1);
    await engine.at(0).release();
    await engine.at(1).release();
    await done;
    expect(engine.held).toHaveLength(2);
    expect(engine.at(1).params).toMatchObject({ guest: virt(4n) });
  });

  test('an answer for another page size is dropped', async () => {
    const engine = new HeldEngine(['answer']);
    startApp(engine);
    void openText(MSI);
    await expect.poll(() => engine.held.length).toBeGreaterThan(0);
    await engine.at(0).release();
    void setPageSize(0x4000n);
    void setPageSize(0x10000n);
    await engine.at(2).release();
    const latest = get().conflicts;
    await engine.at(1).release();
    expect(get().conflicts).toBe(latest);
    expect(engine.at(2).params).toMatchObject({ pageSize: 0x10000n });
  });
});
