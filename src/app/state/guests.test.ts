import { beforeEach, describe, expect, test } from 'vitest';
import { openText, startApp } from '../testing/app.ts';
import { useApp } from './app-state.ts';
import { setGuest } from './conflicts.ts';
import { chooseGuest, definedFor, overrideOf, ramOf, sizedChoice, triedGuests, withRam } from './guests.ts';

const get = useApp.getState;
const GIB = 1n << 30n;
const MSI = '/sys/kernel/iommu_groups/1/reserved_regions:0x00000000fee00000 0x00000000feefffff msi\n';
const commandOf = (name: string, gib: number) =>
  `/usr/bin/qemu-system-x86_64 -name guest=${name} -machine pc-q35-7.2,accel=kvm -m ${gib}G -cpu host -device vfio-pci,host=0000:00:02.0\n`;

const ramNow = () => {
  const choice = sizedChoice(get());
  return choice && ramOf(choice);
};

describe('the guest that is tried', () => {
  beforeEach(async () => {
    startApp();
    await openText(MSI);
  });

  test('is none if no source defines one', () => {
    expect(get().definedGuests).toEqual([]);
    expect(sizedChoice(get())).toBeUndefined();
    expect(overrideOf(get())).toBeUndefined();
  });

  test('is that of the sources, with where it was read', async () => {
    await openText(commandOf('win11', 16), 'win11.log');
    expect(triedGuests(get())).toMatchObject([
      { label: 'win11: q35 7.2, 16 GiB', provenance: { source: 'win11.log', line: 1 } },
    ]);
    expect(get().guest).toBeUndefined();
    expect(ramNow()).toBe(16n * GIB);
    expect(overrideOf(get())).toBeUndefined();
  });

  test('other RAM is an override of it, and the same RAM is none', async () => {
    await openText(commandOf('win11', 16), 'win11.log');
    const choice = sizedChoice(get());
    if (!choice) throw new Error('no guest');
    await chooseGuest(withRam(choice, 12n * GIB));
    expect(ramNow()).toBe(12n * GIB);
    expect(overrideOf(get())).toMatchObject({ isRamOnly: true, defined: { label: 'win11: q35 7.2, 16 GiB' } });
    await chooseGuest(withRam(choice, 16n * GIB));
    expect(get().guest).toBeUndefined();
    expect(overrideOf(get())).toBeUndefined();
  });

  test('another machine is chosen instead of it', async () => {
    await openText(commandOf('win11', 16), 'win11.log');
    await chooseGuest({ kind: 'machine', machine: 'virt', ram: GIB });
    expect(overrideOf(get())).toMatchObject({ isRamOnly: false, defined: { label: 'win11: q35 7.2, 16 GiB' } });
    expect(definedFor(get())).toMatchObject({ label: 'win11: q35 7.2, 16 GiB' });
    expect(ramNow()).toBe(GIB);
    await setGuest({ kind: 'ranges', text: '0x0-0xfff' });
    expect(sizedChoice(get())).toBeUndefined();
  });

  test('of several of one host, one is tried and each can be chosen', async () => {
    await openText(commandOf('win11', 16) + commandOf('linux', 4), 'two.log');
    expect(get().definedGuests.map(({ label }) => label)).toEqual(['win11: q35 7.2, 16 GiB', 'linux: q35 7.2, 4 GiB']);
    expect(triedGuests(get())).toHaveLength(1);
    const linux = get().definedGuests[1];
    if (!linux) throw new Error('no guest');
    await chooseGuest({ kind: 'definition', definition: linux.definition });
    expect(definedFor(get())).toBe(linux);
    expect(overrideOf(get())).toBeUndefined();
    expect(ramNow()).toBe(4n * GIB);
  });

  test('a guest that leaves with its source is not tried any more', async () => {
    await openText(commandOf('win11', 16), 'win11.log');
    const { undo } = await import('./case-actions.ts');
    await undo();
    expect(get().definedGuests).toEqual([]);
  });
});
