import { appendFileSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { WebSocket } from 'ws';
import { createEngine } from '../engine/engine.ts';
import type { LiveSocket } from '../engine/live/live.ts';
import { parseLiveUrl } from '../engine/live/live-url.ts';
import type { Engine, Method, Params, Progress, Value } from '../engine/protocol/methods.ts';
import { inProcessEngine } from '../engine/transport/in-process.ts';
import { LIVE_CLOSE, LIVE_SUBPROTOCOL, LIVE_VERSION, type ServerMessage, TOKEN_SUBPROTOCOL } from '../session/live.ts';
import { type Agent, startAgent } from './agent.ts';

const FAKE = new URL('./testing/fake-probe.mjs', import.meta.url).pathname;
const QUICK = {
  firstPause: 30,
  longestPause: 100,
  wellAfter: 10_000,
  hangsAfter: 2_500,
  startsWithin: 5_000,
  pingEvery: 100,
};

let root = '';
let script = '';
let agents: Agent[] = [];
let sockets: WebSocket[] = [];
let following: AbortController[] = [];

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'agent-'));
  script = join(root, 'script');
  writeFileSync(script, '');
  mkdirSync(join(root, 'web', 'assets'), { recursive: true });
  writeFileSync(join(root, 'web', 'index.html'), '<!doctype html><title>x</title>');
  writeFileSync(join(root, 'web', 'assets', 'a.js'), 'export {};');
  writeFileSync(join(root, 'secret'), 'secret');
});
afterEach(async () => {
  for (const controller of following) controller.abort();
  for (const socket of sockets) socket.terminate();
  await Promise.all(agents.map((agent) => agent.end()));
  following = [];
  sockets = [];
  agents = [];
  rmSync(root, { recursive: true });
});

const say = (...lines: string[]) => appendFileSync(script, lines.map((line) => `${line}\n`).join(''));
const snapshot = (...facts: string[]) =>
  say(
    '{"probe":"begin","id":2,"what":"snapshot"}',
    '{"format":"iova-trace","version":1,"title":"maple"}',
    ...facts,
    '{"probe":"end","id":2}',
  );
const group = (n: number, ...devices: string[]) =>
  `{"kind":"group","group":"${n}","devices":${JSON.stringify(devices)}}`;
const region = (n: number, type: string) =>
  `{"kind":"reserved","start":"0xfee00000","last":"0xfeefffff","type":"${type}","origin":"sysfs","group":"${n}"}`;
const mapping = (start: number) =>
  `{"kind":"map","start":"0x${start.toString(16)}","last":"0x${(start + 0xfff).toString(16)}","origin":"ftrace","time":${start},"stream":"trace"}`;

async function start(command = `node ${FAKE} ${script}`, port = 0, timings = QUICK): Promise<Agent> {
  const agent = await startAgent({ probe: command, host: '127.0.0.1', port, web: join(root, 'web'), timings });
  agents.push(agent);
  return agent;
}

interface Watching {
  readonly socket: WebSocket;
  readonly messages: ServerMessage[];
  readonly closed: Promise<{ readonly code: number; readonly reason: string }>;
}

function watch(
  agent: Agent,
  {
    token = agent.token,
    origin,
    hello = `{"type":"hello","version":${LIVE_VERSION}}`,
  }: { token?: string; origin?: string; hello?: string } = {},
  onOpen: (socket: WebSocket) => void = () => undefined,
): Watching {
  const protocols = [LIVE_SUBPROTOCOL, ...(token === '' ? [] : [`${TOKEN_SUBPROTOCOL}${token}`])];
  const socket = new WebSocket(`ws://127.0.0.1:${agent.port}/live`, protocols, origin === undefined ? {} : { origin });
  sockets.push(socket);
  const messages: ServerMessage[] = [];
  socket.on('open', () => {
    if (hello !== '') socket.send(hello);
    onOpen(socket);
  });
  socket.on('message', (data) => messages.push(JSON.parse(String(data)) as ServerMessage));
  const closed = new Promise<{ code: number; reason: string }>((resolve) => {
    socket.on('close', (code, reason) => resolve({ code, reason: String(reason) }));
    socket.on('error', () => undefined);
  });
  return { socket, messages, closed };
}

