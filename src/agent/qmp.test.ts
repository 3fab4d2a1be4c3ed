import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { WebSocket } from 'ws';
import { LIVE_SUBPROTOCOL, LIVE_VERSION, type ServerMessage, TOKEN_SUBPROTOCOL } from '../session/live.ts';
import { startAgent } from './agent.ts';
import { HostState } from './host-state.ts';
import { QmpGuest, type QmpTimings } from './qmp.ts';

const QUICK: QmpTimings = { firstPause: 30, longestPause: 60, every: 40, answersWithin: 1_000 };
const GREETING =
  '{"QMP": {"version": {"qemu": {"micro": 0, "minor": 2, "major": 9}, "package": ""}, "capabilities": ["oob"]}}';

const MTREE = [
  'FlatView #0',
  ' AS "memory", root: system',
  ' AS "cpu-memory-0", root: system',
  ' Root memory region: system',
  '  0000000000000000-00000000000bffff (prio 0, ram): pc.ram',
  '  00000000000c0000-00000000000fffff (prio 0, rom): pc.rom @0000000000001000',
  '  8000000000000000-ffffffffffffffff (prio 0, i/o): far',
  '',
].join('\r\n');
const guest = (start: string, last: string, name: string, type: string, rest = {}) =>
  JSON.stringify({ kind: 'guest', start, last, name, type, space: 'memory', ...rest, source: 'QMP aspen' });
const RUNNING = diagnostic('info', 'qmp-guest', 'the guest is running, with 768 KiB of memory', 'QMP aspen');
const LAYOUT = [
  guest('0x0', '0xbffff', 'pc.ram', 'ram'),
  guest('0xc0000', '0xfffff', 'pc.rom', 'rom', { offset: '0x1000' }),
  guest('0x8000000000000000', '0xffffffffffffffff', 'far', 'i/o'),
];

function diagnostic(severity: string, code: string, message: string, source: string): string {
  return JSON.stringify({ kind: 'diagnostic', severity, code, message, source });
}

/** What a QEMU returns to each command; a command that is not here it does not know. */
const USUAL: Readonly<Record<string, unknown>> = {
  qmp_capabilities: {},
  'query-name': { name: 'aspen' },
  'query-status': { running: true, singlestep: false, status: 'running' },
  'query-memory-size-summary': { 'base-memory': 0xc0000, 'plugged-memory': 0 },
  'human-monitor-command': MTREE,
};

let root = '';
let path = '';
let server: Server | undefined;
let connections: Socket[] = [];
let guests: QmpGuest[] = [];
/** Every line that was sent to the server. */
let requested: string[] = [];

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'qmp-'));
  path = join(root, 'aspen.qmp');
  requested = [];
  connections = [];
  guests = [];
});
afterEach(async () => {
  await Promise.all(guests.map((one) => one.end()));
  await hangUp();
  rmSync(root, { recursive: true });
});

/** Listens; `answer` says something to a line that came, `greet` to a connection. */
async function listen(
  answer: (line: string, socket: Socket) => void = answerWith(),
  greet: (socket: Socket) => void = (socket) => socket.write(`${GREETING}\r\n`),
): Promise<void> {
  const listening = createServer((socket) => {
    connections.push(socket);
    socket.on('error', () => undefined);
    let open = '';
    socket.on('data', (chunk) => {
      const lines = (open + String(chunk)).split('\n');
      open = lines.pop() ?? '';
      for (const line of lines) {
        requested.push(line);
        answer(line, socket);
      }
    });
    greet(socket);
  });
  server = listening;
  await new Promise<void>((resolve) => listening.listen(path, resolve));
}

/** The server ends, as when its QEMU does: its socket goes with it. */
async function hangUp(): Promise<void> {
  for (const socket of connections) socket.destroy();
  const ending = server;
  server = undefined;
  if (ending) await new Promise<void>((resolve) => ending.close(() => resolve()));
}

