import { describe, expect, it } from 'vitest';
import { rawBytes, remainder, root } from './tree.ts';

const names = (nodes: readonly { name: string; offset: number; size: number }[]) =>
  nodes.map(({ name, offset, size }) => `${name} ${offset}+${size}`);

describe('remainder', () => {
  it.each<[string, number[], number, number, string[]]>([
    ['nothing', [0, 0], 2, 2, []],
    ['a byte of zero', [0, 0], 1, 2, ['padding 1+1']],
    ['seven zeros', new Array<number>(7).fill(0), 0, 7, ['padding 0+7']],
    ['eight zeros: too many for padding', new Array<number>(8).fill(0), 0, 8, ['bytes 0+8']],
    ['another byte', [0, 1, 0], 0, 3, ['bytes 0+3']],
    ['zeros before something else', [0, 0, 1], 0, 2, ['padding 0+2']],
  ])('%s', (_name, bytes, offset, end, expected) => {
    expect(names(remainder(Uint8Array.from(bytes), offset, end))).toEqual(expected);
  });

  it('says of bytes, not of padding, that they are unknown', () => {
    expect(remainder(Uint8Array.of(1), 0, 1)[0]?.meaning).toBeDefined();
    expect(remainder(Uint8Array.of(0), 0, 1)[0]?.meaning).toBeUndefined();
  });
});

describe('root', () => {
  const bytes = Uint8Array.from({ length: 16 }, (_, i) => i);
  const field = (name: string, offset: number, end: number) => rawBytes(name, bytes, offset, end);

  it('claims every byte: what no child has becomes raw bytes, in order', () => {
    const tree = root('t', bytes, [field('b', 8, 12), field('a', 2, 4)]);
    expect(names(tree.children)).toEqual(['bytes 0+2', 'a 2+2', 'bytes 4+4', 'b 8+4', 'bytes 12+4']);
    expect(tree.children[0]?.value).toBe('0001');
    expect([tree.offset, tree.size]).toEqual([0, 16]);
  });

  it('claims no byte twice where children overlap or touch', () => {
    expect(names(root('t', bytes, [field('a', 0, 10), field('b', 2, 4), field('c', 10, 16)]).children)).toEqual([
      'a 0+10',
      'b 2+2',
      'c 10+6',
    ]);
  });

  it('of no children is raw bytes alone, and of no bytes nothing', () => {
    expect(names(root('t', bytes, []).children)).toEqual(['bytes 0+16']);
    expect(root('t', new Uint8Array(), []).children).toEqual([]);
  });
});
