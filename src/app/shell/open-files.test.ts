import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Params } from '../../engine/protocol/methods.ts';
import { range } from '../../iova/range.ts';
import { useApp } from '../state/app-state.ts';
import { engine } from '../state/engine.ts';
import { openRanges } from '../state/open-ranges.ts';
import { HeldEngine, startApp } from '../testing/app.ts';
import { openPicked, openSample, openTransfer, titleOf } from './open-files.ts';
import { SAMPLES } from './samples.ts';

const MSI = '0x00000000fee00000 0x00000000feefffff msi\n';
const get = useApp.getState;
const titles = () => get().documents.map(({ title }) => title);

/** A file as a drop has it. */
function fileEntry(fullPath: string, text: string) {
  return {
    isFile: true,
    isDirectory: false,
    fullPath,
    name: fullPath,
    file: (take: (file: Blob) => void) => take(new Blob([text])),
  };
}

/** A folder whose reader answers in batches, as browsers do. */
function folderEntry(fullPath: string, batches: readonly (readonly object[])[]) {
  const rest = [...batches, []];
  const reader = { readEntries: (take: (entries: readonly object[]) => void) => take(rest.shift() ?? []) };
  return { isFile: false, isDirectory: true, fullPath, name: fullPath, createReader: () => reader };
}

/** An input with picked files, which makes each when it is taken. */
function picker(files: readonly File[]) {
  let taken = 0;
  const list = new Proxy(files, {
    get(target, key) {
      if (typeof key === 'string' && /^\d+$/.test(key)) taken++;
      return Reflect.get(target, key);
    },
  });
  const input = { files: list as unknown as FileList, value: 'C:\\fakepath\\f', taken: () => taken };
  return input as typeof input & HTMLInputElement;
}

function transfer(entries: readonly object[], text = ''): DataTransfer {
  const items = entries.map((entry) => ({ kind: 'file', webkitGetAsEntry: () => entry }));
  return { items, files: [], getData: () => text } as unknown as DataTransfer;
}

