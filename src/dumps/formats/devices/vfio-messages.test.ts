import { expect, test } from 'vitest';
import { diagnosticsOf, openText } from '../../testing/read.ts';

test.each<[string, string, RegExp]>([
  [
    'qemu-system-x86_64: -device vfio-pci,host=0b:00.0: vfio 0000:0b:00.0: failed to open /dev/vfio/27: No such file or directory',
    'vfio-group-not-opened',
    /\/dev\/vfio\/27 does not exist: no device of group 27/,
  ],
  [
    'vfio: failed to open /dev/vfio/27: Device or resource busy',
    'vfio-group-not-opened',
    /another process holds group 27/,
  ],
  [
    "qemu-kvm: vfio 0000:0b:00.0: Could not open '/dev/vfio/27': Permission denied",
    'vfio-group-not-opened',
    /could not be opened: EACCES/,
  ],
  [
    'vfio 0000:0b:00.0: no iommu_group found: No such file or directory',
    'vfio-device-without-group',
    /0000:0b:00\.0 has no IOMMU group/,
  ],
  ['vfio error: 0000:0b:00.0: error no iommu_group found', 'vfio-device-without-group', /has no IOMMU group/],
  [
    'vfio 0000:0b:00.0: error getting device from group 27: No such device',
    'vfio-device-not-handed-out',
    /0000:0b:00\.0 of group 27 .*ENODEV/,
  ],
  [
    'vfio: error getting device 0b:00.0 from group 27: Invalid argument',
    'vfio-device-not-handed-out',
    /0000:0b:00\.0 of group 27 .*EINVAL/,
  ],
  [
    'qemu: vfio 0000:0b:00.0: device is already attached',
    'vfio-device-attached-twice',
    /0000:0b:00\.0 is assigned to the guest twice/,
  ],
  [
    'error: Requested operation is not valid: PCI device 0000:0b:00.0 is in use by driver QEMU, domain studio',
    'device-in-use',
    /0000:0b:00\.0 is in use by the guest 'studio' \(QEMU\)/,
  ],
  [
    "error: unsupported configuration: host doesn't support passthrough of host PCI devices",
    'host-without-passthrough',
    /cannot assign PCI devices/,
  ],
  ["unsupported configuration: host doesn't support VFIO PCI passthrough", 'host-without-passthrough', /cannot assign/],
  [
    'error: internal error: Device 0000:0b:00.0 is behind a switch lacking ACS and cannot be assigned',
    'device-not-isolated',
    /behind a switch without ACS/,
  ],
  ['[    9.1] vfio-pci: probe of 0000:0b:00.0 failed with error -22', 'vfio-probe-failed', /0000:0b:00\.0: EINVAL/],
  [
    '[    9.1] vfio-pci 0000:0b:00.0: probe with driver vfio-pci failed with error -16',
    'vfio-probe-failed',
    /0000:0b:00\.0: EBUSY/,
  ],
  [
    'vfio: error, group 27 is not viable, please ensure all devices within the iommu_group are bound to their vfio bus driver.',
    'qemu-group-not-viable',
    /group 27 is not viable/,
  ],
  ['vfio: error no iommu_group for device', 'vfio-device-without-group', /the device has no IOMMU group/],
  [
    'vfio 0000:0b:00.0: error bind device fd=38 to iommufd=37: Device or resource busy',
    'iommufd-device-not-bound',
    /0000:0b:00\.0 could not be bound to iommufd: EBUSY: another/,
  ],
  [
    "Could not open '/dev/iommu': No such file or directory",
    'vfio-file-not-opened',
    /\/dev\/iommu could not be opened: ENOENT/,
  ],
  [
    "Could not open '/dev/vfio/devices/vfio3': Permission denied",
    'vfio-file-not-opened',
    /vfio3 could not be opened: EACCES/,
  ],
  [
    'vfio: failed to open /dev/vfio/vfio: No such file or directory',
    'vfio-file-not-opened',
    /vfio\/vfio could not be opened/,
  ],
])('%s', async (line, code, message) => {
  const { facts } = await openText(line);
  expect(facts.filter(({ kind }) => kind === 'diagnostic')).toMatchObject([
    { code, severity: 'error', message: expect.stringMatching(message) },
  ]);
});

test('advice below an error is no error of its own; alone it is all that is known', async () => {
  const advice = [
    'Verify all devices in group 27 are bound to vfio-<bus> or pci-stub and not already in use',
    'Please ensure all devices within the iommu_group are bound to their vfio bus driver.',
  ];
  const below = await openText(`vfio 0000:0b:00.0: group 27 is not viable\n${advice.join('\n')}`);
  expect(diagnosticsOf(below)).toEqual(['error qemu-group-not-viable 1']);
  expect(below.sources[0]?.unrecognized).toBe(0);
  expect(diagnosticsOf(await openText(advice.join('\n')))).toEqual(['error qemu-group-not-viable 1']);
  expect(diagnosticsOf(await openText(advice[1] ?? ''))).toEqual(['error vfio-devices-not-bound 1']);
});

test('a process that only holds the group is no error', async () => {
  const { facts } = await openText('qemu-system 4711 root 33u CHR 239,0 0t0 1234 /dev/vfio/27');
  expect(facts.filter((fact) => fact.kind === 'diagnostic' && fact.code !== 'nothing-recognized')).toEqual([]);
});
