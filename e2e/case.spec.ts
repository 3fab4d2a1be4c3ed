// The case: evidence that is put together, the answer above the picture, and its remedies.
import type { Page } from '@playwright/test';
import { dropText, expect, HOST_ALPHA, pasteText, rowOf, test, violations, visit } from './page.ts';

const region = (group: number, start: string, last: string, type: string) =>
  `/sys/kernel/iommu_groups/${group}/reserved_regions:${start} ${last} ${type}\n`;
const MSI = region(1, '0x00000000fee00000', '0x00000000feefffff', 'msi');
const HYPERTRANSPORT = region(1, '0x000000fd00000000', '0x000000ffffffffff', 'reserved');
const ERROR =
  'qemu-system-x86_64: vfio_dma_map(0x55d0c0de, 0x40000000, 0x100000000, 0x7f1200000000) = -22 (Invalid argument)\n';

const answer = (app: Page) => app.getByTestId('answer');

test('the answer says what does not fit, and a remedy makes it fit', async ({ app }) => {
  await dropText(app, [{ name: 'host.txt', text: MSI + HYPERTRANSPORT }]);
  await expect(app.getByLabel('Sources', { exact: true })).toContainText('Host A');
  await app.getByLabel('Guest to try').selectOption('q35');
  await app.getByLabel('Exact size').fill('2T');
  await app.getByLabel('Exact size').press('Enter');
  await expect(answer(app)).toHaveAttribute('data-severity', 'fatal');
  await expect(answer(app).locator('[aria-live=polite]')).toContainText('0xfd00000000');
  expect(await violations(app)).toEqual([]);
  await answer(app)
    .getByRole('button', { name: /^Move RAM above 1 TiB/ })
    .click();
  await expect(app.getByLabel('Guest to try')).toHaveValue('q35-amd');
  await expect(answer(app)).not.toHaveAttribute('data-severity', 'fatal');
});

test('an error, then the dump of the host: one host, and the answer names the MSI window', async ({ app }) => {
  await pasteText(app, ERROR);
  await expect(answer(app)).toHaveAttribute('data-severity', 'fatal');
  await dropText(app, [{ name: 'host.txt', text: MSI }]);
  await expect(answer(app)).toContainText('0xfee00000');
  await expect(answer(app)).not.toContainText('reserved_regions');
});

test('the same evidence in any order and in steps is one host and one answer; what contradicts it is another', async ({
  app,
}) => {
  const evidence = {
    'error.txt': ERROR,
    'reserved_regions.txt': MSI,
    'groups.txt': '/sys/kernel/iommu_groups/1/devices/0000:06:00.0\n',
    'dmesg.txt': '[    0.1] Linux version 6.12.42 (x)\n[    0.2] DMAR: Host address width 39\n',
  };
  const isFile = (name: string): name is keyof typeof evidence => name in evidence;
  const open = (...names: string[]) =>
    app.evaluate(
      async (files) => {
        await window.iovascope?.open(files);
        return { answer: (await window.iovascope?.answer())?.text, hosts: await window.iovascope?.hosts() };
      },
      names.filter(isFile).map((name) => ({ name, data: evidence[name] })),
    );
  const answers = new Set<string | undefined>();
  for (const steps of [
    ['error.txt', 'reserved_regions.txt dmesg.txt groups.txt'],
    ['reserved_regions.txt dmesg.txt groups.txt', 'error.txt'],
    ['groups.txt', 'error.txt dmesg.txt', 'reserved_regions.txt'],
  ]) {
    await app.evaluate(() => window.iovascope?.reset());
    let last: Awaited<ReturnType<typeof open>> | undefined;
    for (const step of steps) last = await open(...step.split(' '));
    expect(last?.hosts).toMatchObject([{ name: 'Host A', groups: ['group 1'] }]);
    answers.add(last?.answer);
  }
  expect([...answers]).toEqual([expect.stringMatching(/^Map of 0x40000000-0x13fffffff.*MSI window of group 1/)]);

  // The kernel's answer about a container is the aperture of the host that is there.
  const ranges = [
    ['0x0', '0xfedfffff'],
    ['0xfef00000', '0x7fffffffff'],
  ].map(([start, last]) => JSON.stringify({ kind: 'valid_range', start, last, container: 'c' }));
  const container = await app.evaluate(
    async (data) => {
      await window.iovascope?.open([{ name: 'container.iova.jsonl', data }]);
      return (await window.iovascope?.hosts())?.length;
    },
    `{"format":"iova-trace","version":1}\n${ranges.join('\n')}\n`,
  );
  expect(container).toBe(1);
  await expect(app.getByTestId('timeline-scroll')).toBeVisible();
  await expect(rowOf(app, 'aperture', '0x0', '0x7f_ffff_ffff')).toHaveCount(1);

  // A group with another device, and a group that no dump has.
  await pasteText(app, '/sys/kernel/iommu_groups/1/devices/0000:81:00.0\n');
  await expect(app.getByTestId('host')).toHaveCount(2);
  await app.getByTestId('placed').getByRole('button', { name: 'Undo' }).click();
  await expect(app.getByTestId('host')).toHaveCount(1);
  await pasteText(app, 'qemu-system-x86_64: vfio: error: group 28 is not viable\n');
  await expect(app.getByText('group 28, which the dump of Host A does not have').first()).toBeVisible();
});

