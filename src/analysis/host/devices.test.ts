import { describe, expect, test } from 'vitest';
import type { Fact } from '../../session/events.ts';
import { buildHost } from './build-host.ts';
import { withDeviceNames } from './device-names.ts';
import { deviceKind, deviceLabel, deviceTitle, shortDeviceName } from './devices.ts';

const CARD = '0000:0b:00.0';
const told = (fields: Partial<Extract<Fact, { kind: 'device' }>>): Fact => ({
  kind: 'device',
  device: CARD,
  source: 'lspci',
  line: 1,
  ...fields,
});
const merged = (...facts: Fact[]) => buildHost('h', 'host', facts).devices.get(CARD);

describe('several facts of one device', () => {
  test('a list of groups, lspci and a kernel log say one thing together', () => {
    expect(
      merged(
        told({ ids: '10de:2484', class: 'VGA compatible controller', source: 'dmesg', line: 3 }),
        told({ name: 'NVIDIA Corporation GA104', group: '15', source: 'groups', line: 2 }),
        told({ name: 'NVIDIA Corporation GA104 [GeForce]', driver: 'vfio-pci', numa_node: 1 }),
      ),
    ).toMatchObject({
      device: CARD,
      name: 'NVIDIA Corporation GA104 [GeForce]',
      class: 'VGA compatible controller',
      ids: '10de:2484',
      driver: 'vfio-pci',
      group: '15',
      numaNode: 1,
      provenance: [
        { source: 'dmesg', line: 3 },
        { source: 'groups', line: 2 },
        { source: 'lspci', line: 1 },
      ],
    });
  });

  test('a driver in a kernel log is older than what lspci shows, in whatever order they were opened', () => {
    const log = told({ driver: 'nouveau', source: 'dmesg' });
    const state = told({ name: 'Acme', driver: 'vfio-pci' });
    expect(merged(log, state)?.driver).toBe('vfio-pci');
    expect(merged(state, log)?.driver).toBe('vfio-pci');
    expect(merged(log, told({ driver: 'vfio-pci', source: 'dmesg' }))?.driver).toBe('vfio-pci');
  });

  test('a name of the database counts more than a bare number', () => {
    expect(
      merged(told({ name: 'NVIDIA Corporation GA104' }), told({ name: 'NVIDIA Corporation Device 2484' }))?.name,
    ).toBe('NVIDIA Corporation GA104');
  });

  test('other ids at one address contradict, and its group gets it', () => {
    const host = buildHost('h', 'host', [
      told({ ids: '10de:2484', group: '15' }),
      told({ ids: '1002:73bf', source: 'other' }),
    ]);
    expect(host.contradictions.map(({ message }) => message)).toEqual([`ids of ${CARD}: 10de:2484 vs 1002:73bf`]);
    expect(host.groups).toMatchObject([{ group: '15', devices: [CARD] }]);
  });
});

test.each([
  ['NVIDIA Corporation GA104 [GeForce RTX 3070]', 'NVIDIA GA104 [GeForce RTX 3070]'],
  ['Intel Corporation Ethernet Controller I225-V', 'Intel Ethernet Controller I225-V'],
  ['Advanced Micro Devices, Inc. [AMD/ATI] Navi 21', 'AMD Navi 21'],
  ['Advanced Micro Devices, Inc. [AMD] Starship', 'AMD Starship'],
  ['Samsung Electronics Co Ltd NVMe SSD', 'Samsung Electronics NVMe SSD'],
  ['Realtek Semiconductor Co., Ltd. RTL8125', 'Realtek Semiconductor RTL8125'],
  ['Acme Sound', 'Acme Sound'],
])('%s is called %s', (name, short) => {
  expect(shortDeviceName(name)).toBe(short);
});

test('titles: name, else class and ids; the driver in parentheses; domain 0 left out of lists', () => {
  expect(deviceTitle({ device: CARD, name: 'NVIDIA Corporation GA104', driver: 'vfio-pci' })).toBe(
    '0b:00.0 NVIDIA GA104 (vfio-pci)',
  );
  expect(deviceTitle({ device: '10000:e1:00.0', class: 'Mass storage', ids: 'c0de:1' })).toBe(
    '10000:e1:00.0 Mass storage c0de:1',
  );
  expect(deviceTitle({ device: 'ttyAMA0' })).toBe('ttyAMA0');
  expect(deviceKind({ class: 'Audio device' })).toBe('Audio device');
  const { devices } = buildHost('h', 'host', [told({ name: 'Acme GPU', driver: 'nouveau' })]);
  expect(deviceLabel(devices, CARD)).toBe(`${CARD} Acme GPU (nouveau)`);
  expect(deviceLabel(devices, '0000:0c:00.0')).toBe('0000:0c:00.0');
});

describe('names in sentences', () => {
  const { devices } = buildHost('h', 'host', [
    told({ name: 'Acme GPU', driver: 'vfio-pci' }),
    told({ device: '0000:0b:00.1', class: 'Audio device', ids: 'c0de:0001' }),
    told({ device: '0001:0c:00.0', driver: 'nvme' }),
    told({ device: '0000:0d:00.0' }),
  ]);

  test.each([
    ['0000:0b:00.0 is refused', '0000:0b:00.0 Acme GPU (vfio-pci) is refused'],
    ['for 0b:00.0: no', 'for 0b:00.0 Acme GPU (vfio-pci): no'],
    ['0000:0b:00.0 and 0000:0b:00.0', '0000:0b:00.0 Acme GPU (vfio-pci) and 0000:0b:00.0'],
    ['(0000:0b:00.1, 0001:0c:00.0)', '(0000:0b:00.1 Audio device c0de:0001, 0001:0c:00.0 (nvme))'],
    // Named already, or unknown.
    ['0000:0b:00.0 Acme GPU (vfio-pci) (group 1)', '0000:0b:00.0 Acme GPU (vfio-pci) (group 1)'],
    ['0000:0b:00.0 Acme GPU of group 1', '0000:0b:00.0 Acme GPU of group 1'],
    ['0000:0d:00.0 and 0000:0e:00.0', '0000:0d:00.0 and 0000:0e:00.0'],
    // None of these words is an address.
    ['/sys/bus/pci/devices/0000:0b:00.0/driver', '/sys/bus/pci/devices/0000:0b:00.0/driver'],
    ['10:0000:0b:00.0 x0b:00.0 0b:00.0.5', '10:0000:0b:00.0 x0b:00.0 0b:00.0.5'],
  ])('%s', (text, expected) => {
    expect(withDeviceNames(text, devices)).toBe(expected);
    expect(withDeviceNames(expected, devices)).toBe(expected);
  });

  test('without devices the text stays', () => {
    expect(withDeviceNames('0000:0b:00.0', new Map())).toBe('0000:0b:00.0');
  });
});
