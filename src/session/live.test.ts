import { describe, expect, it } from 'vitest';
import { guestSource } from './guest-source.ts';
import { CLIENT_MESSAGE, isFinalClose, LIVE_CLOSE, parseMessage, SERVER_MESSAGE } from './live.ts';

const CLIENT = {
  hello: { type: 'hello', version: 1 },
  resumed: { type: 'hello', version: 1, resume: { run: 'r', sequence: 4 } },
  ask: { type: 'ask', what: 'page_tables' },
};
const SERVER = {
  welcome: { type: 'welcome', version: 1, run: 'r', sequence: 0, name: 'host' },
  snapshot: { type: 'snapshot', sequence: 1, time: 1.5, part: 0, parts: 1, name: 'host', facts: ['{}'] },
  change: { type: 'change', sequence: 2, time: 1.5, name: 'host', added: ['{}'], gone: ['{}'] },
  stream: { type: 'stream', sequence: 3, time: 1.5, facts: ['{}'], lost: 0 },
  status: { type: 'status', sequence: 4, time: 1.5, probe: 'running', message: '' },
};

describe('closing codes', () => {
  it('are final where the same URL cannot work later', () => {
    const final = Object.entries(LIVE_CLOSE).filter(([, { code }]) => isFinalClose(code));
    expect(final.map(([name]) => name).sort()).toEqual(['malformed', 'origin', 'token', 'version']);
    expect(isFinalClose(1006)).toBe(false);
  });

  it('differ, and are in the range of applications or registered', () => {
    const codes = Object.values(LIVE_CLOSE).map(({ code }) => code);
    expect(new Set(codes).size).toBe(codes.length);
    for (const code of codes) expect(code === 1001 || (code >= 4000 && code < 5000)).toBe(true);
  });
});

it('names the source of a guest by the guest', () => {
  expect(guestSource('vm1')).toContain('vm1');
  expect(guestSource('vm1')).not.toBe(guestSource('vm2'));
});

describe('messages', () => {
  it.each(Object.entries(CLIENT))('of a client: %s', (_name, message) => {
    expect(parseMessage(CLIENT_MESSAGE, JSON.stringify(message))).toEqual(message);
    expect(parseMessage(CLIENT_MESSAGE, JSON.stringify({ ...message, later: 1 }))).toMatch('later');
    expect(parseMessage(SERVER_MESSAGE, JSON.stringify(message))).toMatch('type');
  });

  it.each(Object.entries(SERVER))('of a server, whatever a newer one adds: %s', (_name, message) => {
    expect(parseMessage(SERVER_MESSAGE, JSON.stringify(message))).toEqual(message);
    expect(parseMessage(SERVER_MESSAGE, JSON.stringify({ ...message, later: 1 }))).toEqual({ ...message, later: 1 });
  });

  const fields = [
    ...Object.values(CLIENT).map((message) => [CLIENT_MESSAGE, message] as const),
    ...Object.values(SERVER).map((message) => [SERVER_MESSAGE, message] as const),
  ].flatMap(([schema, message]) => Object.keys(message).map((name) => ({ schema, message, name })));

  it.each(fields)('name the field that has the wrong type: $message.type, $name', ({ schema, message, name }) => {
    expect(parseMessage(schema, JSON.stringify({ ...message, [name]: null }))).toMatch(new RegExp(`^field .${name}`));
  });

  it.each([SERVER.snapshot, SERVER.change])('may lack the name of the host: $type', ({ name: _, ...message }) => {
    expect(parseMessage(SERVER_MESSAGE, JSON.stringify(message))).toEqual(message);
  });

  it.each([
    [CLIENT_MESSAGE, '{', 'not JSON'],
    [CLIENT_MESSAGE, '', 'not JSON'],
    [CLIENT_MESSAGE, '{"type":"bye"}', 'type'],
    [CLIENT_MESSAGE, '{"type":"ask","what":"write"}', 'what'],
    [CLIENT_MESSAGE, `{"type":"hello","version":1,"resume":{"run":"${'r'.repeat(65)}","sequence":0}}`, 'resume.run'],
    [CLIENT_MESSAGE, '{"type":"hello","version":1,"resume":{"run":"r","sequence":-1}}', 'resume.sequence'],
    [CLIENT_MESSAGE, '{"type":"hello","version":1,"resume":{"run":"r","sequence":1.5}}', 'resume.sequence'],
    [CLIENT_MESSAGE, '{"type":"hello","version":1,"resume":{"run":"r","sequence":0,"x":1}}', 'resume.x'],
    [SERVER_MESSAGE, '{"type":"status","sequence":4,"time":1,"probe":"asleep","message":""}', 'probe'],
    [SERVER_MESSAGE, '{"type":"stream","sequence":3,"time":1,"facts":[1],"lost":0}', 'facts.0'],
    [SERVER_MESSAGE, '[]', ''],
    [SERVER_MESSAGE, 'null', ''],
  ])('are refused with the place (%#)', (schema, text, where) => {
    const result = parseMessage(schema, text);
    expect(result).toEqual(expect.stringContaining(where));
    expect(result).not.toBe('');
  });

  it('longest run name that is accepted is 64 characters', () => {
    const message = { type: 'hello', version: 1, resume: { run: 'r'.repeat(64), sequence: 0 } };
    expect(parseMessage(CLIENT_MESSAGE, JSON.stringify(message))).toEqual(message);
  });
});
