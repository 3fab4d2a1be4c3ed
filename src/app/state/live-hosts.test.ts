import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { createEngine } from '../../engine/engine.ts';
import type { CaseNode } from '../../engine/protocol/case.ts';
import type { DocumentNode } from '../../engine/protocol/documents.ts';
import type { LiveState } from '../../engine/protocol/live.ts';
import { type EngineResult, failure } from '../../engine/protocol/result.ts';
import { documentFrom } from '../../engine/testing/documents.ts';
import { inProcessEngine } from '../../engine/transport/in-process.ts';
import { HeldEngine, settled, startApp } from '../testing/app.ts';
import { useApp } from './app-state.ts';
import { close, open } from './documents.ts';
import { connectFromUrl, connectLive, setFollowing } from './live-hosts.ts';

const URL = 'http://127.0.0.1:8750/#live=secret';
const MSI = '/sys/kernel/iommu_groups/1/reserved_regions:0x00000000fee00000 0x00000000feefffff msi\n';

const get = useApp.getState;
const STATE: LiveState = { connection: 'live', message: '', name: 'maple', sequence: 1, lost: 0, changes: [] };

let held: HeldEngine | undefined;

/** An engine that follows a host without an agent: the document is there, and progress comes from the test. */
async function liveEngine() {
  const document = await documentFrom('maple', { 'maple.txt': MSI });
  const engine = new HeldEngine(['live', 'case', 'seek'], inProcessEngine(createEngine([document])));
  held = engine;
  startApp(engine);
  const nodes = await inProcessEngine(createEngine([document])).call('documents', null);
  const [node] = nodes.ok ? nodes.value : [];
  if (!node) throw new Error('no document');
  const report = (state: Partial<LiveState>, changed: Partial<DocumentNode> = {}) => {
    // The id of the connection is chosen by the page.
    const { id } = engine.at(0).params as { id: string };
    const live = { node: { ...node, id, ...changed }, state: { ...STATE, ...state } };
    engine.at(0).options?.onProgress?.({ done: 0, what: 'live', live });
  };
  return { engine, node, report };
}

/** The engine's answer about a case of these hosts. */
function caseOf(...hosts: DocumentNode[]): EngineResult<CaseNode> {
  return { ok: true, value: { hosts, sessions: [], devices: [], missing: [], toldKernels: [], knownKernels: [] } };
}

describe('a live host', () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  });
  afterEach(async () => {
    // Nothing of a test may be left for the next one.
    await vi.runOnlyPendingTimersAsync();
    for (const call of held?.held ?? []) {
      await call.answer(call.method === 'case' ? caseOf() : failure('cancelled', 'cancelled'));
    }
    vi.useRealTimers();
    vi.unstubAllGlobals();
  });

  test('an unusable URL is said, and nothing is connected', async () => {
    const { engine } = await liveEngine();
    expect(connectLive('http://127.0.0.1:8750/')).toContain('token');
    expect(connectLive('nonsense')).toContain('expected');
    expect(engine.held).toHaveLength(0);
  });

  test('replaces the sample, and is drawn once for all changes of a quarter of a second', async () => {
    const { engine, node, report } = await liveEngine();
    await open('sample', [{ name: 's', data: new Blob([MSI]) }], { isSample: true });
    connectLive(URL);
    expect(engine.at(0).params).toMatchObject({ url: 'ws://127.0.0.1:8750/live', token: 'secret' });
    report({});
    report({ sequence: 2 });
    report({ sequence: 3 });
    await vi.advanceTimersByTimeAsync(249);
    expect(engine.held).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(1);
    expect(engine.held).toHaveLength(2);
    const { id } = engine.at(0).params as { id: string };
    await engine.at(1).answer(caseOf({ ...node, id }));
    await expect.poll(() => get().documents.map((d) => d.id)).toEqual(['maple', id]);
    expect(get().sampleIds).toEqual([]);
    expect(get().live[id]).toMatchObject({ connection: 'live', sequence: 3 });
  });

  test('losing the connection, getting it back and changes are announced', async () => {
    const { report } = await liveEngine();
    connectLive(URL);
    report({ connection: 'connecting' }, { title: 'maple' });
    report({ connection: 'live' }, { title: 'maple' });
    expect(get().notice).toBe('maple: connected');
    report({ connection: 'waiting' }, { title: 'maple' });
    expect(get().notice).toBe('maple: connection lost, reconnecting…');
    report(
      { connection: 'waiting', changes: [{ position: 5, time: 1, labels: ['+ group 7', '− group 8', '+ group 9'] }] },
      { title: 'maple' },
    );
    expect(get().notice).toBe('maple: + group 7, − group 8');
  });

  test('a restarted engine connects again; a refused connection is an error', async () => {
    const { engine } = await liveEngine();
    connectLive(URL);
    await engine.at(0).answer(failure('engine-restarted', 'restarted'));
    expect(engine.held).toHaveLength(2);
    expect(engine.at(1).params).toEqual(engine.at(0).params);
    await engine.at(1).answer(failure('unusable', 'origin not allowed'));
    expect(get().problem).toMatchObject({ title: '127.0.0.1:8750: disconnected', message: 'origin not allowed' });
    expect(engine.held).toHaveLength(2);
  });

  test('closing it ends the connection without an error', async () => {
    const { engine } = await liveEngine();
    connectLive(URL);
    const { params, options } = engine.at(0);
    await close((params as { id: string }).id);
    expect(options?.signal?.aborted).toBe(true);
    await engine.at(0).answer(failure('cancelled', 'cancelled'));
    expect(get().problem).toBeUndefined();
  });

  test('a paused host keeps its moment while its list of events grows', async () => {
    const { engine, node, report } = await liveEngine();
    const shown: DocumentNode = { ...node, position: 1, live: { isFollowing: false } };
    useApp.setState({ documents: [shown], selectedGroups: [] });
    connectLive(URL);
    const { id } = engine.at(0).params as { id: string };
    useApp.setState({ documents: [{ ...shown, id }] });
    report({});
    await vi.advanceTimersByTimeAsync(250);
    await engine.at(1).answer(caseOf({ ...shown, id, events: node.events + 3 }));
    await settled();
    expect(get().documents[0]).toMatchObject({ position: 1, events: node.events + 3 });
    expect(get().picture).toBeUndefined();
    void setFollowing(id, true);
    expect(engine.at(2).params).toEqual({ id, position: Number.MAX_SAFE_INTEGER, follow: true });
  });

  test('the token is removed from the URL of the page', async () => {
    const { engine } = await liveEngine();
    const replaceState = vi.fn();
    vi.stubGlobal('history', { replaceState });
    vi.stubGlobal('location', { hash: '', href: 'http://127.0.0.1:8750/', pathname: '/', search: '' });
    expect(connectFromUrl()).toBe(false);
    vi.stubGlobal('location', { hash: '#live=secret', href: URL, pathname: '/', search: '' });
    expect(connectFromUrl()).toBe(true);
    expect(replaceState).toHaveBeenCalledWith(null, '', '/');
    expect(engine.held).toHaveLength(1);
    vi.stubGlobal('location', { hash: '#live=', href: 'http://127.0.0.1:8750/#live=', pathname: '/', search: '' });
    expect(connectFromUrl()).toBe(false);
    expect(get().problem?.title).toBe('The live host was not opened');
  });
});
