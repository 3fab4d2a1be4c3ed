import { afterEach, describe, expect, test, vi } from 'vitest';
import { createEngine } from '../engine.ts';
import type { Request, Response } from '../protocol/messages.ts';
import type { Handlers } from '../protocol/methods.ts';
import { failure, success } from '../protocol/result.ts';
import { EngineClient, type EnginePort } from './client.ts';
import { serve } from './service.ts';

/** A worker in the same thread: messages are cloned and arrive later, as between threads. */
class FakeWorker implements EnginePort {
  onmessage: EnginePort['onmessage'] = null;
  onerror: EnginePort['onerror'] = null;
  onmessageerror: EnginePort['onmessageerror'] = null;
  terminated = false;
  #listener: ((event: { data: unknown }) => void) | undefined;

  constructor(handlers: Handlers) {
    serve(
      {
        postMessage: (message: Response) => {
          const data = structuredClone(message);
          queueMicrotask(() => {
            if (!this.terminated) this.onmessage?.({ data } as MessageEvent<Response>);
          });
        },
        addEventListener: (_type, listener) => {
          this.#listener = listener;
        },
      },
      handlers,
    );
  }

  postMessage(message: Request): void {
    const data = structuredClone(message);
    queueMicrotask(() => {
      if (!this.terminated) this.#listener?.({ data });
    });
  }

  terminate(): void {
    this.terminated = true;
  }

  crash(message: string): void {
    this.onerror?.({ message, preventDefault: () => undefined } as ErrorEvent);
  }
}

const file = (text: string) => [{ name: 'a.txt', data: new Blob([text]) }];
const never = () => new Promise<never>(() => undefined);

function clientWith(make: () => Handlers) {
  const workers: FakeWorker[] = [];
  const restarts: string[] = [];
  const client = new EngineClient(
    () => {
      const worker = new FakeWorker(make());
      workers.push(worker);
      return worker;
    },
    (reason) => restarts.push(reason),
  );
  const newest = () => {
    const worker = workers.at(-1);
    if (!worker) throw new Error('no worker was started');
    return worker;
  };
  return { client, workers, restarts, newest };
}

afterEach(() => void vi.useRealTimers());

