import { describe, expect, test } from 'vitest';
import { Asker, sessionDocument } from '../testing/documents.ts';

const LINES = [
  { op: 'container.open', container: 'c', model: 'type1v2' },
  { op: 'container.check_extension', container: 'c', extension: 6 },
];

describe('versions', () => {
  test('has the operations that versions answer differently, as text, with the changes that decide', async () => {
    const asker = new Asker([await sessionDocument('d', LINES, { model: 'type1' })]);
    const value = await asker.ask('versions', { id: 'd', limit: 10 });
    expect(value).toMatchObject({ model: 'type1', operations: 2, differing: 1 });
    expect(value.rows).toHaveLength(1);
    expect(value.rows[0]).toMatchObject({
      position: 2,
      text: 'container c: check extension 6',
      answers: [
        { works: true, answer: '1' },
        { works: true, answer: '0', versions: ['6.16', '6.17', '6.18', '7.2', '7.3'] },
      ],
      changes: [{ name: 'type1-no-nesting', since: 'since Linux 6.16' }],
    });
  });

  test('of an unknown document or model is refused', async () => {
    const { engine } = new Asker([await sessionDocument('d', LINES, { model: 'type1' })]);
    expect(await engine.call('versions', { id: 'x', limit: 1 })).toMatchObject({ ok: false });
    expect(await engine.call('versions', { id: 'd', model: 'zircon', limit: 1 })).toMatchObject({ ok: false });
  });
});

describe('conflicts by version', () => {
  test('are those that some versions do not have, each with its errno', async () => {
    const asker = new Asker();
    await asker.open(
      'h',
      [
        'DMAR: dmar0: reg_base_addr fed90000 ver 1:0 cap d2008c222f0686 ecap f00f5a',
        '/sys/kernel/iommu_groups/1/reserved_regions:0x000000003f000000 0x000000003f7fffff direct',
        '/sys/kernel/iommu_groups/1/devices/0000:00:14.0',
        '',
      ].join('\n'),
    );
    const documents = await asker.ask('documents', null);
    const selectedGroups = documents.flatMap(({ groups }) => groups.map(({ key }) => key));
    const { versions, rows } = await asker.ask('conflictVersions', { selectedGroups });
    expect(versions).toEqual(['5.10', '6.1', '6.12', '6.16', '6.17', '6.18', '7.2', '7.3']);
    expect(rows.map(({ errno, versions: present }) => [errno, present.join(' ')])).toEqual([
      ['EPERM', '5.10 6.1'],
      ['EINVAL', '6.12 6.16 6.17 6.18 7.2 7.3'],
    ]);
    expect(new Set(rows.map(({ rule }) => rule)).size).toBe(1);
  });
});
