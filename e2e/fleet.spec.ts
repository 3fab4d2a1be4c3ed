// A fleet of hosts: those that are alike are one, the others are shown, and each can be opened by itself.
import { machines, tarOfMachines } from '../src/engine/testing/fleet.ts';
import { expect, test, violationsInBothThemes } from './page.ts';

const DIRECT = '0x0000000040000000 0x000000004fffffff reserved\n';
const FAULT =
  '[    5.000000] DMAR: [DMA Write NO_PASID] Request device [3b:00.0] fault addr 0xdead0000 [fault reason 0x05] PTE Write access is not set\n';

test('a fleet: kinds of hosts, a guest on each, the names, and one host by itself', async ({ app }) => {
  const fleet = machines(30, { 4: { bus: 'af' }, 7: { region: DIRECT }, 11: { log: FAULT } });
  const files = await Promise.all(
    fleet.map(async (one) => ({
      name: `${one.name}.tar`,
      mimeType: 'application/x-tar',
      buffer: Buffer.from(await (await tarOfMachines([one])).arrayBuffer()),
    })),
  );
  await app.getByTestId('pick-files').setInputFiles(files);
  await expect(app.getByTestId('placed')).toContainText('30 hosts of 3 kinds opened');
  await expect(app.getByTestId('answer')).toContainText('30 hosts of 3 kinds');
  await expect(app.getByTestId('host')).toHaveCount(3);
  await expect(app.getByTestId('host').first()).toContainText('n00 (28 hosts alike)');

  await app.getByTestId('guest').getByLabel('Guest to try').selectOption('q35');
  await expect(app.getByTestId('answer')).toContainText('fits on 29');
  await app.getByRole('tab', { name: 'Hosts' }).click();
  const kinds = app.getByTestId('alike');
  await expect(kinds.getByRole('row')).toHaveCount(4);
  await expect(kinds.getByRole('row').nth(1)).toContainText('28');
  await expect(kinds.getByRole('row', { name: /n07/ })).toContainText('0x40000000-0x4fffffff');

  await kinds.getByRole('button', { name: 'List the 28 hosts of row 1' }).click();
  const members = app.getByTestId('members');
  await expect(members).toContainText('device addresses');
  await expect(members.getByRole('listitem')).toHaveCount(28);
  expect(await violationsInBothThemes(app)).toEqual([]);
  await members.getByRole('searchbox').fill('n04');
  await expect(members.getByRole('listitem')).toHaveCount(1);
  await members.getByRole('button', { name: 'Open n04 as a host of its own' }).click();
  await expect(app.getByTestId('host')).toHaveCount(4);
  await expect(app.getByTestId('host').first()).toContainText('n00 (27 hosts alike)');
  await expect(app.getByTestId('host').last()).toContainText('n04');

  await app.getByRole('button', { name: 'Undo' }).first().click();
  await expect(app.getByTestId('host')).toHaveCount(3);
  await expect(app.getByText(/Saved in this browser/)).toBeVisible();
  await app.reload();
  await expect(app.getByTestId('host').first()).toContainText('n00 (28 hosts alike)');
});