const types = (watching: Watching) => watching.messages.map((m) => m.type);
const until = <T>(check: () => T) => vi.waitFor(check, { timeout: 60_000, interval: 20 });

function get(
  agent: Agent,
  path: string,
  headers: Readonly<Record<string, string>> = {},
  method = 'GET',
): Promise<{ status: number; body: string; headers: NodeJS.Dict<string | string[]> }> {
  return new Promise((resolve, reject) => {
    const call = request({ host: '127.0.0.1', port: agent.port, path, method, headers }, (response) => {
      let body = '';
      response.on('data', (chunk) => {
        body += chunk;
      });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body, headers: response.headers }));
    });
    call.on('error', reject);
    call.end();
  });
}

describe('the explorer on the same port', () => {
  test('its files and nothing else', async () => {
    const agent = await start();
    const page = await get(agent, '/?x#y');
    expect(page).toMatchObject({ status: 200, body: '<!doctype html><title>x</title>' });
    expect(page.headers).toMatchObject({
      'content-type': 'text/html; charset=utf-8',
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
    });
    expect((await get(agent, '/assets/a.js')).headers['content-type']).toBe('text/javascript; charset=utf-8');
    for (const path of ['/../secret', '/%2e%2e/secret', '/assets/../../secret', '/nothing', '//secret', '/assets']) {
      expect((await get(agent, path)).status).toBe(404);
    }
    expect((await get(agent, '/', {}, 'POST')).status).toBe(405);
  });

  test('under a name of its own only: rebinding a name of another site does not help', async () => {
    const agent = await start();
    expect((await get(agent, '/', { host: `evil.example:${agent.port}` })).status).toBe(403);
    expect((await get(agent, '/', { host: `localhost:${agent.port}` })).status).toBe(200);
    const socket = new WebSocket(
      `ws://127.0.0.1:${agent.port}/live`,
      [LIVE_SUBPROTOCOL, `${TOKEN_SUBPROTOCOL}${agent.token}`],
      { headers: { host: `evil.example:${agent.port}` } },
    );
    sockets.push(socket);
    const refused = await new Promise((resolve) => socket.on('error', (error) => resolve(error.message)));
    expect(refused).toContain('403');
  });
});

describe('who may watch', () => {
  test.each([
    ['a wrong token', { token: 'nonsense' }, LIVE_CLOSE.token],
    ['no token', { token: '' }, LIVE_CLOSE.token],
    ['a foreign page', { origin: 'https://evil.example' }, LIVE_CLOSE.origin],
    ['a page of another port', { origin: 'http://127.0.0.1:1' }, LIVE_CLOSE.origin],
    ['no hello but something else', { hello: '{"type":"ask","what":"snapshot"}' }, LIVE_CLOSE.malformed],
    ['no JSON', { hello: 'hello?' }, LIVE_CLOSE.malformed],
    ['a field too many', { hello: `{"type":"hello","version":${LIVE_VERSION},"sudo":true}` }, LIVE_CLOSE.malformed],
    ['another version', { hello: '{"type":"hello","version":99}' }, LIVE_CLOSE.version],
  ] as const)('%s is refused with a code of its own', async (_, options, { code, message }) => {
    const agent = await start();
    const { closed, messages } = watch(agent, options);
    const { code: got, reason } = await closed;
    expect([got, reason.startsWith(message)]).toEqual([code, true]);
    expect(messages).toEqual([]);
  });

  test('its own page may, by any name of this machine', async () => {
    const agent = await start();
    for (const name of ['127.0.0.1', 'localhost']) {
      const watching = watch(agent, { origin: `http://${name}:${agent.port}` });
      await until(() => expect(types(watching)).toContain('welcome'));
    }
  });

  test('a message that is too large, and a flood of small ones', async () => {
    const agent = await start();
    const large = watch(agent);
    await until(() => expect(types(large)).toContain('welcome'));
    large.socket.send(' '.repeat(20_000));
    expect((await large.closed).code).toBe(1009);
    const flooding = watch(agent);
    await until(() => expect(types(flooding)).toContain('welcome'));
    for (let i = 0; i < 100; i++) flooding.socket.send('{"type":"ask","what":"snapshot"}');
    expect((await flooding.closed).code).toBe(LIVE_CLOSE.flood.code);
    const after = watch(agent);
    await until(() => expect(types(after)).toContain('welcome'));
  });
});