describe('EngineClient', () => {
  test('a crash fails what was under way, starts a new engine and opens again what was open', async () => {
    const { client, workers, restarts, newest } = clientWith(() => createEngine());
    await client.call('open', { id: 'a', title: 'a', files: file('0x1000 0x1fff msi') });
    await client.call('open', { id: 'b', title: 'b', files: file('0x2000 0x2fff msi') });
    await client.call('close', { id: 'b' });
    const underWay = client.call('open', { id: 'c', title: 'c', files: file('0x3000 0x3fff msi') });
    newest().crash('out of memory');
    expect(await underWay).toMatchObject({ ok: false, error: { code: 'engine-restarted' } });
    await expect.poll(() => restarts).toEqual(['out of memory']);
    expect(workers).toHaveLength(2);
    expect(workers[0]?.terminated).toBe(true);
    const documents = await client.call('documents', null);
    expect(documents.ok && documents.value.map((d) => d.id)).toEqual(['a']);
  });

  test('what brings the engine down again while it is opened again is given up, the rest is not', async () => {
    let deadly = false;
    const { client, restarts, newest } = clientWith(() => {
      const handlers = createEngine();
      const open: Handlers['open'] = (params, context) => {
        if (!deadly || params.id !== 'a') return handlers.open(params, context);
        queueMicrotask(() => newest().crash('again'));
        return never();
      };
      return { ...handlers, open };
    });
    await client.call('open', { id: 'a', title: 'a', files: file('0x1000 0x1fff msi') });
    await client.call('open', { id: 'b', title: 'b', files: file('0x2000 0x2fff msi') });
    deadly = true;
    newest().crash('first');
    await expect.poll(() => restarts).toEqual(['again']);
    const documents = await client.call('documents', null);
    expect(documents.ok && documents.value.map((d) => d.id)).toEqual(['b']);
  });

  test('calls that are made while everything is opened again come after it, in order, unless they are cancelled', async () => {
    const { client, restarts, newest } = clientWith(() => createEngine());
    await client.call('open', { id: 'a', title: 'a', files: file('0x1000 0x1fff msi') });
    await client.call('open', { id: 'b', title: 'b', files: file('0x2000 0x2fff msi') });
    newest().crash('out of memory');
    const controller = new AbortController();
    const cancelled = client.call('close', { id: 'b' }, { signal: controller.signal });
    const listed = client.call('documents', null);
    const emptied = client.call('newCase', null);
    const left = client.call('documents', null);
    controller.abort();
    expect(await cancelled).toMatchObject({ ok: false, error: { code: 'cancelled' } });
    const documents = await listed;
    expect(documents.ok && documents.value.flatMap(({ sources }) => sources)).toHaveLength(2);
    expect(await emptied).toMatchObject({ ok: true });
    expect(await left).toMatchObject({ ok: true, value: [] });
    expect(restarts).toEqual(['out of memory']);
    newest().crash('again');
    expect(await client.call('documents', null)).toMatchObject({ ok: true, value: [] });
  });

  test('the position of a document survives, too', async () => {
    const { client, restarts, newest } = clientWith(() => createEngine());
    const trace =
      '{"format":"iova-trace","version":1}\n{"op":"ioas.alloc","ioas":"a"}\n{"op":"ioas.alloc","ioas":"b"}\n';
    await client.call('open', { id: 't', title: 't', files: file(trace) });
    await client.call('seek', { id: 't', position: 2 });
    await client.call('seek', { id: 't', position: 1 });
    newest().crash('gone');
    await expect.poll(() => restarts).toHaveLength(1);
    const documents = await client.call('documents', null);
    expect(documents.ok && documents.value.map((d) => [d.position, d.spaces.length])).toEqual([[1, 1]]);
  });

  test('cancelling stops a call that listens', async () => {
    const { client, workers } = clientWith(() => ({
      ...createEngine(),
      save: (_params, { signal }) =>
        new Promise((resolve) => {
          signal.addEventListener('abort', () => resolve(failure('cancelled', 'cancelled')));
        }),
    }));
    const controller = new AbortController();
    const saving = client.call('save', { id: 'a' }, { signal: controller.signal });
    controller.abort();
    expect(await saving).toMatchObject({ ok: false, error: { code: 'cancelled' } });
    expect(workers).toHaveLength(1);
    expect(await client.call('save', { id: 'a' }, { signal: controller.signal })).toMatchObject({ ok: false });
  });

  test('a call that does not let go of is ended with its worker', async () => {
    vi.useFakeTimers();
    const { client, workers, restarts } = clientWith(() => ({ ...createEngine(), save: never }));
    const controller = new AbortController();
    const saving = client.call('save', { id: 'a' }, { signal: controller.signal });
    controller.abort();
    await vi.advanceTimersByTimeAsync(10_000);
    expect(await saving).toMatchObject({ ok: false, error: { code: 'cancelled' } });
    expect(workers).toHaveLength(2);
    expect(restarts).toEqual(['a cancelled call did not stop']);
  });

  test('answers find their calls by id, progress too', async () => {
    const { client } = clientWith(() => ({
      ...createEngine(),
      find: ({ text }) => new Promise((resolve) => setTimeout(() => resolve(success([])), Number(text))),
      save: (_params, { progress }) => {
        progress({ done: 1, total: 2, what: 'x' });
        return failure('unknown-document', 'none');
      },
    }));
    const order: string[] = [];
    const seen: number[] = [];
    await Promise.all([
      client.call('find', { text: '20', limit: 1 }).then(() => order.push('slow')),
      client.call('find', { text: '1', limit: 1 }).then(() => order.push('fast')),
      client.call('save', { id: 'a' }, { onProgress: ({ done }) => seen.push(done) }),
    ]);
    expect(order).toEqual(['fast', 'slow']);
    expect(seen).toEqual([1]);
  });

  test('an exception inside the engine is an error with its message, and the engine goes on', async () => {
    const { client, workers } = clientWith(() => ({
      ...createEngine(),
      find: () => {
        throw new TypeError('boom');
      },
    }));
    expect(await client.call('find', { text: 'x', limit: 1 })).toEqual({
      ok: false,
      error: { code: 'bug', message: 'TypeError: boom' },
    });
    expect(await client.call('nonsense' as never, null as never)).toMatchObject({ ok: false, error: { code: 'bug' } });
    expect(await client.call('documents', null)).toEqual({ ok: true, value: [] });
    expect(workers).toHaveLength(1);
  });

  test('an answer that cannot be read, and a crash without a message, restart the engine', async () => {
    const { restarts, newest, workers } = clientWith(() => createEngine());
    newest().onmessageerror?.({} as MessageEvent);
    await expect.poll(() => restarts).toEqual(['an answer from the engine could not be read']);
    newest().crash('');
    await expect.poll(() => restarts[1]).toBe('the engine stopped');
    expect(workers).toHaveLength(3);
  });

  test('a replaced worker is not listened to any more', async () => {
    const { client, newest, restarts } = clientWith(() => createEngine());
    const old = newest();
    client.restart('by hand');
    await expect.poll(() => restarts).toEqual(['by hand']);
    expect([old.onmessage, old.onerror, old.terminated]).toEqual([null, null, true]);
  });

  test('a cancelled call that stops in time, or was interrupted, does not end the worker later', async () => {
    vi.useFakeTimers();
    const { client, workers, newest } = clientWith(() => ({
      ...createEngine(),
      save: (_params, { signal }) =>
        new Promise((resolve) => {
          signal.addEventListener('abort', () => resolve(failure('cancelled', 'cancelled')));
        }),
      find: never,
    }));
    const stopped = new AbortController();
    const saving = client.call('save', { id: 'a' }, { signal: stopped.signal });
    stopped.abort();
    await vi.advanceTimersByTimeAsync(10_000);
    expect(await saving).toMatchObject({ ok: false, error: { code: 'cancelled' } });
    expect(workers).toHaveLength(1);
    const stuck = new AbortController();
    const finding = client.call('find', { text: 'x', limit: 1 }, { signal: stuck.signal });
    stuck.abort();
    newest().crash('out of memory');
    expect(await finding).toMatchObject({
      error: { code: 'engine-restarted', message: 'the engine was restarted: out of memory' },
    });
    await vi.advanceTimersByTimeAsync(10_000);
    expect(workers).toHaveLength(2);
  });

  test('a call that is cancelled before it begins is never sent', async () => {
    const { client, newest } = clientWith(() => createEngine());
    const post = vi.spyOn(newest(), 'postMessage');
    const result = await client.call('documents', null, { signal: AbortSignal.abort() });
    expect([result, post.mock.calls.length]).toEqual([
      { ok: false, error: { code: 'cancelled', message: 'cancelled' } },
      0,
    ]);
  });

  test('a cancelled call that has been answered is not cancelled any more', async () => {
    const { client, newest } = clientWith(() => createEngine());
    const controller = new AbortController();
    await client.call('documents', null, { signal: controller.signal });
    const post = vi.spyOn(newest(), 'postMessage');
    controller.abort();
    expect(post).not.toHaveBeenCalled();
  });

  test('messages for calls that are over are ignored', async () => {
    const { client, newest } = clientWith(() => createEngine());
    await client.call('documents', null);
    const late = (data: Response) => newest().onmessage?.({ data } as MessageEvent<Response>);
    late({ type: 'progress', id: 1, progress: { done: 1, what: 'x' } });
    late({ type: 'result', id: 99, result: success(null) });
    expect(await client.call('documents', null)).toEqual({ ok: true, value: [] });
  });

  test('a disposed client has ended its worker, and its timers', async () => {
    vi.useFakeTimers();
    const { client, newest, workers } = clientWith(() => ({ ...createEngine(), save: never }));
    const controller = new AbortController();
    void client.call('save', { id: 'a' }, { signal: controller.signal });
    controller.abort();
    client.dispose();
    await vi.advanceTimersByTimeAsync(10_000);
    expect([newest().terminated, workers.length]).toEqual([true, 1]);
  });
});
