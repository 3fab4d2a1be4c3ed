import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { inputOf, openAll } from '../testing/read.ts';
import { type DumpInput, openInputs, type Progress } from './open.ts';

const MSI = '0x00000000fee00000 0x00000000feefffff msi\n';

describe('progress, abort, turns', () => {
  test('bytes read of bytes in total', async () => {
    const seen: Progress[] = [];
    const packed = gzipSync(MSI.repeat(1000));
    const inputs = [inputOf('a', MSI.repeat(2000), 1000), inputOf('b', packed)];
    await openInputs(inputs, { onEvents: () => undefined, onProgress: (progress) => seen.push(progress) });
    const total = MSI.length * 2000 + packed.length;
    expect(seen.at(-1)).toEqual({ bytes: total, total, name: 'b' });
    expect(seen.every(({ bytes }, i) => i === 0 || bytes > (seen[i - 1]?.bytes ?? 0))).toBe(true);
  });

  test('an abort is noticed in the middle of an endless input, which is then closed', async () => {
    const controller = new AbortController();
    let closed = false;
    let chunks = 0;
    const endless: DumpInput = {
      name: 'endless',
      stream: () =>
        new ReadableStream({
          pull(stream) {
            if (++chunks === 50) controller.abort(new Error('enough'));
            stream.enqueue(new TextEncoder().encode(MSI.repeat(100)));
          },
          cancel() {
            closed = true;
          },
        }),
    };
    await expect(openInputs([endless], { onEvents: () => undefined, signal: controller.signal })).rejects.toThrow(
      'enough',
    );
    expect(closed).toBe(true);
    expect(chunks).toBeLessThan(60);
  });

  test('a signal that was aborted before', async () => {
    const opening = openInputs([inputOf('a', MSI)], {
      onEvents: () => undefined,
      signal: AbortSignal.abort(new Error('no')),
    });
    await expect(opening).rejects.toThrow('no');
  });

  test('the event loop gets its turn during long work on one chunk', async () => {
    let turns = 0;
    const timer = setInterval(() => turns++, 1);
    await openAll([inputOf('a', MSI.repeat(100_000), 1 << 30)]);
    clearInterval(timer);
    expect(turns).toBeGreaterThan(3);
  });
});