const command = (line: string) => String((JSON.parse(line) as { execute: unknown }).execute);

function answerWith(
  returns = USUAL,
  write: (socket: Socket, text: string) => void = (socket, text) => socket.write(`${text}\r\n`),
) {
  return (line: string, socket: Socket) => {
    const { execute, id } = JSON.parse(line) as { execute: string; id: unknown };
    const error = { class: 'CommandNotFound', desc: `The command ${execute} has not been found` };
    write(socket, JSON.stringify(execute in returns ? { return: returns[execute], id } : { id, error }));
  };
}

/** Watches the guest; `facts` hold now, `history` has those that held after each change. */
function watch(timings: Partial<QmpTimings> = {}) {
  const watched = { facts: [] as readonly string[], history: [] as string[], logged: [] as string[] };
  const one = new QmpGuest(
    path,
    {
      facts: (lines) => {
        const text = lines.join('\n');
        if (text !== watched.facts.join('\n')) watched.history.push(text);
        watched.facts = lines;
      },
      log: (message) => watched.logged.push(message),
    },
    { ...QUICK, ...timings },
  );
  guests.push(one);
  one.start();
  return watched;
}

const until = <T>(check: () => T) => vi.waitFor(check, { timeout: 60_000, interval: 20 });
const codes = (lines: readonly string[]) =>
  lines.flatMap((line) => {
    const fact = JSON.parse(line) as Record<string, unknown>;
    return fact.kind === 'diagnostic' ? [`${fact.code}: ${fact.message}`] : [];
  });

describe('a running guest', () => {
  test('tells its layout and how it is; only a fixed list is ever asked', async () => {
    await listen();
    const watched = watch();
    await until(() => expect(watched.facts).toEqual([RUNNING, ...LAYOUT]));
    await until(() => expect(requested.filter((line) => line.includes('mtree')).length).toBeGreaterThan(1));
    const round = [
      '{"execute":"query-name","id":"name"}',
      '{"execute":"query-status","id":"status"}',
      '{"execute":"query-memory-size-summary","id":"memory"}',
      '{"execute":"human-monitor-command","arguments":{"command-line":"info mtree -f"},"id":"mtree"}',
    ];
    expect(requested.slice(0, 9)).toEqual(['{"execute":"qmp_capabilities","id":"capabilities"}', ...round, ...round]);
    expect([...new Set(requested.map(command))]).toEqual([
      'qmp_capabilities',
      'query-name',
      'query-status',
      'query-memory-size-summary',
      'human-monitor-command',
    ]);
    expect(watched.logged).toEqual([`${path}: watching the guest 'aspen'`]);
    expect(connections.length).toBe(1);
  });

  test('that changes is reported again', async () => {
    const returns: Record<string, unknown> = { ...USUAL };
    await listen(answerWith(returns));
    const watched = watch();
    await until(() => expect(watched.facts).toEqual([RUNNING, ...LAYOUT]));
    returns['query-status'] = { running: false, status: 'paused' };
    returns['query-memory-size-summary'] = { 'base-memory': 0xc0000, 'plugged-memory': 0x100000 };
    returns['human-monitor-command'] = MTREE.replace(/^.*pc\.rom.*\r\n/m, '');
    const paused = 'the guest is paused, with 768 KiB of memory and 1 MiB plugged in';
    await until(() =>
      expect(watched.facts).toEqual([
        diagnostic('info', 'qmp-guest', paused, 'QMP aspen'),
        ...LAYOUT.filter((line) => !line.includes('pc.rom')),
      ]),
    );
  });

  test('without a name has that of its socket, and an old QEMU refuses what it does not know', async () => {
    await listen(answerWith({ qmp_capabilities: {}, 'query-name': {}, 'human-monitor-command': MTREE }));
    const watched = watch();
    await until(() => expect(watched.facts).toEqual(LAYOUT.map((line) => line.replace('QMP aspen', 'QMP aspen.qmp'))));
  });

  test('comes and goes, and its facts with it', async () => {
    await listen();
    const watched = watch();
    await until(() => expect(watched.facts).toContain(LAYOUT[0]));
    await hangUp();
    await until(() => expect(codes(watched.facts)).toEqual([`qmp-unreachable: ${path}: no such socket`]));
    expect(watched.facts.length).toBe(1);
    await listen();
    await until(() => expect(watched.facts).toEqual([RUNNING, ...LAYOUT]));
    const [before, lost, after] = [watched.history[0], watched.history[1] ?? '', watched.history.at(-1)];
    expect(before).toBe(after);
    expect(lost).toContain('qmp-closed');
    expect(watched.logged.length).toBe(new Set(watched.logged).size + 1);
  });

  test('that is watched by somebody else answers nobody', async () => {
    await listen(answerWith(), () => undefined);
    const watched = watch({ answersWithin: 100 });
    await until(() =>
      expect(codes(watched.facts)).toEqual([
        `qmp-silent: ${path}: no greeting within 0.1 s: a QMP socket serves one client at a time; another one may be connected`,
      ]),
    );
    expect(requested).toEqual([]);
  });

  test('after the end nothing is reported and the connection is closed', async () => {
    await listen();
    const watched = watch();
    await until(() => expect(watched.facts.length).toBeGreaterThan(1));
    const [connection] = connections;
    await guests[0]?.end();
    const { facts } = watched;
    const count = requested.length;
    await until(() => expect(connection?.destroyed || connection?.readableEnded).toBe(true));
    await new Promise((resolve) => setTimeout(resolve, 150));
    expect([watched.facts, requested.length, connections.length]).toEqual([facts, count, 1]);
  });
});

