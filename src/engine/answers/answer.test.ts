import { describe, expect, test } from 'vitest';
import type { EngineDocument } from '../documents/document.ts';
import type { Trial } from '../protocol/answers.ts';
import { sessionDocument } from '../testing/documents.ts';
import { answerFor } from './answer.ts';

const msi = (group: string) => ({ kind: 'reserved', start: '0xfee00000', last: '0xfeefffff', type: 'msi', group });
const ALLOC = { op: 'ioas.alloc', ioas: 'a' };
const MAP = { op: 'ioas.map', ioas: 'a', flags: ['fixed', 'read'], user_va: '0x0', length: '0x1000', iova: '0x1000' };

function ask(documents: readonly EngineDocument[], more: Partial<Trial> = {}, unread: readonly string[] = []) {
  const selectedGroups = documents.flatMap(({ host }) => host.groups.map(({ key }) => key));
  return answerFor(new Map(documents.map((d) => [d.id, d])), { selectedGroups, ...more }, unread);
}

describe('the answer', () => {
  test('conflicts of one kind are one item', async () => {
    const document = await sessionDocument('h', [msi('1')]);
    const guest = { kind: 'ranges', text: '0xfee00000-0xfee00fff, 0xfee10000-0xfee10fff' } as const;
    const { answer, items, rows } = ask([document], { guest });
    expect(answer).toMatchObject({ severity: 'fatal', text: expect.stringContaining('does not fit') });
    expect(rows).toHaveLength(2);
    expect(items).toEqual([
      {
        id: rows[0]?.id,
        severity: 'fatal',
        scope: 'h',
        text: '2 overlaps: guest memory over MSI window',
        conflicts: rows.map(({ id }) => id),
      },
    ]);
    expect(answer.conflicts).toEqual(rows.map(({ id }) => id));
  });

  test('several hosts: the worst is named with its host', async () => {
    const quiet = await sessionDocument('a', [msi('1')]);
    const failing = await sessionDocument('b', [
      { kind: 'request', op: 'map', api: 'vfio', start: '0x0', last: '0xfff', result: '-EEXIST', name: 'pc.ram' },
    ]);
    const selectedGroups = [...quiet.host.groups, ...failing.mappings].map(({ key }) => key);
    const { answer } = ask([quiet, failing], {
      selectedGroups: [...selectedGroups, ...failing.mappings.map(({ key }) => `b/mappings ${key}`)],
    });
    expect(answer.text).toMatch(/^b: Map of 0x0-0xfff /);
  });

  test('what a model refused is mentioned, not listed', async () => {
    const document = await sessionDocument('t', [ALLOC, MAP, MAP], { model: 'iommufd' });
    const { answer, rows } = ask([document]);
    expect(rows).toEqual([]);
    expect(answer).toMatchObject({
      severity: 'note',
      text: 't: the model iommufd refuses 1 of 3 operations, the first one is event 3 (ioas.map of 0x1000-0x1fff: EEXIST). Part of the range is already mapped: area 0x1000-0x1fff.',
    });
    const twice = await sessionDocument('t', [ALLOC, MAP, MAP, MAP, MAP], { model: 'iommufd' });
    expect(ask([twice]).answer.text).toMatch(
      /refuses 3 of 5 .* event 3 .*\. Refused at this moment: event 5 \(ioas\.map of 0x1000-0x1fff: EEXIST\)\. Part of /,
    );
    document.position = 2;
    expect(ask([document]).answer).toMatchObject({
      severity: 'clean',
      text: 't: the model iommufd accepts all 2 operations.',
    });
  });

  test('without anything to say: what was looked at, and what could not be', async () => {
    expect(ask([]).answer).toMatchObject({
      severity: 'clean',
      text: 'Nothing was refused and no fault was logged in these dumps.',
    });
    expect(ask([await sessionDocument('h', [msi('1')])], {}, ['a.log', 'b', 'c', 'd']).answer.text).toMatch(
      /^No conflicts in what was read on group 1: .* Not read: a\.log, b, c and 1 more input\.$/,
    );
  });
});
