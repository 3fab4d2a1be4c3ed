import { beforeEach, describe, expect, test } from 'vitest';
import type { Target } from '../../timeline/scene/mark.ts';
import { HeldEngine, openText, settled, startApp } from '../testing/app.ts';
import { useApp } from './app-state.ts';
import { close, open, setSelectedGroups } from './documents.ts';
import { engine } from './engine.ts';
import { clearSelection, measure, select, selectEvent, step } from './selection.ts';
import { fitSelection } from './view.ts';

const DUMP = `/sys/kernel/iommu_groups/3/reserved_regions:0x000000003f000000 0x000000003f7fffff direct
/sys/kernel/iommu_groups/3/reserved_regions:0x00000000fee00000 0x00000000feefffff msi
`;

const get = useApp.getState;

/** The range of the reserved lane that holds an address. */
async function targetOf(address: string): Promise<Target> {
  const found = await engine().call('find', { text: address, limit: 10 });
  const target = found.ok ? found.value.find((row) => row.target?.laneId.endsWith('#reserved'))?.target : undefined;
  if (!target) throw new Error(`nothing is reserved at ${address}`);
  return target;
}

describe('the selection', () => {
  beforeEach(async () => {
    startApp();
    await openText(DUMP);
  });

  test('describes the range, and fits it', async () => {
    await select(await targetOf('0xfee00000'));
    expect(get().selected?.target).toMatchObject({ start: 0xfee00000n, last: 0xfeefffffn });
    const whole = get().view?.unitsPerPixel ?? 0;
    fitSelection();
    expect(get().view?.unitsPerPixel).toBeLessThan(whole);
    await select(undefined);
    expect(get().selected).toBeUndefined();
  });

  test('makes every step, however fast the keys are pressed', async () => {
    void step('next');
    void step('next');
    await step('next');
    const third = get().selected?.target;
    await step('previous');
    await step('next');
    expect(get().selected?.target).toEqual(third);
  });

  test('stays when the lanes change, and ends when its range is gone', async () => {
    await select(await targetOf('0x3f000000'));
    void setSelectedGroups([...get().selectedGroups]);
    await settled();
    expect(get().selected?.target.start).toBe(0x3f000000n);
    void setSelectedGroups([]);
    await expect.poll(() => get().selected).toBeUndefined();
  });

  test('a fact leads to its range, or to a notice if it has none', async () => {
    const [document] = get().documents;
    if (!document) throw new Error('nothing is open');
    await selectEvent(document.id, 2);
    expect(get().selected?.target.start).toBe(0xfee00000n);
    await selectEvent(document.id, 999);
    expect(get().notice).toBe('This fact is not drawn in the picture.');
  });

  test('measures in either direction', () => {
    measure(0x2000n, 0x1000n);
    expect(get().measured).toEqual({ start: 0x1000n, last: 0x2000n });
    clearSelection();
    expect(get().measured).toBeUndefined();
  });

  test('is cleared with the document', async () => {
    await select(await targetOf('0xfee00000'));
    await close(get().documents[0]?.id ?? '');
    expect(get().selected).toBeUndefined();
    expect(get().documents).toEqual([]);
    expect(get().selectedGroups).toEqual([]);
  });
});

describe('outdated descriptions', () => {
  async function held() {
    const holding = new HeldEngine(['describe']);
    startApp(holding);
    await open('host.txt', [{ name: 'host.txt', data: new Blob([DUMP]) }]);
    return holding;
  }

  test('of two selections the later one stays, whichever is answered first', async () => {
    const holding = await held();
    void select(await targetOf('0x3f000000'));
    void select(await targetOf('0xfee00000'));
    await holding.at(1).release();
    await holding.at(0).release();
    expect(get().selected?.target.start).toBe(0xfee00000n);
  });

  test('a description that comes after the selection was cleared is dropped', async () => {
    const holding = await held();
    void select(await targetOf('0x3f000000'));
    clearSelection();
    await holding.at(0).release();
    expect(get().selected).toBeUndefined();
  });

  test('the refreshed description of an old selection does not replace a new one', async () => {
    const holding = await held();
    void select(await targetOf('0x3f000000'));
    await holding.at(0).release();
    void setSelectedGroups([...get().selectedGroups]);
    await settled();
    void select(await targetOf('0xfee00000'));
    await holding.at(2).release();
    await holding.at(1).release();
    expect(get().selected?.target.start).toBe(0xfee00000n);
  });
});
