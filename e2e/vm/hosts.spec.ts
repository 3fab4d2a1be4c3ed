// Real kernels: what the page shows of them, live.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Page } from '@playwright/test';
import { test as base, expect } from '@playwright/test';
import { rowOf } from '../page.ts';
import { Machine } from './machine.ts';

const test = base.extend<{ readonly open: (name: string) => Promise<Machine> }>({
  open: async ({ page }, use) => {
    const machines: Machine[] = [];
    await use(async (name) => {
      const machine = new Machine(name);
      machines.push(machine);
      await page.goto(await machine.start());
      return machine;
    });
    await Promise.all(machines.map((machine) => machine.end()));
  },
});

const tree = (page: Page) => page.getByRole('treegrid');

interface Expected {
  readonly name: string;
  readonly reserved: readonly (readonly [start: string, last: string])[];
  /** Ranges that VFIO_IOMMU_GET_INFO answered for the container of another process. */
  readonly valid: readonly (readonly [start: string, last: string])[];
}

const MSI_X86 = ['0xfee0_0000', '0xfeef_ffff'] as const;
const HOSTS: readonly Expected[] = [
  {
    name: 'vtd-39',
    reserved: [MSI_X86, ['0x0', '0xff_ffff']],
    valid: [
      ['0x0', '0xfedf_ffff'],
      ['0xfef0_0000', '0x7f_ffff_ffff'],
    ],
  },
  {
    name: 'vtd-48',
    reserved: [MSI_X86, ['0x0', '0xff_ffff']],
    valid: [
      ['0x0', '0xfedf_ffff'],
      ['0xfef0_0000', '0xffff_ffff_ffff'],
    ],
  },
  {
    name: 'amd-vi',
    reserved: [MSI_X86, ['0xfd_0000_0000', '0xff_ffff_ffff']],
    valid: [['0x0', '0xfedf_ffff']],
  },
  { name: 'virtio-iommu', reserved: [MSI_X86], valid: [['0x0', '0xfedf_ffff']] },
  {
    name: 'smmuv3',
    reserved: [['0x800_0000', '0x80f_ffff']],
    valid: [
      ['0x0', '0x7ff_ffff'],
      ['0x810_0000', '0xffff_ffff_ffff'],
    ],
  },
];

for (const { name, reserved, valid } of HOSTS) {
  test(`${name}: the kernel's regions, and the ranges of a container that another process holds`, async ({
    page,
    open,
  }) => {
    await open(name);
    await expect(tree(page)).toContainText('guest birch');
    await expect(tree(page)).toContainText('65,531 mappings left');
    for (const [start, last] of reserved) await expect(rowOf(page, 'reserved', start, last)).toHaveCount(1);
    for (const [start, last] of valid) await expect(rowOf(page, 'usable', start, last)).toHaveCount(1);
  });
}

test('a device is plugged in and out while the page is open, and the machine is killed and started again', async ({
  page,
  open,
}) => {
  const machine = await open('vtd-48');
  await expect(tree(page)).toContainText('guest birch');
  await page.getByRole('tab', { name: 'Events' }).click();
  const changes = page.getByTestId('changes');

  await machine.qmp('device_add', { driver: 'e1000e', id: 'nic', bus: 'rp0', romfile: '' });
  await expect(changes).toContainText(/\+ group \d+: 0000:01:00\.0/);
  await machine.qmp('device_del', { id: 'nic' });
  await expect(changes).toContainText(/− group \d+: 0000:01:00\.0/);

  // As a power cut does it.
  await machine.qmp('quit');
  await expect(page.getByTestId('live')).toContainText('the probe ended');
  await expect(tree(page)).toContainText('guest birch');
  await expect(page.getByTestId('live')).not.toContainText('the probe ended');
  await expect(page.getByTestId('connection')).toHaveText('Live');
  await page.getByRole('tab', { name: 'Table' }).click();
  await expect(rowOf(page, 'reserved', ...MSI_X86)).toHaveCount(1);
});

test('a running guest’s layout through its QMP socket, against what the kernel lets its process map', async ({
  page,
  open,
}) => {
  const machine = await open('vtd-48');
  await expect(tree(page)).toContainText('guest birch');
  const [, name = ''] = /guest (birch\d+)/.exec((await tree(page).textContent()) ?? '') ?? [];
  // Its processors never run: the layout is there from the start. Its RAM ends at 4 GiB + 1 GiB.
  const qemu = spawn('qemu-system-x86_64', [
    ...['-S', '-name', name, '-machine', 'q35,accel=tcg', '-m', '3G', '-nodefaults', '-display', 'none'],
    ...['-qmp', `unix:${machine.guestSocket},server=on,wait=off`],
  ]);
  try {
    await expect(tree(page)).toContainText(`QMP ${name}`);
    await page.getByRole('tab', { name: 'Table' }).click();
    await expect(rowOf(page, 'guest', '0x0', '0xb_ffff')).not.toHaveCount(0);
    await expect(rowOf(page, 'guest', '0x1_0000_0000', '0x1_3fff_ffff')).not.toHaveCount(0);
  } finally {
    const exit = once(qemu, 'exit');
    qemu.kill();
    await exit;
  }
  await expect(tree(page)).not.toContainText('guest layout');
});

test('a guest that starts: its container, and its mappings as they are made', async ({ page, open }) => {
  const machine = await open('vtd-48');
  await expect(tree(page)).toContainText('guest birch');
  await page.getByRole('tab', { name: 'Events' }).click();
  await page.getByRole('button', { name: 'Trace mappings' }).click();
  // The machine gives each such device to a program that maps a guest's memory.
  await machine.qmp('device_add', { driver: 'edu', id: 'second', bus: 'rp0' });
  await expect(page.getByTestId('changes')).toContainText(/\+ group \d+: 0000:01:00\.0/);
  await expect(page.getByTestId('changes')).toContainText(
    /\+ range 0x0-0xfedfffff of pid \d+ fd \d+ \(guest birch\d+\)/,
  );
  await expect(tree(page)).toContainText('kernel trace');
  await page.getByRole('tab', { name: 'Table' }).click();
  const rows = page.getByTestId('table').locator('tbody tr').filter({ hasText: 'kernel trace' });
  await expect(rows).not.toHaveCount(0);
});
