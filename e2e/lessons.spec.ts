// Links to the steps of lessons.
import { readdirSync, readFileSync } from 'node:fs';
import { expect, test, visit } from './page.ts';

const FOLDER = new URL('../src/lessons/library/', import.meta.url);
/** Names and titles. */
const LESSONS = readdirSync(FOLDER).map((file) => {
  const [, title = ''] = /^title: "?(.*?)"?$/m.exec(readFileSync(new URL(file, FOLDER), 'utf8')) ?? [];
  return [file.replace('.md', ''), title] as const;
});

test('a link to a step of a lesson opens its session after that step', async ({ app }) => {
  await visit(app, '/?x#lesson=03-why-fee00000&step=4');
  await expect(app.getByTestId('session')).toContainText('Why 0xfee00000');
  await expect(app.getByTestId('moment')).toHaveText('5 / 7');
  await expect(app.getByTestId('problem')).toHaveCount(0);
  await expect.poll(() => app.url()).toMatch(/#lesson=03-why-fee00000&at=5&range=0x/);
  // The next link goes on in the same session.
  await app.evaluate(() => {
    location.hash = '#lesson=03-why-fee00000&step=2';
  });
  await expect(app.getByTestId('moment')).toHaveText('3 / 7');
});

test('every lesson opens by its name', async ({ app }) => {
  for (const [name, title] of LESSONS) {
    await app.evaluate((lesson) => {
      location.hash = `#lesson=${lesson}`;
    }, name);
    await expect(app.getByTestId('session'), name).toContainText(title);
    await expect(app.getByTestId('problem'), name).toHaveCount(0);
  }
});

test('a lesson or a step that is not there is named', async ({ app }) => {
  await visit(app, '/?x#lesson=03-why&step=1');
  await expect(app.getByTestId('problem')).toContainText('There is no lesson "03-why"; known: 01-reserved-regions');
  await visit(app, '/?y#lesson=02-aperture&step=99');
  await expect(app.getByTestId('problem')).toContainText('has steps 1 to 8: step 1 is shown');
  await expect(app.getByTestId('moment')).toHaveText('1 / 7');
});
