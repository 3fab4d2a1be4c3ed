import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { OpenCase } from '../case/open-case.ts';
import { readSources } from '../case/source.ts';
import { moveTo } from '../documents/document.ts';
import { inputOf } from '../documents/read-document.ts';
import type { Progress } from '../protocol/methods.ts';
import { FakeAgent } from '../testing/fake-agent.ts';
import { follow } from './follow.ts';
import type { LiveConnection } from './live.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const group = (name: string) => JSON.stringify({ kind: 'group', group: name, devices: [] });
const region = (name: string) =>
  JSON.stringify({ kind: 'reserved', start: '0x0', last: '0xfff', type: 'msi', group: name });
const MAP = JSON.stringify({ kind: 'map', start: '0x1000', last: '0x1fff', origin: 'ftrace' });
const WARNING = JSON.stringify({ kind: 'diagnostic', severity: 'warning', code: 'x', message: 'y' });

/** A followed host after its welcome, and what the page was told. */
function followed() {
  const agent = new FakeAgent();
  const open = new OpenCase();
  const links = new Map<string, LiveConnection>();
  const reports: Progress[] = [];
  const abort = new AbortController();
  const context = { signal: abort.signal, progress: (report: Progress) => void reports.push(report) };
  const done = follow({ id: 'l', title: 'host', url: 'ws://x', token: 't' }, open, links, context, agent.open);
  agent.accept();
  agent.welcome('run', 0, 'maple');
  const live = () => {
    const document = open.documents.get('l');
    if (!document) throw new Error('no document');
    return document;
  };
  const settle = () => vi.advanceTimersByTimeAsync(100);
  return { agent, open, live, links, reports, abort, done, settle };
}

describe('a live document', () => {
  test('grows with what the agent reports, and tells the page after a tenth of a second', async () => {
    const { agent, live, reports, settle } = followed();
    agent.snapshot(1, [group('1'), region('1')]);
    expect([live().session.events.length, live().host.groups.length, reports.length]).toEqual([2, 0, 0]);
    await vi.advanceTimersByTimeAsync(99);
    expect(reports).toEqual([]);
    await vi.advanceTimersByTimeAsync(1);
    expect(live()).toMatchObject({ title: 'maple', position: 2 });
    expect(live().host.groups.map(({ group }) => group)).toEqual(['1']);
    expect(reports).toMatchObject([
      { done: 2, what: 'maple', live: { node: { events: 2 }, state: { connection: 'live' } } },
    ]);
    agent.change(2, [group('2')], [], 5);
    agent.change(3, [group('3')], [], 6);
    await settle();
    expect(live().host.groups.map(({ group }) => group)).toEqual(['1', '2', '3']);
    expect(reports).toHaveLength(2);
  });

  test('facts that no longer hold leave its host', async () => {
    const { agent, live, settle } = followed();
    agent.snapshot(1, [group('1'), group('2')]);
    agent.change(2, [], [group('1')], 5);
    await settle();
    expect(live().hasGone).toBe(true);
    expect(live().host.groups.map(({ group }) => group)).toEqual(['2']);
    expect(live().position).toBe(3);
  });

  test('shows a mapping that is traced twice once, with its device', async () => {
    const { agent, live, settle, abort, done } = followed();
    const range = { start: '0x1000', last: '0x1fff', origin: 'ftrace', source: 'maple', paddr: '0x7000' };
    const traced = (...more: object[]) => more.map((one) => JSON.stringify({ kind: 'map', ...range, ...one }));
    const shown = () => live().mappings.map(({ title, facts }) => [title, facts.length]);
    agent.snapshot(1, [group('1')]);
    await settle();
    agent.stream(2, traced({}, { device: '0000:01:00.0' }, { start: '0x5000', last: '0x5fff' }), 0);
    await settle();
    expect(shown()).toEqual([['0000:01:00.0', 1]]);
    // Of the other one no device follows, and nothing else does.
    await settle();
    expect(shown()).toEqual([
      ['0000:01:00.0', 1],
      ['kernel trace', 1],
    ]);
    expect(live().position).toBe(4);
    agent.stream(3, traced({ start: '0x9000', last: '0x9fff' }), 0);
    abort.abort();
    await done;
    expect(shown()).toEqual([
      ['0000:01:00.0', 1],
      ['kernel trace', 2],
    ]);
  });

  test('stays at a moment while it is not followed', async () => {
    const { agent, live, settle } = followed();
    agent.snapshot(1, [group('1')]);
    await settle();
    moveTo(live(), 1, false);
    agent.change(2, [group('2')], [], 5);
    await settle();
    expect([live().position, live().host.groups.length, live().session.events.length]).toEqual([1, 1, 2]);
    moveTo(live(), 2);
    expect(live().host.groups).toHaveLength(2);
    agent.change(3, [group('3')], [], 6);
    await settle();
    expect([live().position, live().host.groups.length]).toEqual([3, 3]);
  });

  test('has the mappings of its trace; a trace alone does not change its host', async () => {
    const { agent, live, settle } = followed();
    agent.snapshot(1, [group('1')]);
    await settle();
    const { host } = live();
    agent.stream(2, [MAP], 0);
    await settle();
    await settle();
    expect(live().mappings.map(({ facts }) => facts.length)).toEqual([1]);
    expect([live().host === host, live().position]).toEqual([true, 2]);
  });

  test('keeps unknown lines as they came, and lists diagnostics', async () => {
    const { agent, live, settle } = followed();
    const later = '{"kind":"later","x":1}';
    agent.snapshot(1, [group('1'), later, WARNING]);
    await settle();
    expect([...live().session.verbatim.events]).toEqual([[1, `${later}\n`]]);
    expect(live().diagnostics).toMatchObject([{ severity: 'warning', code: 'x', message: 'y', source: 'host' }]);
    const many = Array.from({ length: 510 }, (_, i) => WARNING.replace('"y"', `"y${i}"`));
    agent.change(2, many, [], 5);
    await settle();
    expect(live().diagnostics).toHaveLength(500);
  });

  test('can be asked for more while it is connected', () => {
    const { agent, links } = followed();
    links.get('l')?.ask('trace');
    expect(agent.sent.at(-1)).toEqual({ type: 'ask', what: 'trace' });
  });

  test('stays open when it is ended, as it was last', async () => {
    const { agent, live, links, reports, abort, done } = followed();
    agent.snapshot(1, [group('1')]);
    abort.abort();
    expect(await done).toBeUndefined();
    expect(links.size).toBe(0);
    expect(live().host.groups).toHaveLength(1);
    expect(reports.at(-1)?.live?.state.connection).toBe('ended');
    const told = reports.length;
    await vi.advanceTimersByTimeAsync(1000);
    expect(reports).toHaveLength(told);
  });
});