describe('a socket that is not well', () => {
  test('messages in pieces, several in one piece, events between them', async () => {
    const event = '{"event":"RTC_CHANGE","timestamp":{"seconds":1,"microseconds":2},"data":{"offset":0}}';
    const write = (socket: Socket, text: string) => {
      const bytes = Buffer.from(`${event}\r\n${event}\n${text}\r\n`);
      const middle = bytes.length - 9;
      socket.write(bytes.subarray(0, middle));
      setTimeout(() => socket.write(bytes.subarray(middle)), 10);
    };
    const pieces = (socket: Socket) => {
      socket.write(GREETING.slice(0, 5));
      setTimeout(() => socket.write(`${GREETING.slice(5)}\r\n`), 20);
    };
    await listen(answerWith({ ...USUAL, 'query-name': { name: 'aspen' } }, write), pieces);
    const watched = watch();
    await until(() => expect(watched.facts).toEqual([RUNNING, ...LAYOUT]));
    expect(connections.length).toBe(1);
  });

  test('messages over several lines, where the monitor is set to be pretty', async () => {
    const pretty = (text: string) => `${JSON.stringify(JSON.parse(text), null, 4).replaceAll('\n', '\r\n')}\r\n`;
    await listen(
      answerWith(USUAL, (socket, text) => socket.write(pretty(text))),
      (socket) => socket.write(pretty(GREETING)),
    );
    const watched = watch();
    await until(() => expect(watched.facts).toEqual([RUNNING, ...LAYOUT]));
  });

  test.each([
    ['text', 'SSH-2.0-OpenSSH_9.2\n', "'SSH-2.0-OpenSSH_9.2'"],
    ['a list', '[1,2]\n', "'[1,2]'"],
    ['an object of another kind', '{"jsonrpc":"2.0"}\n', `'{"jsonrpc":"2.0"}'`],
    ['bytes', Buffer.from([0xff, 0, 0x7b, 10]), "'"],
    ['a list in lists', `${'['.repeat(100_000)}\n`, `'${'['.repeat(40)}'`],
  ])('%s in place of a greeting: said, and tried again', async (_, bytes, shown) => {
    await listen(answerWith(), (socket) => socket.write(bytes));
    const watched = watch();
    await until(() => expect(connections.length).toBeGreaterThan(2));
    expect(codes(watched.facts)[0]).toContain(`qmp-malformed: ${path}: expected a QMP message, found ${shown}`);
    expect(watched.facts.length).toBe(1);
    expect(requested).toEqual([]);
    expect(watched.logged.length).toBe(1);
  });

  test('closed in the middle of a message', async () => {
    await listen((line, socket) => {
      if (command(line) !== 'human-monitor-command') answerWith()(line, socket);
      else socket.end('{"return": "FlatView #0\\r\\n AS \\"mem');
    });
    const watched = watch();
    await until(() => expect(connections.length).toBeGreaterThan(2));
    expect(codes(watched.facts)).toEqual([`qmp-closed: ${path}: QEMU has ended or closed the connection`]);
  });

  test('answers of another kind than asked for are named; the others are reported', async () => {
    await listen(
      answerWith({ ...USUAL, 'query-name': { name: 5 }, 'query-memory-size-summary': { 'base-memory': 2 ** 60 } }),
    );
    const watched = watch();
    await until(() => expect(watched.facts.length).toBeGreaterThan(1));
    expect(codes(watched.facts)).toEqual([
      'qmp-malformed: name: unexpected answer',
      'qmp-malformed: memory: unexpected answer',
      'qmp-guest: the guest is running',
    ]);
    expect(watched.facts.slice(3).length).toBe(3);
  });

  test('a layout that is refused, and one that is none', async () => {
    const returns: Record<string, unknown> = { ...USUAL };
    delete returns['human-monitor-command'];
    await listen(answerWith(returns));
    const watched = watch();
    await until(() =>
      expect(codes(watched.facts)).toEqual([
        'qmp-guest: the guest is running, with 768 KiB of memory',
        'qmp-refused: mtree: The command human-monitor-command has not been found',
      ]),
    );
    returns['human-monitor-command'] = 'unknown command: ‘info mtree’\r\n';
    await until(() => expect(codes(watched.facts).at(-1)).toMatch(/^nothing-recognized: .*info mtree/));
    expect(connections.length).toBe(1);
  });

  test('an answer that is too large is dropped; the next one counts', async () => {
    let rounds = 0;
    const whole = answerWith();
    await listen((line, socket) => {
      if (command(line) !== 'human-monitor-command' || rounds++ > 0) whole(line, socket);
      else socket.write(`{"return":"${'x'.repeat(17 << 20)}","id":"mtree"}\n`);
    });
    const watched = watch({ answersWithin: 10_000 });
    await until(() => expect(watched.facts).toEqual([RUNNING, ...LAYOUT]));
    expect(watched.history.map((text) => codes(text.split('\n')))).toEqual([
      [
        'qmp-guest: the guest is running, with 768 KiB of memory',
        'qmp-too-large: mtree: an answer of more than 16 MiB was dropped',
      ],
      ['qmp-guest: the guest is running, with 768 KiB of memory'],
    ]);
    expect(connections.length).toBe(1);
  });

  test('an answer without an end', async () => {
    await listen((line, socket) => {
      if (command(line) === 'query-name') for (let i = 0; i < 20; i++) socket.write('x'.repeat(1 << 20));
      else answerWith()(line, socket);
    });
    const watched = watch();
    await until(() => expect(codes(watched.facts)).toEqual([`qmp-silent: ${path}: no answer within 1 s`]));
  });

  test('a flood of events', async () => {
    await listen(answerWith(), (socket) => {
      socket.write(`${GREETING}\n${'{"event":"X"}\n'.repeat(20_000)}`);
    });
    const watched = watch();
    await until(() =>
      expect(codes(watched.facts)).toEqual([`qmp-malformed: ${path}: more than 10000 unsolicited messages`]),
    );
  });

  test('a layout with too many ranges', async () => {
    const rows = Array.from({ length: 50_010 }, (_, i) => {
      const at = (n: number) => n.toString(16).padStart(16, '0');
      return `  ${at(i * 4096)}-${at(i * 4096 + 4095)} (prio 0, ram): r${i}`;
    });
    await listen(answerWith({ ...USUAL, 'human-monitor-command': `${MTREE}${rows.join('\r\n')}\r\n` }));
    const watched = watch({ answersWithin: 10_000 });
    await until(() => expect(watched.facts.length).toBe(50_002));
    expect(codes(watched.facts)[1]).toBe('qmp-too-large: more than 50000 ranges; the rest is dropped');
  });
});

