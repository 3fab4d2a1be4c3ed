import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { assertProperty } from '../iova/testing/arbitraries.ts';
import { type CompletionContext, completeLine } from './complete.ts';
import { parseOperationLine } from './parse.ts';
import { printOperation } from './print.ts';
import { anyLineOperation } from './testing/any-line-operation.ts';
import { verbsOf } from './vocabulary.ts';

const CONTEXT: CompletionContext = {
  names: { ioas: ['a', 'guest 1'], container: ['c'], device: ['nic', 'gpu'] },
  addresses: [{ text: '0xfef00000', label: 'after msi' }],
};
const texts = (line: string, context: CompletionContext = CONTEXT, cursor?: number) =>
  completeLine(line, context, cursor).items.map(({ text }) => text);

describe('completion', () => {
  test('an empty line offers the operations of the model', () => {
    expect(texts('')).toEqual(verbsOf('ioas'));
    expect(texts('', { model: 'type1' })).toEqual([
      'attach',
      'map',
      'unmap',
      'detach',
      'open',
      'info',
      'extension',
      'close',
    ]);
    expect(texts('', { model: 'dma-iommu' })).toEqual(['dma']);
  });

  test('names, quoted where they must be, then what the grammar has', () => {
    expect(texts('map ')).toEqual(['a', '"guest 1"']);
    expect(texts('map a ')).toEqual(['any', '0xfef00000']);
    expect(texts('map a 0x1000 ')).toEqual(['4K', '2M', '1G']);
    expect(texts('map a 0x1000 4K ').slice(0, 4)).toEqual(['rw', 'r', 'w', 'none']);
    expect(texts('map a 0x1000 4K rw memory ')).toContain('pfnmap');
    expect(texts('detach ')).toEqual(['group', 'nic', 'gpu']);
    expect(texts('attach new to a: ')).toEqual(expect.arrayContaining(['iommu', 'aperture', 'msi']));
    expect(texts('attach new to a: iommu v, ')).not.toContain('iommu');
  });

  test('the word at the cursor filters and is replaced; what is behind it is not looked at', () => {
    expect(completeLine('un', CONTEXT)).toMatchObject({ start: 0, end: 2, items: [{ text: 'unmap' }] });
    expect(completeLine('map a an nonsense', CONTEXT, 8)).toMatchObject({ start: 6, end: 8, items: [{ text: 'any' }] });
  });

  test('nothing after a mistake; the kinds of what cannot be listed', () => {
    expect(texts('map a nowhere ')).toEqual([]);
    expect(texts('alloc ')).toEqual(['hwpt']);
    expect(texts('open ')).toEqual([]);
    expect(completeLine('map a ', {}).kinds).toEqual(['address']);
    expect(completeLine('allow a ', {}).kinds).toEqual(['range']);
  });

  test('every keyword and name of a line is offered at its place', () => {
    assertProperty(
      fc.property(anyLineOperation, (operation) => {
        const model = operation.op.startsWith('container')
          ? 'type1'
          : operation.op.startsWith('dma')
            ? 'dma-iommu'
            : 'iommufd';
        const line = printOperation(operation, { model });
        for (const { index, 0: word } of line.matchAll(/(?<=^|\s)[a-z][a-z-]+(?=\s|$)/g)) {
          const before = line.slice(0, index);
          if ((before.match(/"/g) ?? []).length > 0) continue;
          const { items, kinds } = completeLine(before, { model });
          // A bare name is not a keyword, so what is not offered is a name.
          expect(items.some(({ text }) => text === word) || kinds.length > 0).toBe(true);
        }
      }),
      { numRuns: 1000 },
    );
  });

  test('a completion makes a line that is right or only too short', () => {
    assertProperty(
      fc.property(anyLineOperation, fc.nat({ max: 100 }), (operation, at) => {
        const line = printOperation(operation);
        const cursor = Math.min(at, line.length);
        const { start, items } = completeLine(line, CONTEXT, cursor);
        for (const { text } of items) {
          const before = line.slice(0, start);
          const completed = `${before}${/(^|\s)$/.test(before) ? '' : ' '}${text}`;
          const parsed = parseOperationLine(completed);
          if (!parsed.ok) expect(parsed.mistake.start).toBe(completed.length);
        }
      }),
      { numRuns: 500 },
    );
  });
});