test('an opening says where it went; it can be undone, or made another host', async ({ app }) => {
  await dropText(app, [{ name: 'host.txt', text: MSI }]);
  await dropText(app, [{ name: 'again.txt', text: MSI }]);
  const placed = app.getByTestId('placed');
  await expect(placed).toContainText('again.txt joined Host A');
  expect(await violations(app)).toEqual([]);
  await placed.getByRole('button', { name: 'Make it a separate host' }).click();
  await expect(app.getByLabel('Sources', { exact: true })).toContainText('Host B');
  await dropText(app, [{ name: 'third.txt', text: region(7, '0x1000', '0x1fff', 'reserved') }]);
  await placed.getByRole('button', { name: 'Undo' }).click();
  await expect(placed).toHaveCount(0);
});

test('ten pastes in a row: two hosts, in the order of the pastes, and what could not be read is said', async ({
  app,
}) => {
  const at = (host: string, command: string, output: string) => `root@${host}:~# ${command}\n${output}\n`;
  const pastes = [
    at('alpha', 'cat /proc/iomem', '00001000-0009ffff : System RAM\n80000000-dfffffff : PCI Bus 0000:00'),
    at('beta', 'uname -a', 'Linux beta 6.1.0-18-amd64 #1 SMP Debian 6.1.76-1 x86_64 GNU/Linux'),
    at('alpha', 'grep . /sys/kernel/iommu_groups/1/reserved_regions', MSI),
    at('beta', 'grep . /sys/kernel/iommu_groups/1/reserved_regions', MSI + HYPERTRANSPORT),
    at('alpha', 'find /sys/kernel/iommu_groups -type l', '/sys/kernel/iommu_groups/1/devices/0000:06:00.0'),
    at(
      'alpha',
      'lspci -s 06:00.0 -v',
      '06:00.0 Ethernet controller: Fast NIC\n\tMemory at 80000000 (32-bit) [size=1M]',
    ),
    'buy milk, bread and apples\n',
    at('beta', 'find /sys/kernel/iommu_groups -type l', '/sys/kernel/iommu_groups/1/devices/0000:07:00.0'),
    at('alpha', 'dmesg', '[    0.1] Linux version 6.12.42 (x)\n[    0.2] DMAR: Host address width 39'),
    at('alpha', 'cat /var/log/libvirt/qemu/g.log', ERROR),
  ];
  await app.evaluate((texts) => {
    for (const text of texts) {
      const data = new DataTransfer();
      data.setData('text/plain', text);
      document.body.dispatchEvent(
        new ClipboardEvent('paste', { clipboardData: data, bubbles: true, cancelable: true }),
      );
    }
  }, pastes);
  const hosts = () =>
    app.evaluate(async () => (await window.iovascope?.hosts())?.map((h) => [h.name, h.sources.length]));
  await expect.poll(hosts).toEqual([
    ['alpha', 6],
    ['beta', 3],
  ]);
  await expect(answer(app)).toHaveAttribute('data-severity', 'fatal');
  await expect(answer(app)).toContainText('0xfee00000');
  await expect(app.getByText('was not opened')).toBeVisible();
  expect(await violations(app)).toEqual([]);
});

