import { beforeEach, describe, expect, test } from 'vitest';
import { failure, success } from '../../engine/protocol/result.ts';
import { selectableKeys } from '../../engine/protocol/selection.ts';
import { visibleRange } from '../../timeline/axis/viewport.ts';
import { HeldEngine, openText, settled, startApp } from '../testing/app.ts';
import { useApp } from './app-state.ts';
import { compareInPicture } from './comparison.ts';
import { setSelectedGroups } from './documents.ts';
import { arrange, ensureSlices, setScale, toggleLane } from './picture.ts';
import { panBy, setPlotWidth, showAll, showRange, zoomBy } from './view.ts';

const DUMP = `/sys/kernel/iommu_groups/3/reserved_regions:0x000000003f000000 0x000000003f7fffff direct
/sys/kernel/iommu_groups/3/reserved_regions:0x00000000fee00000 0x00000000feefffff msi
/sys/kernel/iommu_groups/4/reserved_regions:0x00000000fee00000 0x00000000feefffff msi
`;

const get = useApp.getState;

function visible() {
  const { view, picture } = get();
  if (!view || !picture) throw new Error('there is no picture');
  return visibleRange(view, picture.arrangement.scale);
}

describe('the picture', () => {
  beforeEach(async () => {
    startApp();
    await openText(DUMP);
  });

  test('is drawn after opening, with the whole space in view', () => {
    expect(get().drawn).toBe(true);
    expect(get().picture?.arrangement.spaces).toHaveLength(1);
    expect(visible()).toEqual({ start: 0n, last: 0xffff_ffff_ffff_ffffn });
  });

  test('keeps the visible addresses on another scale', async () => {
    showRange(0xfee00000n, 0xfeefffffn);
    const before = visible();
    setScale('linear');
    await expect.poll(() => get().picture?.arrangement.scale.kind).toBe('linear');
    const after = visible();
    // To a pixel of the plot on either scale.
    const tolerance = (before.last - before.start) / 100n;
    expect(after.start - before.start).toBeLessThanOrEqual(tolerance);
    expect(before.start - after.start).toBeLessThanOrEqual(tolerance);
    expect(after.last - before.last).toBeLessThanOrEqual(tolerance);
    expect(before.last - after.last).toBeLessThanOrEqual(tolerance);
  });

  test('a lane is expanded and collapsed', async () => {
    // Both groups: one that cannot be assigned is not selected by itself.
    void setSelectedGroups(get().documents.flatMap(selectableKeys));
    await settled();
    const lane = get().picture?.arrangement.spaces[0]?.lanes.find(({ title }) => title === 'reserved');
    const drawn = () => get().picture?.slices[0]?.lanes.find(({ id }) => id === lane?.id);
    expect(drawn()?.expanded).toBe(false);
    toggleLane(lane?.id ?? '');
    await expect.poll(() => drawn()?.expanded).toBe(true);
    toggleLane(lane?.id ?? '');
    await expect.poll(() => drawn()?.expanded).toBe(false);
  });

  test('zooming and panning request slices that cover the view', async () => {
    const cut = get().picture?.window;
    for (let i = 0; i < 20; i++) zoomBy(450, 1.5);
    panBy(-200);
    await expect.poll(() => get().picture?.window).not.toEqual(cut);
    showAll();
    expect(visible()).toEqual({ start: 0n, last: 0xffff_ffff_ffff_ffffn });
  });

  test('another width of the plot keeps everything in view', () => {
    setPlotWidth(400);
    expect(get().view?.width).toBe(400);
    expect(visible()).toEqual({ start: 0n, last: 0xffff_ffff_ffff_ffffn });
  });
});

