// Whole cases of somebody whose guest does not start: the log or the definition alone, and the answer without a click.
import { dropText, expect, pasteText, test, violations } from './page.ts';

const HEADER =
  '2026-11-20 08:15:02.123+0000: starting up libvirt version: 9.0.0, qemu version: 7.2.5, kernel: 6.1.0-18-amd64, hostname: oak';
const VFIO = (host: string) => `-device '{"driver":"vfio-pci","host":"${host}","id":"hostdev0"}'`;
const ERROR = (host: string, what: string) =>
  `2026-11-20T08:15:03.456789Z qemu: -device {"driver":"vfio-pci","host":"${host}","id":"hostdev0"}: vfio ${host}: ${what}`;
const LOG = (program: string, words: readonly string[], error: string) =>
  [
    HEADER,
    'LC_ALL=C \\',
    `/usr/bin/${program} \\`,
    ...words.map((word) => `${word} \\`),
    '-msg timestamp=on',
    error,
    '',
  ].join('\n');

test('a libvirt log alone: the answer names the window, the guest and the device', async ({ app }) => {
  const text = LOG(
    'qemu-system-aarch64',
    [
      '-name guest=edge,debug-threads=on',
      '-machine virt-7.2,gic-version=3',
      '-accel kvm',
      '-cpu host',
      '-m 4096',
      VFIO('0000:0b:00.0'),
    ],
    ERROR(
      '0000:0b:00.0',
      'memory listener initialization failed: Region mach-virt.ram: vfio_dma_map(0x55d0, 0x40000000, 0x100000000, 0x7f12) = -22 (Invalid argument)',
    ),
  );
  await dropText(app, [{ name: 'edge.log', text }]);
  const answer = app.getByTestId('answer');
  await expect(answer).toContainText('0xfee00000-0xfeefffff');
  await expect(answer).toContainText('of edge');
  await expect(answer).toContainText('0000:0b:00.0');
  await expect(app.getByTestId('guest').getByLabel('Guest to try').locator('option:checked')).toHaveText(
    'edge: virt 7.2, 4 GiB',
  );
  expect(await violations(app)).toEqual([]);
});

test('a log with "not viable" alone: the guest, the device, and the command that binds its group', async ({ app }) => {
  const text = LOG(
    'qemu-system-x86_64',
    ['-name guest=win11,debug-threads=on', '-machine pc-q35-7.2', '-accel kvm', '-m 16384', VFIO('0000:0b:00.0')],
    `${ERROR('0000:0b:00.0', 'group 27 is not viable')}\nPlease ensure all devices within the iommu_group are bound to their vfio bus driver.`,
  );
  await pasteText(app, text);
  const answer = app.getByTestId('answer');
  await expect(answer).toContainText(
    'win11 cannot be given 0000:0b:00.0 (group 27): not all devices of group 27 are bound to vfio-pci',
  );
  await expect(answer).toContainText('Bind all devices of group 27 but bridges to vfio-pci');
  const remedies = await app.evaluate(async () => (await window.iovascope?.answer())?.remedies);
  expect(JSON.stringify(remedies)).toContain('/sys/kernel/iommu_groups/27/devices');
});

test("libvirt's XML beside the host's groups and lspci: devices by name, in the page and what leaves it", async ({
  app,
}) => {
  const groups = '/sys/kernel/iommu_groups/15/devices/0000:0b:00.0\n/sys/kernel/iommu_groups/15/devices/0000:0b:00.1\n';
  const regions = '/sys/kernel/iommu_groups/15/reserved_regions:0x00000000fee00000 0x00000000feefffff msi\n';
  const lspci =
    '0b:00.0 VGA compatible controller [0300]: NVIDIA Corporation GA104 [10de:2484] (rev a1)\n\tKernel driver in use: vfio-pci\n0b:00.1 Audio device [0403]: NVIDIA Corporation GA104 Audio [10de:228b]\n\tKernel driver in use: snd_hda_intel\n';
  const xml =
    "<domain type='kvm'><name>studio</name><memory unit='GiB'>16</memory><os><type arch='x86_64' machine='pc-q35-8.1'>hvm</type></os><devices><hostdev mode='subsystem' type='pci'><source><address domain='0' bus='0x0b' slot='0' function='0'/></source></hostdev></devices></domain>\n";
  await dropText(app, [
    { name: 'groups.txt', text: groups },
    { name: 'regions.txt', text: regions },
    { name: 'lspci.txt', text: lspci },
    { name: 'studio.xml', text: xml },
  ]);
  const answer = app.getByTestId('answer');
  const named = '0000:0b:00.1 NVIDIA GA104 Audio (snd_hda_intel)';
  await expect(answer).toContainText(`0000:0b:00.0 NVIDIA GA104 (vfio-pci) (group 15) cannot be assigned`);
  await expect(answer).toContainText(named);
  await expect(app.getByTestId('device')).toHaveValue('0000:0b:00.0');
  await expect(app.getByTestId('conflicts')).toContainText(named);
  const left = await app.evaluate(async () => ({
    svg: await window.iovascope?.svg(),
    text: await window.iovascope?.text(),
  }));
  expect(left.svg?.replace(/<[^>]*>/g, ' ').replace(/\s+/g, ' ')).toContain('NVIDIA GA104 Audio (snd_hda_intel)');
  expect(left.text?.replace(/\s+/g, ' ')).toContain('NVIDIA GA104 Audio (snd_hda_intel)');
});
