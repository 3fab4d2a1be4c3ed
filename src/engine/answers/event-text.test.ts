import { describe, expect, test } from 'vitest';
import { IOVA_MAX } from '../../iova/iova.ts';
import type { Refusal } from '../../kernel/shared/refusal.ts';
import { outcomeText, reasonOf } from './event-text.ts';

describe('answers as text', () => {
  test('a refusal has its errno and its reason, an operation that never ran only a reason', () => {
    const refusal = { errno: 'EEXIST', message: 'm', rule: 'r', source: 's' } as unknown as Refusal;
    expect(outcomeText({ ok: false, refusal })).toEqual({
      answer: '-EEXIST',
      refused: { message: 'm', rule: 'r', source: 's' },
    });
    expect(outcomeText({ ok: false, invalid: { code: 'unknown-object', message: 'no such IOAS' } } as never)).toEqual({
      refused: { message: 'no such IOAS' },
    });
    expect(outcomeText({ ok: true, answer: { ret: 0 } })).toEqual({ answer: '0' });
  });
});

describe('reasons', () => {
  const requested = (more: object) => reasonOf({ requested: more } as never).requested;

  test('have the requested range, up to the end of the space', () => {
    expect(requested({ start: 0x1000n, length: 0x1000n })).toEqual({ start: 0x1000n, last: 0x1fffn });
    expect(requested({ start: 0x1000n, length: 1n })).toEqual({ start: 0x1000n, last: 0x1000n });
    expect(requested({ start: 0x1000n, length: 1n << 64n })).toEqual({ start: 0x1000n, last: IOVA_MAX });
  });

  test('have none for a length of zero or without a start', () => {
    expect(requested({ start: 0x1000n, length: 0n })).toBeUndefined();
    expect(requested({ length: 1n })).toBeUndefined();
  });

  test('have an obstacle if it has both bounds', () => {
    const obstacle = (more: object) => reasonOf({ obstacle: { kind: 'area', ...more } } as never).obstacle;
    expect(obstacle({ start: 0x1000n, last: 0x1fffn })).toMatchObject({ start: 0x1000n, last: 0x1fffn });
    expect(obstacle({ start: 0x1000n })).toBeUndefined();
    expect(obstacle({})).toBeUndefined();
  });
});
