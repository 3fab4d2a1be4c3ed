import { describe, expect, test } from 'vitest';
import { IOVA_MAX } from '../../iova/iova.ts';
import type { Refusal } from '../../kernel/shared/refusal.ts';
import { eventsOf } from '../../timeline/testing/sources.ts';
import { answerText, eventText, outcomeText, reasonOf } from './event-text.ts';

const textOf = (line: object) => eventsOf([line]).map((event) => eventText(event))[0];

describe('events as text', () => {
  test('a fact is its kind and its fields, without where it was read', () => {
    expect(textOf({ kind: 'reserved', start: '0xfee00000', last: '0xfeefffff', type: 'msi', group: '1' })).toBe(
      'reserved start=0xfee00000 last=0xfeefffff type=msi group=1',
    );
    expect(textOf({ kind: 'group', group: '1', devices: ['a', 'b'] })).toBe('group group=1 devices=["a","b"]');
  });

  test('an operation is its name and its arguments, without what was expected', () => {
    expect(
      textOf({
        ...{ op: 'ioas.map', ioas: 'a', flags: ['fixed'], user_va: '0x0', length: '0x1000', iova: '0x4000' },
        expect: { ret: 0, iova: '0x4000' },
      }),
    ).toBe('ioas.map ioas=a flags=["fixed"] user_va=0x0 length=0x1000 iova=0x4000');
    expect(textOf({ op: 'ioas.allow_iovas', ioas: 'a', ranges: [['0x0', '0xfff']] })).toBe(
      'ioas.allow_iovas ioas=a ranges=[["0x0","0xfff"]]',
    );
  });

  test('a request has both a kind and an operation', () => {
    const request = { kind: 'request', op: 'map', api: 'vfio', start: '0x0', last: '0xfff', result: 0 };
    expect(textOf(request)).toBe('request start=0x0 last=0xfff op=map api=vfio result=0');
  });

  test('further fields can be left out', () => {
    const [event] = eventsOf([{ kind: 'iommu', name: 'dmar0', driver: 'intel', seen: 5 }]);
    expect(event && eventText(event, ['seen', 'driver'])).toBe('iommu name=dmar0');
  });

  test('an unknown event is its name; a long text is cut', () => {
    expect(eventText({ unknown: 'op', name: 'ioas.frobnicate' })).toBe('unknown event: ioas.frobnicate');
    const text = textOf({ kind: 'diagnostic', severity: 'info', code: 'x', message: 'y'.repeat(400) });
    expect(text).toHaveLength(301);
    expect(text?.endsWith('y…')).toBe(true);
    const exact = textOf({ kind: 'diagnostic', severity: 'info', code: 'x', message: 'y'.repeat(300 - 40) });
    expect(exact?.length).toBe(300);
  });
});

describe('answers as text', () => {
  test('have what the call returned first', () => {
    expect(answerText({ ret: 0 })).toBe('0');
    expect(answerText({ iova: 0x4000n, ret: 0, unmapped: undefined } as never)).toBe('0 iova=0x4000');
    expect(answerText({ ret: '-ENOENT' })).toBe('-ENOENT');
    expect(answerText({ ret: 0, ranges: [[0n, 0xfffn]] } as never)).toBe('0 ranges=[["0x0","0xfff"]]');
  });

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
