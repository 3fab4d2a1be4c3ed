// What the steps of lessons show: address spaces, groups, selected ranges.
import { beforeEach, describe, expect, test } from 'vitest';
import { startApp } from '../testing/app.ts';
import { useApp } from './app-state.ts';
import { setSelectedGroups } from './documents.ts';
import { closeLesson, goToStep, openLesson, revealAnswer } from './lesson-reader.ts';
import { arranged } from './picture.ts';

const { getState: get } = useApp;

/** The spaces of the picture: of a host the reserved lane's owner rows do not matter, only that it is there. */
async function shown(): Promise<string[]> {
  await arranged();
  return (get().picture?.arrangement.spaces ?? []).map(({ title, subtitle, id }) =>
    id.includes('/space ') ? id.replace(/^.*\/space /, '') : `${title} ${subtitle}`.trim(),
  );
}

const TEXT = `---
title: Spaces
model: iommufd
---
## One
\`\`\`facts
{"kind":"host","name":"lab"}
{"kind":"reserved","start":"0xfee00000","last":"0xfeefffff","type":"msi","origin":"sysfs","group":"1"}
{"kind":"reserved","start":"0x1000","last":"0x1fff","type":"direct","origin":"sysfs","group":"4"}
\`\`\`
\`\`\`ops
alloc a
alloc b
\`\`\`
## Only b
view: spaces b
## A prediction about another one
predict: 0 | -EINVAL
\`\`\`ops
alloc c
\`\`\`
## The blocked group
view: groups 4, selection 0x1000-0x1fff
## The other two
view: spaces a c
## What is used up
\`\`\`ops
destroy a
destroy c
\`\`\`
## All
view: spaces all
`;

beforeEach(async () => {
  startApp();
  await closeLesson();
  expect(await openLesson({ file: 'spaces.md', text: TEXT })).toBe(true);
});

describe('address spaces and groups', () => {
  test('each choice holds until the next one, and back it is as it was', async () => {
    const steps: string[][] = [];
    for (let step = 0; step < 7; step++) {
      await goToStep(step);
      await revealAnswer();
      steps.push(await shown());
    }
    const [first = []] = steps;
    expect(first.slice(1)).toEqual(['a', 'b']);
    // The group that cannot be assigned is not in the picture until a step asks for it.
    expect(first[0]).toContain('group 1');
    expect(steps[1]).toEqual(['b']);
    expect(steps[2]).toEqual(['b']);
    expect(steps[3]).toEqual([expect.stringContaining('group 4')]);
    expect(steps[4]).toEqual(['a', 'c']);
    // Nothing of what was chosen is left: an empty picture would explain nothing.
    expect(steps[5]).toEqual([first[0], 'b']);
    expect(steps[6]).toEqual([first[0], 'b']);
    await goToStep(3);
    expect(await shown()).toEqual(steps[3]);
    await goToStep(0);
    expect(await shown()).toEqual(first);
  });

  test('what a person deselects stays so while a lesson chooses nothing', async () => {
    const space = get()
      .documents.flatMap(({ spaces }) => spaces)
      .find(({ title }) => title === 'b');
    await setSelectedGroups(space ? [space.key] : []);
    await goToStep(0);
    expect(await shown()).toEqual(['b']);
  });
});

test('a step selects its range, and the next one deselects it', async () => {
  await goToStep(3);
  expect(get().selected?.target).toMatchObject({ start: 0x1000n, last: 0x1fffn });
  expect(get().selected?.laneTitle).toBe('reserved');
  await goToStep(4);
  expect(get().selected).toBeUndefined();
});

test('as a session alone, after a step', async () => {
  await closeLesson();
  expect(await openLesson({ file: 'spaces.md', text: TEXT }, { isSessionOnly: true, step: 4 })).toBe(true);
  expect(await shown()).toEqual([expect.stringContaining('group 4')]);
  expect(get().selected?.target).toMatchObject({ start: 0x1000n });
});