describe('a live host in a case', () => {
  const context = { signal: new AbortController().signal, progress: () => undefined };

  async function open(text: string) {
    const started = followed();
    const file = { name: 'dump', data: new Blob([text]) };
    started.open.add(await readSources([{ input: inputOf(file), file }], { context }));
    return started;
  }
  const hosts = (all: OpenCase) => [...all.documents.values()].map(({ title, origins }) => [title, origins.length]);

  test('joins the host whose dumps do not contradict it, and moments are those of that host', async () => {
    const { agent, open: all, settle, reports } = await open('/sys/kernel/iommu_groups/1/devices/0000:01:00.0\n');
    agent.snapshot(1, [JSON.stringify({ kind: 'group', group: '1', devices: ['0000:01:00.0'] }), region('1')]);
    await settle();
    expect(hosts(all)).toEqual([['maple', 2]]);
    agent.change(2, [group('2')], [region('1')], 5);
    await settle();
    const [document] = all.documents.values();
    expect(document?.host.groups.map(({ group: name, regions }) => [name, regions.length])).toEqual([
      ['1', 0],
      ['2', 0],
    ]);
    const live = reports.at(-1)?.live;
    expect([live?.node.id, live?.state.changes.at(-1)?.position]).toEqual([
      document?.id,
      document?.session.events.length,
    ]);
  });

  test('is a host of its own if they do; closing it ends its connection', async () => {
    const { agent, open: all, settle, links, done } = await open('/sys/kernel/iommu_groups/1/devices/0000:02:00.0\n');
    agent.snapshot(1, [JSON.stringify({ kind: 'group', group: '1', devices: ['0000:01:00.0'] })]);
    await settle();
    expect(hosts(all)).toEqual([
      ['maple', 1],
      ['Host A', 1],
    ]);
    const link = links.get('l');
    all.close('l');
    link?.stop();
    expect(await done).toBeUndefined();
    expect(hosts(all)).toEqual([['Host A', 1]]);
  });
});
