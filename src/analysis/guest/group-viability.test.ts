import { expect, test } from 'vitest';
import type { Fact } from '../../session/events.ts';
import { buildHost } from '../host/build-host.ts';
import { groupViabilities } from './group-viability.ts';

const viabilities = (facts: readonly Fact[]) => groupViabilities(buildHost('h', 'host', facts));

const device = (name: string, fields: Partial<Extract<Fact, { kind: 'device' }>> = {}): Fact => ({
  kind: 'device',
  device: name,
  ...fields,
});

test('a member bound to another driver blocks the group, and is told with the commands that bind it', () => {
  const [group] = viabilities([
    { kind: 'group', group: '27', devices: ['0000:0b:00.0', '0000:0b:00.1'] },
    device('0000:0b:00.0', { driver: 'vfio-pci' }),
    device('0000:0b:00.1', { name: 'Acme Sound' }),
    device('0000:0b:00.1', { driver: 'snd_hda_intel' }),
  ]);
  expect(group).toMatchObject({
    group: '27',
    isViable: false,
    message: 'group 27 is not viable: 0000:0b:00.1 Acme Sound (snd_hda_intel) is bound to other drivers than vfio-pci',
    commands: [
      'echo vfio-pci > /sys/bus/pci/devices/0000:0b:00.1/driver_override',
      'echo 0000:0b:00.1 > /sys/bus/pci/devices/0000:0b:00.1/driver/unbind',
      'echo 0000:0b:00.1 > /sys/bus/pci/drivers_probe',
    ],
  });
});

test('bridges, stubs and variants of vfio do not; the driver that is told last counts', () => {
  const [group] = viabilities([
    device('0000:00:01.0', { group: '1', driver: 'pcieport' }),
    device('0000:00:00.0', { group: '1', class: 'Host bridge' }),
    device('0000:01:00.0', { group: '1', driver: 'nouveau' }),
    device('0000:01:00.1', { group: '1', driver: 'pci-stub' }),
    device('0000:01:00.2', { group: '1', driver: 'mlx5_vfio_pci' }),
    device('0000:01:00.0', { driver: 'vfio-pci' }),
  ]);
  expect(group).toMatchObject({ isViable: true, message: undefined, commands: [] });
});

test('a driver that nobody names leaves it open', () => {
  expect(
    viabilities([
      { kind: 'group', group: '10', devices: ['0000:0b:00.0'] },
      { kind: 'group', group: '9', devices: ['0000:0c:00.0'] },
      device('0000:0c:00.0', { driver: 'vfio-pci' }),
    ]).map(({ group, isViable }) => [group, isViable]),
  ).toEqual([
    ['9', true],
    ['10', undefined],
  ]);
});
