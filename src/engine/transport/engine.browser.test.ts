import { afterEach, describe, expect, test } from 'vitest';
import { sliceWindow } from '../../timeline/axis/slice.ts';
import { fitAll } from '../../timeline/axis/viewport.ts';
import { EngineClient, type EnginePort } from './client.ts';

let client: EngineClient | undefined;
let worker: Worker | undefined;
const restarts: string[] = [];

function start(): EngineClient {
  client = new EngineClient(
    () => {
      worker = new Worker(new URL('../testing/crashing.worker.ts', import.meta.url), { type: 'module' });
      return worker as EnginePort;
    },
    (reason) => restarts.push(reason),
  );
  return client;
}

afterEach(() => {
  client?.dispose();
  restarts.length = 0;
});

const DUMP = 'cat /sys/kernel/iommu_groups/3/reserved_regions\n0x00000000fee00000 0xffffffffffffffff msi\n';

describe('the engine in a real worker', () => {
  test('opens a gzipped file and answers slices with every bit of the addresses', async () => {
    const engine = start();
    const packed = await new Response(new Blob([DUMP]).stream().pipeThrough(new CompressionStream('gzip'))).blob();
    const opened = await engine.call('open', { id: 'a', title: 'a', files: [{ name: 'a', data: packed }] });
    expect(opened).toMatchObject({ ok: true, value: { case: { hosts: [{ groups: [{ title: 'group 3' }] }] } } });
    const selectedGroups = opened.ok ? opened.value.case.hosts.flatMap(({ groups }) => groups).map((g) => g.key) : [];
    const arranged = await engine.call('arrange', { selectedGroups, expanded: [], scale: 'linear' });
    if (!arranged.ok) throw new Error(arranged.error.message);
    const { scale, revision } = arranged.value;
    const cut = await engine.call('slice', { revision, window: sliceWindow(fitAll(scale, 900)) });
    const row = cut.ok ? cut.value[0]?.lanes[1]?.rows[0] : undefined;
    expect(row?.starts[0]).toBe(0xfee00000n);
    expect(row?.lasts[0]).toBe(0xffffffffffffffffn);
  });

  test('is started again after it died, with what was open', async () => {
    const engine = start();
    await engine.call('open', { id: 'a', title: 'a', files: [{ name: 'a', data: new Blob([DUMP]) }] });
    const first = worker;
    worker?.postMessage('crash');
    await expect.poll(() => restarts).toHaveLength(1);
    expect(restarts[0]).toContain('brought down for a test');
    expect(worker).not.toBe(first);
    const documents = await engine.call('documents', null);
    expect(documents.ok && documents.value.map((d) => d.id)).toEqual(['a']);
  });

  test('reports progress of a large file and lets it be cancelled', async () => {
    const engine = start();
    const controller = new AbortController();
    const files = [{ name: 'big', data: new Blob([DUMP.repeat(400_000)]) }];
    const seen: number[] = [];
    const result = await engine.call(
      'open',
      { id: 'big', title: 'big', files },
      {
        signal: controller.signal,
        onProgress: ({ done }) => {
          seen.push(done);
          if (seen.length === 2) controller.abort();
        },
      },
    );
    expect(result).toMatchObject({ ok: false, error: { code: 'cancelled' } });
    expect(seen.length).toBeGreaterThanOrEqual(2);
    expect(await engine.call('documents', null)).toEqual({ ok: true, value: [] });
  });
});