describe('outdated answers', () => {
  test('of two arrangements only the later one is drawn, whichever is answered first', async () => {
    const engine = new HeldEngine(['arrange']);
    startApp();
    startApp(engine);
    const first = arrange('all');
    const second = arrange('all');
    await engine.at(1).release();
    const drawn = get().picture;
    expect(drawn?.arrangement).toBeDefined();
    await engine.at(0).release();
    await Promise.all([first, second]);
    expect(get().picture).toBe(drawn);
  });

  test('slices of an earlier arrangement are dropped', async () => {
    const engine = new HeldEngine(['slice']);
    startApp(engine);
    const first = arrange('all');
    await settled();
    const second = arrange('all');
    await settled();
    await engine.at(0).answer(success([]));
    expect(get().picture).toBeUndefined();
    await engine.at(1).release();
    await Promise.all([first, second]);
    expect(get().picture).toBeDefined();
  });

  test('the plot may get another width while slices are cut: everything stays in view', async () => {
    const engine = new HeldEngine(['slice']);
    startApp(engine);
    const done = arrange('all');
    await expect.poll(() => engine.held.length).toBeGreaterThan(0);
    setPlotWidth(885);
    await engine.at(0).release();
    await done;
    expect(get().view?.width).toBe(885);
    expect(visible()).toEqual({ start: 0n, last: 0xffff_ffff_ffff_ffffn });
  });

  test('the view may be moved while slices are cut for new lanes: it stays where it was moved to', async () => {
    const engine = new HeldEngine(['slice']);
    startApp(engine);
    const first = arrange('all');
    await expect.poll(() => engine.held.length).toBe(1);
    await engine.at(0).release();
    await first;
    const again = arrange('view');
    await expect.poll(() => engine.held.length).toBe(2);
    for (let i = 0; i < 3; i++) zoomBy(450, 1.5);
    const moved = visible();
    await engine.at(1).release();
    await again;
    expect(visible()).toEqual(moved);
    expect(moved).not.toEqual({ start: 0n, last: 0xffff_ffff_ffff_ffffn });
    // Those that the moved view requested.
    for (let i = 2; i < engine.held.length; i++) await engine.at(i).release();
  });

  test('while slices are requested for one view, others wait for the answer', async () => {
    const engine = new HeldEngine(['slice']);
    startApp(engine);
    void arrange('all');
    await settled();
    await engine.at(0).release();
    for (let i = 0; i < 30; i++) zoomBy(450, 2);
    ensureSlices();
    expect(engine.held).toHaveLength(2);
    for (let i = 0; i < 10; i++) zoomBy(450, 0.5);
    expect(engine.held).toHaveLength(2);
    await engine.at(1).release();
    // The view has moved on meanwhile.
    expect(engine.held).toHaveLength(3);
    await engine.at(2).release();
  });

  test('a failed arrangement is shown, unless the engine was restarted', async () => {
    const engine = new HeldEngine(['arrange']);
    startApp(engine);
    const first = arrange('all');
    await engine.at(0).answer(failure('engine-restarted', 'restarted'));
    await first;
    expect(get().problem).toBeUndefined();
    const second = arrange('all');
    await engine.at(1).answer(failure('bug', 'broken'));
    await second;
    expect(get().problem).toMatchObject({ title: 'The lanes could not be laid out', message: 'broken' });
  });
});

test('a document can be drawn under several models', async () => {
  startApp();
  const id = await openText(
    '{"format":"iova-trace","version":1,"model":"iommufd"}\n{"op":"ioas.alloc","ioas":"a"}\n',
    'a.iova.jsonl',
  );
  const under = ['iommufd', 'iommufd-rfc'];
  compareInPicture({ id, under, shows: ['each'] });
  await expect.poll(() => get().picture?.arrangement.spaces).toHaveLength(2);
  compareInPicture({ id, under, shows: ['differences'] });
  const lanes = () => get().picture?.arrangement.spaces.map((space) => space.lanes[0]?.title);
  await expect.poll(() => lanes()).toEqual(['what differs']);
  compareInPicture({ id, under, shows: [] });
  await expect.poll(() => lanes()).toEqual(['aperture']);
});
