import fc from 'fast-check';
import { expect, test } from 'vitest';
import { assertProperty } from '../../../iova/testing/arbitraries.ts';
import { flowValues } from './flow-values.ts';

const pairs = (text: string) => flowValues(text).map(({ path, value }) => `${path}=${value}`);

test.each([
  ['{cores: 4, model: host-passthrough}', ['cores=4', 'model=host-passthrough']],
  ['{ "type": "q35" }', ['type=q35']],
  [
    '{memory: {guest: "16Gi", hugepages: {pageSize: 1Gi}}, cpu: {model: EPYC}}',
    ['memory.guest=16Gi', 'memory.hugepages.pageSize=1Gi', 'cpu.model=EPYC'],
  ],
  ['[{deviceName: a.com/b, name: x}, {deviceName: c.com/d}]', ['deviceName=a.com/b', 'name=x', 'deviceName=c.com/d']],
  ["{a: 'it''s, here', b: c:d}", ["a=it''s, here", 'b=c:d']],
  ['{a: {b: 1', ['a.b=1']],
  ['{}', []],
  ['', []],
])('%s', (text, expected) => {
  expect(pairs(text)).toEqual(expected);
});

test('JSON gives its scalars with their paths', () => {
  const word = fc.stringMatching(/^[a-z][\w]{0,8}$/);
  const tree = fc.letrec<{ value: unknown }>((tie) => ({
    value: fc.oneof(
      { depthSize: 'small' },
      word,
      fc.nat(),
      fc.dictionary(word, tie('value'), { noNullPrototype: true }),
    ),
  })).value;
  const scalars = (value: unknown, path: string): string[] =>
    typeof value === 'object' && value !== null
      ? Object.entries(value).flatMap(([key, entry]) => scalars(entry, path === '' ? key : `${path}.${key}`))
      : [`${path}=${value}`];
  assertProperty(
    fc.property(fc.dictionary(word, tree, { noNullPrototype: true }), (value) => {
      expect(pairs(JSON.stringify(value))).toEqual(scalars(value, ''));
    }),
  );
});

test('nothing throws, whatever the text', () => {
  assertProperty(
    fc.property(fc.string(), (text) => {
      flowValues(`{${text}`);
    }),
  );
});