describe('the owner keeps a place', () => {
  test('among connections that say nothing', async () => {
    const agent = await start();
    const silent = Array.from({ length: 300 }, () => connect(agent.port, '127.0.0.1').on('error', () => undefined));
    await until(() => expect(silent.filter(({ closed }) => closed).length).toBeGreaterThanOrEqual(300 - 64));
    const owner = watch(agent);
    await until(() => expect(types(owner)).toContain('snapshot'));
    expect((await get(agent, '/')).status).toBe(200);
    for (const socket of silent) socket.destroy();
  });

  test('among many tries with a wrong token or from a foreign page', async () => {
    const agent = await start();
    const foreign = Array.from({ length: 200 }, (_, i) =>
      watch(agent, i % 2 === 0 ? { token: 'wrong' } : { origin: 'http://example.org' }),
    );
    const owner = watch(agent);
    await until(() => expect(types(owner)).toContain('snapshot'));
    await Promise.all(foreign.map(({ closed }) => closed));
    // Some were told why; none got anything.
    expect(foreign.flatMap(({ messages }) => messages)).toEqual([]);
  });
});

/** How many clients come at once; AGENT_CLIENTS in the environment: as many as that. */
const CLIENTS = Number(process.env.AGENT_CLIENTS) || 100;

describe('among clients of every kind', () => {
  const greeting = `{"type":"hello","version":${LIVE_VERSION}}`;
  type Client = (agent: Agent) => Watching;
  /** Without the token, or from a page that may not have it. */
  const strangers: readonly Client[] = [
    (agent) => watch(agent, { token: 'wrong' }),
    (agent) => watch(agent, { token: '' }),
    (agent) => watch(agent, { origin: 'http://example.org' }),
  ];
  /** With the token, but sent away for what they do. */
  const unruly: readonly Client[] = [
    (agent) =>
      watch(agent, { hello: '' }, (socket) => {
        for (let i = 0; i < 50; i++) socket.send(greeting);
      }),
    (agent) => watch(agent, { hello: 'x'.repeat(17 << 10) }),
    (agent) => watch(agent, { hello: '' }, (socket) => socket.send(Buffer.from([1, 2, 3]))),
    (agent) => watch(agent, {}, (socket) => socket.terminate()),
  ];
  const deaf: Client = (agent) => watch(agent, {}, (socket) => socket.pause());
  const bytes: readonly string[] = [
    '',
    'GET /live HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: webso',
    '\x16\x03\x01\x00\xff',
    'GET /../secret HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n',
    'GET / HTTP/1.1\r\nHost: example.org\r\n\r\n',
  ];

  test(`the owner misses nothing among ${CLIENTS}, and strangers get nothing`, async () => {
    snapshot(group(1, 'a'));
    const agent = await start();
    const owner = watch(agent);
    await until(() => expect(types(owner)).toContain('snapshot'));
    const connections: Socket[] = [];
    let answers = '';
    const connectWith = (text: string) => {
      const socket = connect(agent.port, '127.0.0.1').on('error', () => undefined);
      socket.on('data', (data) => {
        answers += String(data);
      });
      socket.write(text, 'latin1');
      connections.push(socket);
    };
    const [refused, ended, silent]: Watching[][] = [[], [], []];
    const arrivals = [
      ...strangers.map((client) => () => refused?.push(client(agent))),
      ...unruly.map((client) => () => ended?.push(client(agent))),
      () => silent?.push(deaf(agent)),
      ...bytes.map((text) => () => connectWith(text)),
    ];
    const mapped: string[] = [];
    const received = () => owner.messages.flatMap((m) => (m.type === 'stream' ? m.facts : []));
    for (let i = 0; i < CLIENTS; i++) {
      arrivals[i % arrivals.length]?.();
      if (i % 20 > 0 && i < CLIENTS - 1) continue;
      const line = mapping(0x1000 * (i + 1));
      mapped.push(line);
      say(line);
      await until(() => expect(received()).toHaveLength(mapped.length));
    }
    expect(received()).toEqual(mapped);
    expect(owner.messages.filter((m) => m.type === 'stream' && m.lost > 0)).toEqual([]);
    await Promise.all([...(refused ?? []), ...(ended ?? [])].map(({ closed }) => closed));
    expect(refused?.flatMap(({ messages }) => messages)).toEqual([]);
    expect(answers).not.toContain('secret');
    for (const { socket } of silent ?? []) socket.terminate();
    for (const connection of connections) connection.destroy();
    // Whoever comes afterwards is served as the first one was.
    await until(async () => {
      const next = watch(agent);
      await Promise.race([next.closed, new Promise((resolve) => next.socket.once('message', resolve))]);
      expect(types(next)).toContain('welcome');
    });
    expect((await get(agent, '/')).status).toBe(200);
  });
});

