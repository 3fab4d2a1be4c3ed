import { describe, expect, test } from 'vitest';
import type { EngineDocument } from '../documents/document.ts';
import type { GuestChoice, Trial } from '../protocol/answers.ts';
import { sessionDocument } from '../testing/documents.ts';
import { conflictList } from './conflict-list.ts';

const MSI = { kind: 'reserved', start: '0xfee00000', last: '0xfeefffff', type: 'msi', group: '1' };
const OVER_MSI: GuestChoice = { kind: 'ranges', text: '0x0-0xffffffff' };
const ALLOC = { op: 'ioas.alloc', ioas: 'a' };
const map = (iova: string) => ({
  ...{ op: 'ioas.map', ioas: 'a', flags: ['fixed', 'read'], user_va: '0x0', length: '0x1000', iova },
});

function list(documents: readonly EngineDocument[], more: Partial<Trial> = {}) {
  const groups = documents.flatMap(({ host }) => host.groups.map(({ key }) => key));
  const spaces = documents.flatMap(({ id }) => [`${id}/space a`, `${id}/reported c`]);
  return conflictList(new Map(documents.map((d) => [d.id, d])), { selectedGroups: [...groups, ...spaces], ...more });
}

describe('the list of conflicts', () => {
  test('is numbered over all hosts', async () => {
    const documents = await Promise.all(['x', 'y'].map((id) => sessionDocument(id, [MSI])));
    const { rows, more, problem } = list(documents, { guest: OVER_MSI });
    expect(rows.map(({ number, document, host, rule }) => [number, document, host, rule])).toEqual([
      [1, 'x', 'x', 'guest-over-reserved'],
      [2, 'y', 'y', 'guest-over-reserved'],
    ]);
    expect([more, problem]).toEqual([0, undefined]);
  });

  test('of several hosts begins with what is fatal', async () => {
    const fault = { kind: 'fault', address: '0x1000' };
    const noted = await sessionDocument('x', [{ ...MSI, group: '2' }, fault]);
    const { rows } = list([noted, await sessionDocument('y', [MSI])], {
      guest: OVER_MSI,
      selectedGroups: ['x/group 2', 'y/group 1'],
    });
    const severities = rows.map(({ severity }) => severity);
    expect(severities.toSorted((a, b) => 'fwn'.indexOf(a.charAt(0)) - 'fwn'.indexOf(b.charAt(0)))).toEqual(severities);
    expect(new Set(rows.map(({ document }) => document))).toEqual(new Set(['x', 'y']));
    expect(rows.map(({ number }) => number)).toEqual(rows.map((_, i) => i + 1));
  });

  test('has nothing of what is not selected', async () => {
    const document = await sessionDocument('x', [MSI]);
    expect(list([document], { guest: OVER_MSI, selectedGroups: [] }).rows).toEqual([]);
    expect(list([document]).rows).toEqual([]);
  });

  test('says why a guest cannot be tried', async () => {
    const { rows, problem } = list([await sessionDocument('x', [MSI])], {
      guest: { kind: 'ranges', text: 'nonsense' },
    });
    expect([rows.length, problem]).toEqual([0, expect.stringContaining('"nonsense"')]);
  });

  test('names each place once', async () => {
    const twice = { ...MSI, source: 'dump', line: 3 };
    const [row] = list([await sessionDocument('x', [twice, twice])], { guest: OVER_MSI }).rows;
    expect(row?.provenance).toEqual([{ source: 'dump', line: 3 }]);
  });

  test('has a guest on the spaces of models', async () => {
    const reserve = { op: 'ioas.reserve', ioas: 'a', start: '0x1000', length: '0x1000' };
    const document = await sessionDocument('t', [ALLOC, reserve], { model: 'iommufd' });
    expect(
      list([document], { guest: OVER_MSI }).rows.map(({ marks }) => marks.some(({ role }) => role === 'requested')),
    ).toEqual([true]);
    expect(list([document], { guest: OVER_MSI, selectedGroups: [] }).rows).toEqual([]);
    expect(list([document]).rows).toEqual([]);
  });

  test('has a guest on what kernels reported', async () => {
    const document = await sessionDocument('r', [{ kind: 'valid_range', start: '0x0', last: '0xfff', container: 'c' }]);
    expect(list([document], { guest: OVER_MSI }).rows).toHaveLength(1);
    expect(list([document], { guest: { kind: 'ranges', text: '0x0-0xfff' } }).rows).toEqual([]);
    expect(list([document], { guest: OVER_MSI, selectedGroups: [] }).rows).toEqual([]);
  });

  test('has nothing of what a model refused: that belongs to the events', async () => {
    const document = await sessionDocument('t', [ALLOC, map('0x1000'), map('0x1000')], { model: 'iommufd' });
    expect(list([document]).rows).toEqual([]);
  });

  test('of very many conflicts the first four hundred are listed and the rest counted', async () => {
    const faults = Array.from({ length: 100 }, (_, i) => ({ kind: 'fault', address: `0x${(i + 1).toString(16)}000` }));
    const documents = await Promise.all(['a', 'b', 'c', 'd', 'e'].map((id) => sessionDocument(id, [MSI, ...faults])));
    const { rows, more } = list(documents);
    expect([rows.length, more, rows.at(-1)?.number]).toEqual([400, 100, 400]);
  });
});