describe('opening', () => {
  beforeEach(() => {
    startApp();
  });
  afterEach(() => {
    vi.unstubAllGlobals();
  });

  test('several files are called by their folder, or by the first of them', () => {
    expect(titleOf(['dmesg.txt'])).toBe('dmesg.txt');
    expect(titleOf(['a.txt', 'b.txt', 'c.txt'])).toBe('a.txt and 2 more');
    expect(titleOf(['host/a.txt', 'host/b/c.txt'])).toBe('host');
    expect(titleOf(['host/a.txt', 'other/c.txt'])).toBe('host/a.txt and 1 more');
    expect(titleOf(['host2/a', 'host/b'])).toBe('host2/a and 1 more');
  });

  test('a dropped folder is read whole', async () => {
    const folder = folderEntry('/iommu_groups', [
      [folderEntry('/iommu_groups/2', [[fileEntry('/iommu_groups/2/reserved_regions', MSI)]])],
      [folderEntry('/iommu_groups/10', [[fileEntry('/iommu_groups/10/reserved_regions', MSI)]])],
    ]);
    expect(openTransfer(transfer([folder]))).toBe(true);
    await expect.poll(() => titles()).toEqual(['iommu_groups']);
    expect(get().documents[0]?.groups.map(({ title }) => title)).toEqual(['group 2', 'group 10']);
  });

  test('files of a folder are read in the order of names, below its path', async () => {
    const held = new HeldEngine(['open']);
    startApp(held);
    const files = ['/host/b.txt', '/host/a.txt', '/host/c.txt'].map((name) => fileEntry(name, MSI));
    openTransfer(transfer([folderEntry('/host', [files.slice(0, 2), files.slice(2)])]));
    await expect.poll(() => held.held.length).toBeGreaterThan(0);
    const { files: opened } = held.at(0).params as Params<'open'>;
    expect(opened.map(({ name }) => name)).toEqual(['host/a.txt', 'host/b.txt', 'host/c.txt']);
  });

  test('a drop that cannot be read is an error', async () => {
    const broken = {
      ...fileEntry('/x', ''),
      file: (_: unknown, fail: (error: Error) => void) => fail(new Error('gone')),
    };
    openTransfer(transfer([broken]));
    await expect.poll(() => get().problem).toMatchObject({ title: 'The drop could not be read', message: 'gone' });
  });

  test('a pasted text is opened, and nothing if there is none', async () => {
    expect(openTransfer(transfer([], '  \n'))).toBe(false);
    expect(openTransfer(transfer([], MSI))).toBe(true);
    await expect.poll(() => titles()).toEqual(['Host A']);
  });

  test('picked files keep their path', async () => {
    const file = Object.assign(new File([MSI], 'reserved_regions'), {
      webkitRelativePath: 'iommu_groups/7/reserved_regions',
    });
    const one = picker([file]);
    await openPicked(one);
    expect(get().documents[0]?.groups.map(({ title }) => title)).toEqual(['group 7']);
    expect(one.value).toBe('');
    await openPicked(picker([]));
    expect(titles()).toEqual(['iommu_groups']);
  });

  test('of many picked files only some are taken before the page gets its turn, and then the others', async () => {
    const held = new HeldEngine(['open', 'stage']);
    startApp(held);
    const many = picker(Array.from({ length: 2500 }, (_, i) => new File([''], `f${i}`)));
    void openPicked(many);
    expect(many.taken()).toBeGreaterThan(0);
    expect(many.taken()).toBeLessThanOrEqual(1000);
    expect(many.value).not.toBe('');
    await expect.poll(() => held.held.length).toBeGreaterThan(0);
    expect(many.taken()).toBe(2500);
    expect(many.value).toBe('');
  });

  test('what is picked while many files are taken is not lost', async () => {
    const held = new HeldEngine(['open', 'stage']);
    startApp(held);
    const many = picker(Array.from({ length: 1500 }, (_, i) => new File([''], `f${i}`)));
    void openPicked(many);
    const later = picker([new File([MSI], 'later')]);
    many.files = later.files;
    await expect.poll(() => held.held.length).toBeGreaterThan(0);
    expect(many.value).not.toBe('');
  });

  test('a sample is fetched and opened; a missing file is an error', async () => {
    const fetched = vi.fn(async (_url: string) => new Response(MSI));
    vi.stubGlobal('fetch', fetched);
    await openSample(SAMPLES[0]);
    expect(fetched.mock.calls.map(([url]) => url)).toContain('/samples/x86-vtd-39bit-rmrr/dmesg.txt');
    expect(get().sampleIds).toEqual(get().documents.map(({ id }) => id));
    vi.stubGlobal('fetch', async () => new Response('', { status: 404, statusText: 'Not Found' }));
    await openSample(SAMPLES[0]);
    expect(get().problem?.message).toBe('samples/x86-vtd-39bit-rmrr/iommu_groups.txt: 404 Not Found');
  });

  test('the ranges of a buffer become a session', async () => {
    const text =
      '03000000480000000010402000000000' /* argsz, flags, page sizes */ + '1800000000000000' /* cap_offset */;
    const decoded = await engine().call('decode', { text, struct: 'vfio_iommu_type1_info' });
    if (!decoded.ok) throw new Error(decoded.error.message);
    await openRanges({ ...decoded.value, ranges: [] });
    expect(titles()).toEqual([]);
    const ranges = [range(0x1000n, 0x1fffn)];
    await openRanges({ ...decoded.value, ranges, rangesAre: 'reserved' });
    await openRanges({ ...decoded.value, ranges, rangesAre: 'valid', pageSizes: 0x1000n });
    expect(titles()).toEqual(['Host A']);
    const lanes = get().picture?.arrangement.spaces.flatMap((space) => space.lanes.map(({ title }) => title));
    expect(lanes).toContain('reserved');
    expect(lanes).toContain('aperture');
  });
});