describe('what a watcher gets', () => {
  test('a snapshot, then changes with ascending numbers', async () => {
    snapshot(group(1, 'a'), region(1, 'msi'));
    const agent = await start();
    const watching = watch(agent);
    await until(() => expect(JSON.stringify(watching.messages)).toContain('fee00000'));
    snapshot(group(1, 'a', 'b'), region(1, 'msi'));
    await until(() =>
      expect(watching.messages.at(-1)).toMatchObject({
        type: 'change',
        added: [group(1, 'a', 'b')],
        gone: [group(1, 'a')],
      }),
    );
    const numbers = watching.messages
      .filter((m) => m.type !== 'welcome' && m.type !== 'snapshot')
      .map((m) => m.sequence);
    expect(numbers).toEqual(numbers.toSorted((x, y) => x - y));
  });

  test('who comes back with its last number gets what it missed, once', async () => {
    snapshot(group(1, 'a'));
    const agent = await start();
    const first = watch(agent);
    await until(() => expect(JSON.stringify(first.messages)).toContain('"group\\":\\"1'));
    first.socket.close();
    await first.closed;
    const last = first.messages.at(-1)?.sequence ?? 0;
    const run = first.messages.find((m) => m.type === 'welcome')?.run;
    say(mapping(0x1000));
    snapshot(group(1, 'a'), group(2, 'b'));
    await new Promise((resolve) => setTimeout(resolve, 200));
    const again = watch(agent, {
      hello: JSON.stringify({ type: 'hello', version: LIVE_VERSION, resume: { run, sequence: last } }),
    });
    await until(() => expect(types(again)).toContain('change'));
    expect(types(again).filter((type) => type !== 'status')).toEqual(['welcome', 'stream', 'change']);
    // Of another life of the agent the number means nothing.
    const stranger = watch(agent, {
      hello: JSON.stringify({ type: 'hello', version: LIVE_VERSION, resume: { run: 'other', sequence: last } }),
    });
    await until(() => expect(types(stranger)).toContain('snapshot'));
  });

  test('a watcher that does not read is skipped, and gets a new snapshot later', async () => {
    snapshot(group(1, 'a'));
    const agent = await start();
    const slow = watch(agent);
    await until(() => expect(types(slow)).toContain('snapshot'));
    slow.socket.pause();
    say('!flood 400000');
    const quick = watch(agent);
    await until(() =>
      expect(
        quick.messages.filter((m) => m.type === 'stream').reduce((n, m) => n + m.facts.length + m.lost, 0),
      ).toBeGreaterThan(100_000),
    );
    snapshot(group(1, 'a'), group(7, 'late'));
    await until(() =>
      expect(
        quick.messages
          .slice(-4)
          .map((m) => JSON.stringify(m))
          .join(),
      ).toContain('late'),
    );
    slow.socket.resume();
    await until(() =>
      expect(slow.messages.filter((m) => m.type === 'snapshot').at(-1)?.facts).toContain(group(7, 'late')),
    );
    // What it got and what the snapshot says that it missed are all that happened.
    const events = (m: ServerMessage) => (m.type === 'stream' ? m.facts.length + m.lost : 0);
    const afterSnapshot = slow.messages.slice(slow.messages.findLastIndex((m) => m.type === 'snapshot'));
    const total = quick.messages.flatMap((m) => (m.type === 'snapshot' ? [m.events ?? 0] : [events(m)]));
    const last = slow.messages.filter((m) => m.type === 'snapshot').at(-1)?.events ?? 0;
    expect(last + afterSnapshot.reduce((n, m) => n + events(m), 0)).toBe(total.reduce((n, m) => n + m, 0));
  });
});

