import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { createEngine } from '../engine.ts';
import { loadPart } from '../load-part.ts';
import type { Response } from '../protocol/messages.ts';
import type { Handlers } from '../protocol/methods.ts';
import { success } from '../protocol/result.ts';
import { serve } from './service.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** A served engine: what is sent to it, and what it posts. */
function served(more: Partial<Handlers>) {
  const posted: Response[] = [];
  const listeners: ((event: { data: unknown }) => void)[] = [];
  const port = {
    postMessage: (message: Response) => void posted.push(message),
    addEventListener: (_: 'message', listener: (event: { data: unknown }) => void) => void listeners.push(listener),
  };
  serve(port, { ...createEngine(), ...more });
  const send = async (data: unknown) => {
    for (const listener of listeners) listener({ data });
    await vi.advanceTimersByTimeAsync(0);
  };
  return { posted, send };
}

describe('the service', () => {
  test('answers a call with its id', async () => {
    const { posted, send } = served({});
    await send({ type: 'call', id: 7, method: 'documents', params: null });
    expect(posted).toEqual([{ type: 'result', id: 7, result: { ok: true, value: [] } }]);
  });

  test('ignores messages of other forms', async () => {
    const { posted, send } = served({});
    const call = { type: 'call', id: 7, method: 'documents', params: null };
    for (const data of [
      null,
      'call',
      7,
      {},
      { ...call, id: '7' },
      { ...call, type: 'other' },
      { type: 'call', id: 7 },
      { id: 7, method: 'documents' },
    ]) {
      await send(data);
    }
    await send({ type: 'cancel', id: 99 });
    expect(posted).toEqual([]);
  });

  test('refuses a method that it does not have, also one that every object has', async () => {
    const { posted, send } = served({});
    for (const method of ['nonsense', 'toString']) await send({ type: 'call', id: 1, method, params: null });
    expect(posted).toHaveLength(2);
    for (const message of posted) expect(message).toMatchObject({ result: { ok: false, error: { code: 'bug' } } });
  });

  test('a cancelled call that throws was cancelled', async () => {
    const save: Handlers['save'] = (_, { signal }) =>
      new Promise((_resolve, reject) => {
        signal.addEventListener('abort', () => reject(new Error('stopped')));
      });
    const { posted, send } = served({ save });
    await send({ type: 'call', id: 1, method: 'save', params: { id: 'a' } });
    await send({ type: 'call', id: 2, method: 'save', params: { id: 'a' } });
    await send({ type: 'cancel', id: 2 });
    expect(posted).toEqual([
      { type: 'result', id: 2, result: { ok: false, error: { code: 'cancelled', message: 'cancelled' } } },
    ]);
  });

  test('what is thrown is an error of the engine, with its name', async () => {
    const { posted, send } = served({
      find: () => {
        throw 'text';
      },
      describe: () => Promise.reject(new RangeError('too far')),
    });
    await send({ type: 'call', id: 1, method: 'find', params: null });
    await send({ type: 'call', id: 2, method: 'describe', params: null });
    const messages = posted.map(
      (message) => message.type === 'result' && !message.result.ok && message.result.error.message,
    );
    expect(messages).toEqual(['text', 'RangeError: too far']);
  });

  test('a part that cannot be loaded is said, and the next call tries again', async () => {
    let tries = 0;
    const part = loadPart(async () => {
      if (++tries === 1) throw new TypeError('Failed to fetch');
      return { saved: new Blob([]) };
    });
    const { posted, send } = served({ save: async () => success((await part()).saved) });
    await send({ type: 'call', id: 1, method: 'save', params: { id: 'a' } });
    await send({ type: 'call', id: 2, method: 'save', params: { id: 'a' } });
    expect(posted).toMatchObject([
      { id: 1, result: { ok: false, error: { code: 'not-loaded' } } },
      { id: 2, result: { ok: true } },
    ]);
    expect(JSON.stringify(posted[0])).toContain('Failed to fetch');
  });

  test('progress is sent at most every 80 milliseconds for a call', async () => {
    const save: Handlers['save'] = async (_, { progress }) => {
      for (let done = 0; done < 10; done++) {
        progress({ done, what: 'x' });
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      return success(new Blob([]));
    };
    const { posted, send } = served({ save });
    await send({ type: 'call', id: 1, method: 'save', params: { id: 'a' } });
    await vi.advanceTimersByTimeAsync(500);
    const progress = posted.flatMap((message) => (message.type === 'progress' ? [message.progress.done] : []));
    expect(progress).toEqual([0, 4, 8]);
    expect(posted.at(-1)).toMatchObject({ type: 'result', id: 1 });
  });
});
