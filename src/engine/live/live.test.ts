import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { SessionEvent } from '../../session/events.ts';
import { LIVE_CLOSE, LIVE_VERSION } from '../../session/live.ts';
import { FakeAgent } from '../testing/fake-agent.ts';
import { LiveConnection } from './live.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const group = (name: string, ...devices: readonly string[]) => JSON.stringify({ kind: 'group', group: name, devices });
const MAP = JSON.stringify({ kind: 'map', start: '0x1000', last: '0x1fff', origin: 'page-table' });

/** A connection, its agent, and what arrived in the session. */
function connected() {
  const agent = new FakeAgent();
  const events: SessionEvent[] = [];
  const lines: (string | undefined)[] = [];
  const settled: boolean[] = [];
  let changes = 0;
  const sink = {
    get length() {
      return events.length;
    },
    add(event: SessionEvent, line?: string) {
      events.push(event);
      lines.push(line);
    },
    settled: (isFacts: boolean) => void settled.push(isFacts),
  };
  const connection = new LiveConnection({ url: 'ws://x/live', token: 'secret' }, sink, () => changes++, agent.open);
  const abort = new AbortController();
  let ended: string | undefined | null = null;
  void connection.run(abort.signal).then((problem) => {
    ended = problem;
  });
  return { agent, connection, events, lines, settled, abort, changes: () => changes, ended: () => ended };
}

/** The same, after the welcome. */
function live() {
  const all = connected();
  all.agent.accept();
  all.agent.welcome('run 1', 0, 'maple');
  return all;
}

describe('connecting', () => {
  test('asks for the protocol with the token, and says hello', () => {
    const { agent, connection } = connected();
    expect(agent.opened).toEqual([
      { url: 'ws://x/live', protocols: [expect.any(String), expect.stringMatching(/secret$/)] },
    ]);
    expect(connection.state).toMatchObject({ connection: 'connecting', message: '', name: '', sequence: 0, lost: 0 });
    agent.accept();
    expect(agent.sent).toEqual([{ type: 'hello', version: LIVE_VERSION }]);
    agent.welcome('run 1', 0, 'maple');
    expect(connection.state).toMatchObject({ connection: 'live', name: 'maple' });
  });

  test('waits half a second after a lost connection, then twice as long, up to fifteen seconds', async () => {
    const { agent, connection } = connected();
    const pauses: number[] = [];
    for (let i = 0; i < 8; i++) {
      agent.drop(1006);
      expect(connection.state).toMatchObject({ connection: 'waiting', message: 'cannot reach the agent' });
      const before = agent.opened.length;
      let waited = 0;
      while (agent.opened.length === before) {
        await vi.advanceTimersByTimeAsync(100);
        waited += 100;
      }
      pauses.push(waited);
    }
    expect(pauses).toEqual([500, 1000, 2000, 4000, 8000, 15_000, 15_000, 15_000]);
  });

  test('begins with the shortest pause again after a welcome', async () => {
    const { agent } = connected();
    for (const pause of [500, 1000]) {
      agent.drop(1006);
      await vi.advanceTimersByTimeAsync(pause);
    }
    agent.accept();
    agent.welcome('run 1', 0);
    const before = agent.opened.length;
    agent.drop(1006);
    await vi.advanceTimersByTimeAsync(499);
    expect(agent.opened.length).toBe(before);
    await vi.advanceTimersByTimeAsync(1);
    expect(agent.opened.length).toBe(before + 1);
  });

  test('asks for what it missed', async () => {
    const { agent } = live();
    agent.snapshot(4, [group('1')]);
    agent.drop(1006, 'restarting');
    await vi.advanceTimersByTimeAsync(500);
    agent.accept();
    expect(agent.sent.at(-1)).toEqual({ type: 'hello', version: LIVE_VERSION, resume: { run: 'run 1', sequence: 4 } });
  });

  test('says why the connection was closed', () => {
    const { agent, connection } = live();
    agent.drop(1006, 'going down');
    expect(connection.state.message).toBe('going down');
  });

  test('gives up where trying again is useless', async () => {
    const { agent, connection, ended } = connected();
    agent.drop(LIVE_CLOSE.token.code);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(ended()).toBe(LIVE_CLOSE.token.message);
    expect(connection.state).toMatchObject({ connection: 'ended', message: LIVE_CLOSE.token.message });
    expect(agent.opened).toHaveLength(1);
  });

  test('gives up if the agent speaks another version', async () => {
    const { agent, ended } = connected();
    agent.accept();
    agent.send({ type: 'welcome', version: LIVE_VERSION + 1, run: 'r', sequence: 0, name: '' });
    await vi.advanceTimersByTimeAsync(0);
    expect(ended()).toContain(`agent ${LIVE_VERSION + 1}, page ${LIVE_VERSION}`);
    expect(agent.closed).toEqual([1000]);
  });

  test('ends when it is told to, and then hears nothing', async () => {
    const { agent, connection, events, abort, ended } = live();
    abort.abort();
    await vi.advanceTimersByTimeAsync(60_000);
    expect([ended(), connection.state.connection, agent.closed]).toEqual([undefined, 'ended', [1000]]);
    agent.snapshot(1, [group('1')]);
    agent.drop(1006);
    await vi.advanceTimersByTimeAsync(60_000);
    expect([events, agent.opened.length]).toEqual([[], 1]);
  });

  test('does not begin if it was ended before', async () => {
    const agent = new FakeAgent();
    const sink = { length: 0, add: () => undefined, settled: () => undefined };
    const connection = new LiveConnection({ url: 'x', token: 'y' }, sink, () => undefined, agent.open);
    expect(await connection.run(AbortSignal.abort())).toBeUndefined();
    expect(agent.opened).toEqual([]);
  });

  test('an address that no socket takes is a problem', async () => {
    const sink = { length: 0, add: () => undefined, settled: () => undefined };
    const open = () => {
      throw new SyntaxError('bad URL');
    };
    const connection = new LiveConnection({ url: 'x', token: 'y' }, sink, () => undefined, open);
    expect(await connection.run(new AbortController().signal)).toBe('bad URL');
  });
});