test('pastes without a name, one after the other, are one host with one answer', async ({ app }) => {
  const pastes = [
    '[    0.000000] Linux version 6.12.42 (x)\n[    0.200000] DMAR: Host address width 39\n',
    MSI,
    '/sys/kernel/iommu_groups/1/devices/0000:06:00.0\n',
    '06:00.0 Ethernet controller [0200]: Fast NIC [8086:1521]\n\tKernel driver in use: vfio-pci\n',
    '00001000-0009ffff : System RAM\n80000000-dfffffff : PCI Bus 0000:00\n',
    '[  131.442890] DMAR: [DMA Write NO_PASID] Request device [06:00.0] fault addr 0xbf800000 [fault reason 0x05] PTE Write access is not set\n',
    ERROR,
  ];
  const hosts = () => app.evaluate(async () => (await window.iovascope?.hosts())?.map((h) => h.sources.length));
  for (const [i, text] of pastes.entries()) {
    await pasteText(app, text);
    await expect.poll(hosts).toEqual([i + 1]);
  }
  await expect(answer(app)).toHaveAttribute('data-severity', 'fatal');
  await expect(answer(app)).toContainText('0xfee00000');
  await expect(app.getByTestId('conflicts')).toContainText('0xbf800000');
});

test('the device to assign is chosen from the devices of the hosts', async ({ app }) => {
  const groups = [1, 2]
    .map((n) => `/sys/kernel/iommu_groups/${n}/devices/0000:00:0${n}.0\n${MSI.replace('groups/1', `groups/${n}`)}`)
    .join('');
  await dropText(app, [{ name: 'host.txt', text: groups }]);
  const device = app.getByTestId('device');
  await device.fill('02.0');
  await app.getByRole('option', { name: /0000:00:02\.0/ }).click();
  await expect(device).toHaveValue('0000:00:02.0');
  await expect(app.getByLabel('Device to assign').first()).toContainText('Chosen here.');
  expect(await violations(app)).toEqual([]);
  await app.getByRole('button', { name: 'Assign none' }).click();
  await expect(device).toHaveValue('');
});

test('scripts drive the page by window.iovascope', async ({ app }) => {
  const HOST = MSI + HYPERTRANSPORT;
  const hosts = await app.evaluate(async (data) => {
    await window.iovascope?.open([{ name: 'host.txt', data }]);
    return window.iovascope?.hosts();
  }, HOST);
  expect(hosts).toMatchObject([{ name: 'Host A', sources: ['host.txt'], groups: ['group 1'] }]);
  const shown = await app.evaluate(async () => {
    await window.iovascope?.setGuest('q35:2T');
    return {
      answer: await window.iovascope?.answer(),
      page: document.querySelector('[data-testid=answer]')?.textContent,
    };
  });
  expect(shown.answer?.severity).toBe('fatal');
  expect(shown.page).toContain(shown.answer?.text);
});

/** The header of the case that the browser keeps; runs in the page. */
async function keptText(): Promise<string> {
  const done = <T>(request: IDBRequest<T>) =>
    new Promise<T>((resolve, reject) => {
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => reject(request.error);
    });
  const all = await indexedDB.databases();
  if (!all.some(({ name }) => name === 'keyval-store')) return '';
  const db = await done(indexedDB.open('keyval-store'));
  const kept: unknown = await done(db.transaction('keyval').objectStore('keyval').get('case'));
  db.close();
  return kept instanceof Blob ? kept.text() : '';
}

test('the case and its view are there again after a reload', async ({ app }) => {
  await dropText(app, [{ name: 'host.txt', text: MSI }]);
  await app.getByLabel('Guest to try').selectOption('q35');
  await expect.poll(() => app.evaluate(keptText)).toContain('q35');
  await app.reload();
  await expect(app.getByLabel('Sources', { exact: true })).toContainText('Host A');
  await expect(app.getByLabel('Guest to try')).toHaveValue('q35');
});

test('a frame of another page shows nothing of the case that the browser keeps', async ({ app }) => {
  const context = app.context();
  await dropText(app, [{ name: 'alpha.txt', text: HOST_ALPHA }]);
  await expect.poll(() => app.evaluate(keptText)).toContain('alpha');
  const frame = await context.newPage();
  await visit(frame, '/?frame#embed=1');
  const names = () => frame.evaluate(async () => (await window.iovascope?.hosts())?.map(({ name }) => name));
  expect(await names()).not.toContain('alpha');
  // What was opened in full stays so, whatever the page around it puts into the address later.
  await visit(frame, '/?full');
  await expect.poll(names).toContain('alpha');
  await frame.evaluate(() => {
    location.hash = '#theme=dark&embed=1';
  });
  await expect(frame.locator('html')).toHaveAttribute('data-theme', 'dark');
  await expect(frame.locator('html')).not.toHaveAttribute('data-embed');
});