describe('guests in the state of a host', () => {
  const parse = (text: string) => JSON.parse(text) as ServerMessage;

  test('a snapshot of the probe leaves them, and they leave what the probe said', () => {
    const messages: ServerMessage[] = [];
    const state = new HostState(({ text }) => messages.push(parse(text)));
    const say = (...facts: string[]) => {
      state.line('{"probe":"begin","id":1,"what":"snapshot"}');
      for (const fact of facts) state.line(fact);
      state.line('{"probe":"end","id":1}');
    };
    const group = '{"kind":"group","group":"1","devices":[]}';
    state.setPart('qmp a', new Set([RUNNING, ...LAYOUT]));
    say(group);
    // Two guests may say the same: it holds as long as one of them says it.
    state.setPart('qmp b', new Set(LAYOUT));
    say();
    state.setPart('qmp a', new Set());
    state.setPart('qmp b', new Set());
    expect(messages.map((message) => (message.type === 'change' ? [message.added, message.gone] : message))).toEqual([
      [[RUNNING, ...LAYOUT], []],
      [[group], []],
      [[], [group]],
      [[], [RUNNING]],
      [[], LAYOUT],
    ]);
    expect(state.snapshot().map(parse)[0]).toMatchObject({ type: 'snapshot', facts: [] });
  });

  test('an agent tells them beside what its probe tells', async () => {
    mkdirSync(join(root, 'web'));
    writeFileSync(join(root, 'web', 'index.html'), '');
    const saved = join(root, 'saved.iova.jsonl');
    writeFileSync(saved, '{"format":"iova-trace","version":1}\n{"kind":"group","group":"1","devices":[]}\n');
    await listen();
    const agent = await startAgent({
      probe: `cat ${saved}; cat > /dev/null`,
      host: '127.0.0.1',
      port: 0,
      web: join(root, 'web'),
      qmp: [path, path, join(root, 'nobody.qmp')],
      qmpTimings: QUICK,
    });
    const protocols = [LIVE_SUBPROTOCOL, `${TOKEN_SUBPROTOCOL}${agent.token}`];
    const socket = new WebSocket(`ws://127.0.0.1:${agent.port}/live`, protocols);
    try {
      const facts = new Set<string>();
      socket.on('open', () => socket.send(`{"type":"hello","version":${LIVE_VERSION}}`));
      socket.on('message', (data) => {
        const message = parse(String(data));
        if (message.type === 'snapshot') for (const fact of message.facts) facts.add(fact);
        if (message.type !== 'change') return;
        for (const fact of message.added) facts.add(fact);
        for (const fact of message.gone) facts.delete(fact);
      });
      const nobody = `qmp-unreachable: ${join(root, 'nobody.qmp')}: no such socket`;
      await until(() => expect([...facts]).toEqual(expect.arrayContaining([RUNNING, ...LAYOUT])));
      await until(() => expect(codes([...facts])).toContain(nobody));
      expect(connections.length).toBe(1);
      await hangUp();
      await until(() =>
        expect(codes([...facts]).toSorted()).toEqual([`qmp-unreachable: ${path}: no such socket`, nobody].toSorted()),
      );
    } finally {
      socket.terminate();
      await agent.end();
    }
  });
});