describe('messages', () => {
  test('a snapshot is the first state: its facts, but no change', () => {
    const { agent, connection, events, lines, settled } = live();
    agent.snapshot(1, [group('1'), group('2')], { time: 50 });
    expect(events).toMatchObject([
      { kind: 'group', group: '1', seen: 50 },
      { kind: 'group', group: '2', seen: 50 },
    ]);
    expect(lines).toEqual([group('1'), group('2')]);
    expect(connection.state).toMatchObject({ sequence: 1, changes: [] });
    expect(settled).toEqual([true]);
  });

  test('a snapshot in parts counts when it is whole', () => {
    const { agent, connection, events } = live();
    agent.snapshot(1, [group('1')], { part: 0, parts: 2 });
    expect([events.length, connection.state.sequence]).toEqual([0, 0]);
    agent.snapshot(1, [group('2')], { part: 1, parts: 2 });
    expect([events.length, connection.state.sequence]).toEqual([2, 1]);
  });

  test('a part without those before it is ignored', () => {
    const { agent, events } = live();
    agent.snapshot(1, [group('2')], { part: 1, parts: 2 });
    expect(events).toEqual([]);
  });

  test('a further snapshot is what differs from what is known', () => {
    const { agent, connection, events } = live();
    agent.snapshot(1, [group('1'), group('2')]);
    agent.snapshot(2, [group('2'), group('3')], { time: 60 });
    expect(events.slice(2)).toMatchObject([
      { kind: 'gone', event: 1, time: 60 },
      { kind: 'group', group: '3', seen: 60 },
    ]);
    expect(connection.state.changes).toEqual([{ position: 4, time: 60, labels: ['− group 1', '+ group 3'] }]);
    agent.snapshot(3, [group('2'), group('3')]);
    expect(events).toHaveLength(4);
  });

  test('a change names what it adds and what is gone; what is unknown or known already does not count', () => {
    const { agent, connection, events } = live();
    agent.snapshot(1, [group('1')]);
    agent.change(2, [group('1'), group('2')], [group('9')], 70);
    expect(events.slice(1)).toMatchObject([{ kind: 'group', group: '2' }]);
    agent.change(3, [], [group('2')], 71);
    expect(events.at(-1)).toMatchObject({ kind: 'gone', event: 2, time: 71 });
    expect(connection.state.changes.map(({ labels }) => labels)).toEqual([['+ group 2'], ['− group 2']]);
    agent.change(4, [group('2')], [], 72);
    expect(events.at(-1)).toMatchObject({ kind: 'group', group: '2' });
  });

  test('a mapping that is gone was unmapped', () => {
    const { agent, events } = live();
    agent.snapshot(1, [MAP]);
    expect(events[0]).not.toHaveProperty('seen');
    agent.change(2, [], [MAP], 80);
    expect(events[1]).toMatchObject({ kind: 'unmap', start: 0x1000n, last: 0x1fffn, time: 80 });
  });

  test('what a later snapshot skipped is counted and told at its place', async () => {
    const { agent, connection } = live();
    agent.snapshot(1, [group('1')], { events: 40 });
    expect(connection.state.lost).toBe(0);
    agent.stream(2, [MAP, MAP], 3);
    agent.snapshot(9, [group('1')], { events: 1045 });
    expect(connection.state.lost).toBe(1003);
    expect(connection.state.changes.map(({ labels, lost }) => [labels, lost])).toEqual([
      [['1,003 events were lost here'], 1003],
    ]);
    agent.change(10, [group('2')], [], 5);
    agent.stream(11, [], 1);
    expect(connection.state.changes.map(({ lost }) => lost)).toEqual([1003, undefined, 1]);
    // An agent that was started again counts from the beginning.
    agent.drop(1006);
    await vi.advanceTimersByTimeAsync(500);
    agent.accept();
    agent.welcome('run 2', 0);
    agent.snapshot(1, [group('1')], { events: 5000 });
    expect(connection.state.lost).toBe(1004);
  });

  test('a stream is added as it is, with what was lost', () => {
    const { agent, connection, events, settled } = live();
    agent.stream(1, [MAP, MAP], 3);
    agent.stream(2, [], 4);
    expect([events.length, connection.state.lost, connection.state.sequence]).toEqual([2, 7, 2]);
    expect(settled).toEqual([false, false]);
  });

  test('two hundred changes are kept', () => {
    const { agent, connection } = live();
    agent.snapshot(1, [group('first')]);
    for (let i = 0; i < 203; i++) agent.change(i + 2, [group(`${i}`)], [], i);
    expect(connection.state.changes).toHaveLength(200);
    expect(connection.state.changes[0]?.labels).toEqual(['+ group 3']);
  });

  test('the state of the probe is shown while something is wrong with it', () => {
    const { agent, connection, changes } = live();
    const before = changes();
    agent.send({ type: 'status', probe: 'down', message: 'no such file', sequence: 1, time: 1 });
    expect(connection.state).toMatchObject({ connection: 'live', message: 'no such file' });
    agent.send({ type: 'status', probe: 'running', message: 'fine', sequence: 2, time: 2 });
    expect([connection.state.message, changes()]).toEqual(['', before + 2]);
  });

  test('a malformed message is reported and changes nothing', () => {
    const { agent, connection, events } = live();
    agent.sendText('{"type":"nonsense"}');
    expect(connection.state.message).toMatch(/^malformed message from the agent: /);
    expect(events).toEqual([]);
  });

  test('requests are sent while the connection is open', () => {
    const { agent, connection } = live();
    connection.ask('page_tables');
    expect(agent.sent.at(-1)).toEqual({ type: 'ask', what: 'page_tables' });
    agent.drop(1006);
    const before = agent.sent.length;
    connection.ask('snapshot');
    expect(agent.sent).toHaveLength(before);
  });
});