describe('a faulty probe', () => {
  test('garbage, half lines, very long lines and bytes that are no text: said, and the rest is read', async () => {
    // An answer to a ping would come between the halves.
    const agent = await start(undefined, 0, { ...QUICK, pingEvery: 60_000 });
    const watching = watch(agent);
    await until(() => expect(types(watching)).toContain('welcome'));
    say('this is no JSON', '[]', '42', '{"neither":1}', `!raw ${Buffer.from([0xff, 0xfe, 10]).toString('base64')}`);
    say(`"${'x'.repeat(1_200_000)}"`);
    say(`!raw ${Buffer.from('{"kind":"group","gro').toString('base64')}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
    say(`!raw ${Buffer.from('up":"1","devices":["a"],"stream":"x"}\n').toString('base64')}`);
    await until(() => expect(JSON.stringify(watching.messages)).toContain('probe-garbage'));
    await until(() => expect(JSON.stringify(watching.messages)).toContain('\\"devices\\":[\\"a\\"]'));
  });

  test('it dies: the state stays, it is started again, and it is said why', async () => {
    snapshot(group(1, 'a'));
    const agent = await start();
    const watching = watch(agent);
    await until(() => expect(JSON.stringify(watching.messages)).toContain('"group'));
    say('!exit 3');
    await until(() =>
      expect(watching.messages).toContainEqual(
        expect.objectContaining({ type: 'status', probe: 'down', message: expect.stringContaining('exit code 3') }),
      ),
    );
    const late = watch(agent);
    await until(() =>
      expect(late.messages.find((m) => m.type === 'snapshot')).toMatchObject({ facts: [group(1, 'a')] }),
    );
    await until(() =>
      expect(watching.messages.filter((m) => m.type === 'status' && m.probe === 'starting').length).toBeGreaterThan(1),
    );
  });

  test('it hangs: it is killed and started again', async () => {
    snapshot(group(1, 'a'));
    const agent = await start();
    const watching = watch(agent);
    await until(() => expect(types(watching)).toContain('snapshot'));
    say('!hang');
    await until(() =>
      expect(watching.messages).toContainEqual(
        expect.objectContaining({ type: 'status', probe: 'down', message: expect.stringContaining('SIGKILL') }),
      ),
    );
  });

  test('it says nothing from the start: it has longer, and is killed then', async () => {
    const agent = await start("sh -c 'sleep 60'", 0, { ...QUICK, startsWithin: 1_000 });
    const watching = watch(agent);
    await until(() => expect(types(watching)).toContain('snapshot'));
    await until(() =>
      expect(watching.messages).toContainEqual(
        expect.objectContaining({ type: 'status', probe: 'down', message: expect.stringContaining('SIGKILL') }),
      ),
    );
  });

  test('it says that the host has changed: it is asked again', async () => {
    const agent = await start(`node ${FAKE.replace('fake-probe', 'changing-probe')}`);
    const watching = watch(agent);
    await until(() =>
      expect(watching.messages).toContainEqual(
        expect.objectContaining({ type: 'change', added: ['{"kind":"group","group":"3","devices":[]}'] }),
      ),
    );
  });

  test('it cannot be run: the agent stays up and says so', async () => {
    const agent = await start('no-such-program-anywhere');
    const watching = watch(agent);
    await until(() =>
      expect(watching.messages).toContainEqual(
        expect.objectContaining({ type: 'status', probe: 'down', message: expect.stringContaining('not found') }),
      ),
    );
  });

  test('it only prints a session and ends: that is the state', async () => {
    const file = join(root, 'saved.iova.jsonl');
    writeFileSync(file, `{"format":"iova-trace","version":1,"title":"saved"}\n${group(4, 'x')}\n`);
    const agent = await start(`cat ${file}`);
    const watching = watch(agent);
    await until(() => expect(JSON.stringify(watching.messages)).toContain('"x'));
  });

  test('ended, it takes its probe with it', async () => {
    const marker = join(root, 'marker');
    const agent = await start(`sh -c 'while :; do date >> ${marker}; sleep 0.05; done'`);
    await until(() => expect(statSync(marker).size).toBeGreaterThan(0));
    await agent.end();
    agents = agents.filter((other) => other !== agent);
    const size = statSync(marker).size;
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(statSync(marker).size).toBe(size);
  });
});

test('it ends although a watcher comes back at once while a slow probe is being ended', async () => {
  const agent = await start('sh -c \'trap "sleep 1; exit" TERM; while :; do sleep 0.1; done\'');
  const back = (): void => {
    const { closed } = watch(agent);
    void closed.then(({ code }) => (code === 1006 ? undefined : back()));
  };
  back();
  await new Promise((resolve) => setTimeout(resolve, 200));
  await agent.end();
  agents = agents.filter((other) => other !== agent);
});

class Follower {
  readonly engine: Engine;
  latest: Progress['live'];
  result: Promise<unknown>;
  readonly #controller = new AbortController();

  /** The connection at hand, to be cut. */
  socket: WebSocket | undefined;

  constructor(url: string) {
    const open = (to: string, protocols: string[]) => {
      this.socket = new WebSocket(to, protocols);
      return this.socket as unknown as LiveSocket;
    };
    this.engine = inProcessEngine(createEngine([], open));
    const where = parseLiveUrl(url);
    if (typeof where === 'string') throw new Error(where);
    following.push(this.#controller);
    this.result = this.engine.call(
      'live',
      { id: 'l', title: 'live', ...where },
      {
        signal: this.#controller.signal,
        onProgress: ({ live }) => {
          this.latest = live ?? this.latest;
        },
      },
    );
  }

  async ask<M extends Method>(method: M, params: Params<M>): Promise<Value<M>> {
    const result = await this.engine.call(method, params);
    if (!result.ok) throw new Error(result.error.message);
    return result.value;
  }

  get groups(): string[] {
    return this.latest?.node.groups.map((g) => `${g.title}: ${g.devices.map(({ device }) => device).join(' ')}`) ?? [];
  }
}

describe('a live document', () => {
  test('grows with the host, lists what changed, and can be scrubbed back and saved', async () => {
    snapshot(group(1, 'a'), region(1, 'msi'));
    const agent = await start();
    const follower = new Follower(agent.url);
    await until(() => expect(follower.groups).toEqual(['group 1: a']));
    expect(follower.latest?.state).toMatchObject({ connection: 'live', name: 'maple', changes: [] });
    const before = follower.latest?.node.position ?? 0;
    snapshot(group(1, 'a'), region(1, 'msi'), group(2, 'b'));
    await until(() => expect(follower.groups).toEqual(['group 1: a', 'group 2: b']));
    expect(follower.latest?.state.changes.flatMap((change) => change.labels)).toEqual(['+ group 2: b']);
    snapshot(group(2, 'b'));
    await until(() => expect(follower.groups).toEqual(['group 2: b']));

    // Back to the moment before: what comes in does not move it.
    const back = await follower.ask('seek', { id: 'l', position: before });
    expect(back.groups.map((g) => g.title)).toEqual(['group 1']);
    snapshot(group(2, 'b'), group(3, 'c'));
    await until(() => expect(follower.latest?.node.events).toBeGreaterThan(back.events));
    expect(follower.latest?.node.groups.map((g) => g.title)).toEqual(['group 1']);
    const now = await follower.ask('seek', { id: 'l', position: Number.MAX_SAFE_INTEGER });
    expect(now.groups.map((g) => g.title)).toEqual(['group 2', 'group 3']);

    // Saved and opened again it says the same.
    const saved = await follower.ask('save', { id: 'l' });
    await follower.ask('forget', null);
    const opened = await follower.ask('open', {
      id: 'file',
      title: 'file',
      files: [{ name: 'saved.iova.jsonl', data: saved }],
    });
    expect(opened.case.hosts[0]?.groups.map((g) => g.title)).toEqual(['group 2', 'group 3']);
    const earlier = await follower.ask('seek', { id: 'file', position: before });
    expect(earlier.groups.map((g) => g.title)).toEqual(['group 1']);
  });

  test('comes back after an outage with nothing lost or doubled, also when the agent is another one', async () => {
    snapshot(group(1, 'a'));
    const first = await start();
    const follower = new Follower(first.url);
    await until(() => expect(follower.groups).toEqual(['group 1: a']));
    say(mapping(0x1000));
    await until(() => expect(follower.latest?.node.layers[0]?.note).toContain('1 event'));
    const { port } = first;
    await first.end();
    agents = agents.filter((agent) => agent !== first);
    await until(() => expect(follower.latest?.state.connection).toBe('waiting'));
    // The next agent has a token of its own: this follower is told so and gives up, the state stays.
    await start(`node ${FAKE} ${script}`, port);
    expect(await follower.result).toMatchObject({ ok: false, error: { message: LIVE_CLOSE.token.message } });
    expect(follower.groups).toEqual(['group 1: a']);
  });

  test('a connection that is cut in the middle of a stream: each mapping arrives once', async () => {
    snapshot(group(1, 'a'));
    const agent = await start();
    const follower = new Follower(agent.url);
    await until(() => expect(follower.groups).toEqual(['group 1: a']));
    for (let i = 0; i < 40; i++) {
      say(...Array.from({ length: 25 }, (_, n) => mapping((i * 25 + n) * 0x1000)));
      if (i % 10 === 5) follower.socket?.terminate();
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    await until(() => expect(follower.latest?.node.events).toBe(1 + 1000));
    expect(follower.latest?.state.lost).toBe(0);
    const rows = await follower.ask('events', { id: 'l', offset: 1, limit: 1000 });
    expect(new Set(rows.map((row) => row.text)).size).toBe(1000);
  });

  test('carries a flood of mappings: all of them, or it says how many were lost', async () => {
    snapshot(group(1, 'a'));
    const agent = await start();
    const follower = new Follower(agent.url);
    await until(() => expect(follower.groups).toEqual(['group 1: a']));
    say('!flood 100000');
    await until(() => {
      const events = follower.latest?.node.events ?? 0;
      expect(events - 1 + (follower.latest?.state.lost ?? 0)).toBe(100_000);
    });
  });

  test('an address without token, or none at all, is told apart', () => {
    expect(parseLiveUrl('http://127.0.0.1:8750/#live=abc-DEF_1')).toEqual({
      url: 'ws://127.0.0.1:8750/live',
      token: 'abc-DEF_1',
    });
    expect(parseLiveUrl('https://host.example/#live=x')).toEqual({ url: 'wss://host.example/live', token: 'x' });
    expect(parseLiveUrl('http://127.0.0.1:8750/')).toContain('missing token');
    expect(parseLiveUrl('8750')).toContain('expected the address');
    expect(parseLiveUrl('file:///etc/passwd#live=x')).toContain('"file:" is not supported');
  });
});
