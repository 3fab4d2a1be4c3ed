// The lesson reader: links to steps, predictions, lessons by keys alone, files of one's own, the presenter's view.
import { readdirSync, readFileSync } from 'node:fs';
import type { Page } from '@playwright/test';
import { plotLeft, plotWidth } from '../src/timeline/scene/layout.ts';
import { dragWithShift, dropText, expect, test, violations, visit } from './page.ts';

const FOLDER = new URL('../src/lessons/library/', import.meta.url);
const NAMES = readdirSync(FOLDER).map((file) => file.replace('.md', ''));
const textOf = (name: string) => readFileSync(new URL(`${name}.md`, FOLDER), 'utf8');

const goTo = (app: Page, fragment: string) =>
  app.evaluate((hash) => {
    location.hash = hash;
  }, fragment);

test('a link opens a lesson at a step, and the address bar follows it', async ({ app }) => {
  await visit(app, '/?x#lesson=03-why-fee00000&step=4');
  await expect(app.getByTestId('session')).toContainText('Why 0xfee00000');
  await expect(app.getByTestId('lesson-step')).toHaveText('step 4 of 7');
  await expect(app.getByTestId('problem')).toHaveCount(0);
  await expect.poll(() => app.url()).toMatch(/#lesson=03-why-fee00000&range=0x.*&step=4/);
  // The next link goes on in the same session.
  await goTo(app, '#lesson=03-why-fee00000&step=2');
  await expect(app.getByTestId('lesson-step')).toHaveText('step 2 of 7');
  await visit(app, '/?y#lesson=03-why&step=1');
  await expect(app.getByTestId('problem')).toContainText('There is no lesson "03-why"; known: 01-reserved-regions');
  await visit(app, '/?z#lesson=02-aperture&step=99');
  await expect(app.getByTestId('problem')).toContainText('has steps 1 to 8: step 1 is shown');
  await expect(app.getByTestId('moment')).toHaveText('1 / ?');
});

test('what a prediction is about is hidden until a choice is made', async ({ app }) => {
  await goTo(app, '#lesson=08a-unmap-type1&step=2');
  const gate = app.getByTestId('lesson-gate');
  await expect(gate).toContainText('unmap v2 0x10000 24K');
  await expect(app.getByTestId('moment')).toHaveText('8 / ?');
  // Neither in the list of events nor in any other place.
  await app.getByRole('tab', { name: 'Events' }).click();
  await expect(app.getByTestId('events').locator('tbody tr')).toHaveCount(8);
  await app.getByTestId('timeline').focus();
  await app.keyboard.press('.');
  await expect(app.getByTestId('moment')).toHaveText('8 / ?');
  await app.keyboard.press(' ');
  await expect(app.locator('p[role=status]')).toContainText('Choose an answer first');
  expect(await violations(app)).toEqual([]);
  await app.keyboard.press('3');
  await expect(gate).toContainText('Not right');
  await expect(gate.locator('[data-state=right]')).toContainText('-EINVAL');
  await expect(gate.locator('[data-state=wrong]')).toContainText('0, unmapped 0x6000');
  await expect(app.getByTestId('lesson')).toContainText('version 2 never splits mappings');
  await expect(app.getByTestId('moment')).toHaveText('9 / ?');
  await expect(app.getByTestId('events').locator('tbody tr')).toHaveCount(9);
  expect(await violations(app)).toEqual([]);
  // Back, the later events are hidden again; what was answered stays so.
  await app.keyboard.press('ArrowLeft');
  await expect(app.getByTestId('moment')).toHaveText('8 / ?');
  await app.keyboard.press('ArrowRight');
  await expect(gate).toContainText('Not right');
});

/** What the reader shows, read in the page as soon as a condition holds: looking from outside takes longer than a step. */
async function shownWhen(app: Page, wanted: { readonly step: number; readonly verdicts: number }) {
  const shown = await app.waitForFunction(({ step, verdicts }) => {
    const lesson = document.querySelector('[data-testid=lesson]');
    const [, at, count] =
      /(\d+) of (\d+)/.exec(lesson?.querySelector('[data-testid=lesson-step]')?.textContent ?? '') ?? [];
    if (!lesson || Number(at) !== step || lesson.querySelectorAll('.verdict').length !== verdicts) return undefined;
    const isAsked = [...lesson.querySelectorAll('.gate')].some((gate) => !gate.querySelector('.verdict'));
    const title = lesson.querySelector('.step-title')?.textContent ?? '';
    return { count: Number(count), title, isAsked, hasChoices: lesson.querySelector('.choice:enabled') !== null };
  }, wanted);
  const value = await shown.jsonValue();
  if (!value) throw new Error('no lesson');
  return value;
}

/** Goes through a lesson with keys alone. Returns the titles of its steps as they were shown. */
async function readToTheEnd(app: Page): Promise<string[]> {
  const titles: string[] = [];
  let answered = 0;
  for (let step = 1, count = 1; step <= count; step++) {
    let shown = await shownWhen(app, { step, verdicts: 0 });
    count = shown.count;
    titles.push(shown.title);
    for (let verdicts = 1; shown.isAsked; verdicts++) {
      // Questions that are typed have no choices: their answer is revealed.
      await app.keyboard.press(shown.hasChoices && answered++ % 2 === 0 ? '1' : 'v');
      shown = await shownWhen(app, { step, verdicts });
    }
    await app.keyboard.press(step % 3 === 0 ? 'ArrowRight' : ' ');
  }
  await expect(app.locator('p[role=status]')).toContainText('last step of the lesson');
  return titles;
}

test('every lesson is read to its end by keys alone, in the light and the dark theme in turn', async ({ app }) => {
  for (const [i, name] of NAMES.entries()) {
    const theme = i % 2 === 0 ? 'dark' : 'light';
    await goTo(app, `#lesson=${name}&theme=${theme}`);
    await expect.poll(() => app.getByTestId('lesson').getAttribute('data-lesson'), name).toBe(name);
    await expect(app.locator('html'), name).toHaveAttribute('data-theme', theme);
    const headings = [...textOf(name).matchAll(/^## (.*)$/gm)].map(([, title]) => title);
    expect((await readToTheEnd(app)).slice(-headings.length), name).toEqual(headings);
    // Nothing is hidden any more.
    await expect(app.getByTestId('moment'), name).toHaveText(/^(\d+) \/ \1$/);
    await expect(app.getByTestId('problem'), name).toHaveCount(0);
    // The last step of one lesson in each theme, with all of its answers revealed.
    if (i < 2) expect(await violations(app), `${name}, ${theme}`).toEqual([]);
  }
});

const OWN = `---
title: My own lesson
model: iommufd
---

## Where does it fit?

\`\`\`ops
alloc a => 0
map a 0x1000 4K rw => 0, iova 0x1001
\`\`\`

question: Where can a page be mapped?

answer: range 0x3000-0x3fff

\`\`\`check
map a $start $size rw => 0
\`\`\`

## Make it succeed

question: Map something at 0x1000.

answer: operation map a 0x2000 4K rw

opss: nothing
`;

test('a file of a lesson opens in the reader; its mistakes are shown, its questions take typed answers', async ({
  app,
}) => {
  await dropText(app, [{ name: 'mine.md', text: OWN }]);
  const lesson = app.getByTestId('lesson');
  await expect(lesson.getByRole('heading', { name: 'My own lesson' })).toBeVisible();
  await expect(lesson).toContainText('mine.md:10: expected 0, iova 0x1001, the model answers 0, iova 0x1000');
  await expect(lesson).toContainText("mine.md:27: unknown key 'opss'");
  const answer = lesson.getByRole('textbox', { name: 'Your answer' });
  await answer.fill('0x1000-0x1fff');
  await answer.press('Enter');
  await expect(lesson).toContainText('Not right: 0x1000-0x1fff');
  await expect(lesson).toContainText('map a 0x1000 0x1000 rw → -EEXIST');
  await answer.fill('0x5000-0x5fff');
  await answer.press('Enter');
  await expect(lesson.getByText('Right', { exact: true })).toBeVisible();
  await app.getByTestId('timeline').focus();
  await app.keyboard.press(' ');
  await answer.fill('map a 0x1000 4K rw');
  await answer.press('Enter');
  await expect(lesson).toContainText('Not right: map a 0x1000 4K rw');
  await answer.fill('map a 0x1000');
  await answer.press('Enter');
  await expect(lesson).toContainText(/Not right: map a 0x1000: expected/i);
  await answer.fill('map a any 4K rw');
  await answer.press('Enter');
  await expect(lesson.getByText('Right', { exact: true })).toBeVisible();
  // Several files are added to the list, which says what comes before each, and what is not there.
  const second = OWN.replace('title: My own lesson', 'title: The second one\nafter: mine, mien, 02-aperture');
  await dropText(app, [
    { name: 'second.md', text: second },
    { name: 'third.md', text: OWN.replace('My own', 'A third') },
  ]);
  const entry = lesson.getByRole('listitem').filter({ hasText: 'The second one' });
  await expect(entry).toContainText('after “My own lesson”, “mien”, “What an aperture is”');
  await expect(entry).toContainText("second.md:3: after: there is no lesson 'mien'; did you mean 'mine'?");
  expect(await violations(app)).toEqual([]);
  await lesson.getByRole('button', { name: 'My own lesson' }).click();
  await expect(app.getByTestId('lesson-step')).toHaveText('step 1 of 2');
});

const DRAWN = `---
title: Drawn answers
model: iommufd
---

## A hole

\`\`\`ops
alloc a => 0
map a 0x2000 8K rw => 0
map a 0xa000 8K rw => 0
\`\`\`

view: range 0x0-0xffff, scale linear

question: Where do 8 KiB fit between the areas?

answer: range 0x5000-0x6fff

\`\`\`check
map a $start $size rw => 0
map a 0x2000 4K rw => -EEXIST
\`\`\`

## An area

question: Where does the second area begin?

answer: address 0xa000

\`\`\`check
unmap a $answer 8K => 0
\`\`\`
`;

test('answers are drawn and picked on the timeline', async ({ app }) => {
  await dropText(app, [{ name: 'drawn.md', text: DRAWN }]);
  const lesson = app.getByTestId('lesson');
  const answer = lesson.getByRole('textbox', { name: 'Your answer' });
  await expect(answer).toBeVisible();
  await expect(lesson.getByText(/problems? in this lesson/)).toHaveCount(0);
  await expect
    .poll(() => app.evaluate(async () => (await window.iovascope?.state())?.range))
    .toMatchObject({ start: '0x0', last: expect.stringMatching(/^0x(?:ffff|10000)$/) });
  const areas = app.getByTestId('table').locator('tbody tr').filter({ hasText: 'areas' });
  await expect(areas).toHaveCount(2);
  const box = await app.getByTestId('timeline').boundingBox();
  if (!box) throw new Error('no timeline');
  const xOf = (address: number) => box.x + plotLeft(box.width) + (plotWidth(box.width) * address) / 0x10000;
  const y = box.y + 150;
  const draw = (from: number, to: number) => dragWithShift(app, [xOf(from), y], [xOf(to), y]);
  // Across an area: what would have happened is shown.
  await draw(0x2800, 0x8000);
  await expect(answer).toHaveValue(/^0x[\da-f]+-0x[\da-f]+$/);
  await lesson.getByRole('button', { name: 'Check' }).click();
  await expect(lesson).toContainText(/Not right: 0x[\da-f]+-0x[\da-f]+/);
  await expect(lesson.locator('.judged')).toContainText('-E');
  // Beside a bound it snaps to it: the end of the first area, the start of the second one.
  await draw(0x4010, 0x9ff0);
  await expect(answer).toHaveValue('0x4000-0x9fff');
  await lesson.getByRole('button', { name: 'Check' }).click();
  await expect(lesson.getByText('Right', { exact: true })).toBeVisible();
  await app.getByTestId('timeline').focus();
  await app.keyboard.press(' ');
  await expect(app.getByTestId('lesson-step')).toHaveText('step 2 of 2');
  await areas.last().getByRole('button').first().click();
  await expect(answer).toHaveValue('0xa000');
  await lesson.getByRole('button', { name: 'Check' }).click();
  await expect(lesson.getByText('Right', { exact: true })).toBeVisible();
});

test('practice: kinds and difficulty are chosen, sheets are printed, a link carries both', async ({ app }) => {
  await app.getByRole('button', { name: /^Open/ }).click();
  await app.getByRole('menuitem', { name: 'Lessons…' }).click();
  const lesson = app.getByTestId('lesson');
  await lesson.getByRole('combobox', { name: 'Difficulty' }).selectOption('Easy');
  await expect(lesson.getByRole('checkbox', { name: 'Overlap' })).toBeChecked();
  await expect(lesson.getByRole('checkbox', { name: 'Unmap' })).not.toBeChecked();
  await lesson.getByRole('checkbox', { name: 'Aperture' }).uncheck();
  await expect(lesson.getByRole('combobox', { name: 'Difficulty' })).toHaveValue('');
  await lesson.getByRole('textbox', { name: 'Number' }).fill('4294967296');
  await expect(lesson).toContainText('Enter a number from 0 to 4294967295');
  await expect(lesson.getByRole('button', { name: 'Start' })).toBeDisabled();
  await lesson.getByRole('textbox', { name: 'Number' }).fill('42');
  expect(await violations(app)).toEqual([]);
  // A person sees the dialog of the browser; what would be printed is in the page until it closes.
  await app.evaluate(() => {
    window.print = () => {};
  });
  await lesson.getByRole('button', { name: 'Print with answers' }).click();
  await app.emulateMedia({ media: 'print' });
  const paper = app.getByTestId('paper');
  await expect(paper).toBeVisible();
  await expect(app.locator('#root')).toBeHidden();
  await expect(paper.getByRole('heading', { name: /^Exercise/ })).toHaveCount(10);
  await expect(paper.getByRole('heading', { name: /: overlap$/ })).toHaveCount(10);
  await expect(paper.getByRole('heading', { name: 'Answers' })).toBeVisible();
  expect(await app.title()).toMatch(/^Practice 42, answers/);
  await app.emulateMedia({ media: 'screen' });
  await app.evaluate(() => dispatchEvent(new Event('afterprint')));
  await expect(paper).toHaveCount(0);
  await lesson.getByRole('button', { name: 'Print', exact: true }).click();
  await expect(paper.getByRole('heading', { name: 'Answers', includeHidden: true })).toHaveCount(0);
  await app.evaluate(() => dispatchEvent(new Event('afterprint')));
  await lesson.getByRole('button', { name: 'Start' }).click();
  await expect(app.getByTestId('lesson-step')).toHaveText('step 1 of 10');
  await expect.poll(() => app.url()).toContain('#lesson=practice-42-overlap&');
  await visit(app, '/?x#lesson=practice-42-overlap&step=10');
  await expect(lesson.locator('.step-title')).toHaveText('Exercise 10: overlap');
});

test('the presenter’s view: large, folded, black on a key, notes in a second window', async ({ app }) => {
  const context = app.context();
  await app.setViewportSize({ width: 1280, height: 720 });
  await goTo(app, '#lesson=02-aperture&step=5');
  const lesson = app.getByTestId('lesson');
  await expect(app.getByTestId('lesson-gate')).toBeVisible();
  await app.keyboard.press('z');
  await expect(app.getByRole('tablist', { name: 'Details' })).toBeHidden();
  await expect(app.getByTestId('answer')).toBeHidden();
  // All of the question is in the window.
  await expect(lesson.locator('.choice').last()).toBeInViewport({ ratio: 1 });
  expect(await violations(app)).toEqual([]);
  const opened = context.waitForEvent('page');
  await lesson.getByRole('button', { name: 'Notes window' }).click();
  const notes = await opened;
  await expect(notes.getByRole('heading')).toHaveText('Across the border');
  await expect(notes.locator('main')).toContainText('Next: The last page');
  // The keys of the notes go through the lesson, too.
  await notes.keyboard.press('1');
  await expect(lesson.getByText('Right', { exact: true })).toBeVisible();
  await notes.keyboard.press('ArrowRight');
  await expect(notes.getByRole('heading')).toHaveText('The last page');
  await app.bringToFront();
  await app.getByTestId('timeline').focus();
  await app.keyboard.press('b');
  await expect(app.locator('html')).toHaveAttribute('data-black', '');
  await app.keyboard.press(' ');
  await expect(app.locator('html')).not.toHaveAttribute('data-black', '');
  await expect(app.getByTestId('lesson-step')).toHaveText('step 6 of 8');
  await app.keyboard.press('Escape');
  await expect(app.getByRole('tablist', { name: 'Details' })).toBeVisible();
  // What was asked for and what blocked it is written below the lanes: nothing of it is cut off.
  await goTo(app, '#lesson=03-why-fee00000&step=3');
  await expect(app.getByTestId('lesson-step')).toHaveText('step 3 of 7');
  await app.keyboard.press('z');
  await app.keyboard.press('2');
  await expect(lesson.locator('.op-reason')).toBeVisible();
  await expect
    .poll(() => app.getByTestId('timeline-scroll').evaluate((area) => area.scrollHeight - area.clientHeight))
    .toBe(0);
  expect(await violations(app)).toEqual([]);
});

test('what was done in a session is recorded as a lesson, which opens without a mistake', async ({ app }) => {
  const lines = [
    { format: 'iova-trace', version: 1, model: 'iommufd', title: 'a try' },
    { op: 'ioas.alloc', ioas: 'a' },
    { op: 'ioas.map', ioas: 'a', flags: ['fixed', 'read'], user_va: '0x10000', length: '0x2000', iova: '0x4000' },
    { op: 'ioas.map', ioas: 'a', flags: ['fixed', 'read'], user_va: '0x10000', length: '0x2000', iova: '0x4000' },
  ];
  await dropText(app, [{ name: 'try.iova.jsonl', text: lines.map((line) => JSON.stringify(line)).join('\n') }]);
  await expect(app.getByTestId('moment')).toHaveText('3 / 3');
  await app.getByRole('button', { name: /^Open/ }).click();
  await app.getByRole('menuitem', { name: 'Lessons…' }).click();
  const lesson = app.getByTestId('lesson');
  await expect(lesson.getByRole('listitem')).toHaveCount(NAMES.length);
  expect(await violations(app)).toEqual([]);
  await lesson.getByRole('textbox', { name: 'Title' }).fill('Twice the same');
  const download = app.waitForEvent('download');
  await lesson.getByRole('button', { name: 'Save' }).click();
  const saved = await download;
  expect(saved.suggestedFilename()).toBe('Twice-the-same.md');
  const text = readFileSync((await saved.path()) ?? '', 'utf8');
  expect(text).toContain('map a 0x4000 8K r from 0x10000 => -EEXIST');
  await dropText(app, [{ name: 'again.md', text }]);
  await expect(lesson.getByRole('heading', { name: 'Twice the same' })).toBeVisible();
  await expect(lesson.getByText(/problems? in this lesson/)).toHaveCount(0);
});
