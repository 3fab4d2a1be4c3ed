import { beforeEach, describe, expect, test } from 'vitest';
import type { RemedyAction } from '../../analysis/conflicts/conflict.ts';
import { openText, startApp } from '../testing/app.ts';
import { useApp } from './app-state.ts';
import { setGuest } from './conflicts.ts';
import { applyRemedy, isApplicable } from './remedies.ts';

const get = useApp.getState;
const region = (group: number, start: string, last: string, type: string) =>
  `/sys/kernel/iommu_groups/${group}/reserved_regions:${start} ${last} ${type}\n`;
const MSI = region(1, '0x00000000fee00000', '0x00000000feefffff', 'msi');
const HYPERTRANSPORT = region(1, '0x000000fd00000000', '0x000000ffffffffff', 'reserved');
const LOW = region(2, '0x0000000040000000', '0x000000004fffffff', 'reserved');
const GIB = 1n << 30n;

function offered(kind: RemedyAction['kind']): RemedyAction {
  const found = get().conflicts?.answer.remedies.find(({ action }) => action?.kind === kind);
  if (!found?.action) throw new Error(`no remedy ${kind}: ${get().conflicts?.answer.text}`);
  return found.action;
}

describe('remedies', () => {
  beforeEach(() => {
    startApp();
  });

  test('set-ram makes the guest fit', async () => {
    await openText(MSI + HYPERTRANSPORT);
    await setGuest({ kind: 'machine', machine: 'q35', ram: 2048n * GIB });
    expect(get().conflicts?.answer.severity).toBe('fatal');
    await applyRemedy(offered('set-ram'), undefined);
    expect(get().guest).toMatchObject({ machine: 'q35' });
    expect(get().guest).not.toMatchObject({ ram: 2048n * GIB });
    expect(get().conflicts?.answer.severity).not.toBe('fatal');
  });

  test('relocate moves the RAM above 1 TiB, as does the machine that does so', async () => {
    await openText(MSI + HYPERTRANSPORT);
    await setGuest({ kind: 'machine', machine: 'q35', ram: 2048n * GIB });
    const machine = offered('machine');
    await applyRemedy(offered('relocate'), undefined);
    expect(get().guest).toEqual({ kind: 'machine', machine: 'q35-amd', ram: 2048n * GIB });
    expect(get().conflicts?.answer.severity).not.toBe('fatal');
    await setGuest({ kind: 'machine', machine: 'q35', ram: 2048n * GIB });
    await applyRemedy(machine, undefined);
    expect(get().guest).toMatchObject({ machine: 'q35-amd' });
  });

  test('leave-out-groups deselects them on the host that it is about', async () => {
    const id = await openText(MSI + LOW);
    await setGuest({ kind: 'machine', machine: 'q35', ram: 2n * GIB });
    const before = get().selectedGroups;
    const action = offered('leave-out-groups');
    await applyRemedy(action, 'another host');
    expect(get().selectedGroups).toEqual(before);
    await applyRemedy(action, id);
    expect(get().selectedGroups).toHaveLength(before.length - 1);
    expect(get().conflicts?.answer.severity).not.toBe('fatal');
  });

  test('what needs a machine is not offered without one', async () => {
    const action: RemedyAction = { kind: 'set-ram', ram: GIB };
    expect(isApplicable(action, { guest: undefined, definedGuests: [] })).toBe(false);
    expect(
      isApplicable({ kind: 'relocate' }, { guest: { kind: 'machine', machine: 'virt', ram: GIB }, definedGuests: [] }),
    ).toBe(false);
    await applyRemedy(action, undefined);
    expect(get().guest).toBeUndefined();
    expect(get().notice).not.toBe('');
  });
});
