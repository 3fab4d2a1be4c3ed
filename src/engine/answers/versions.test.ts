import { describe, expect, test } from 'vitest';
import { Asker, sessionDocument, sessionText } from '../testing/documents.ts';

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
        { works: true, answer: '0', versions: ['6.16', '6.17', '6.18', '7.2', '7.3'], versionsLabel: '6.16 to 7.3' },
      ],
      verdict: undefined,
      changes: [{ name: 'type1-no-nesting', since: 'since Linux 6.16' }],
    });
  });

  test('of an unknown document or model is refused', async () => {
    const { engine } = new Asker([await sessionDocument('d', LINES, { model: 'type1' })]);
    expect(await engine.call('versions', { id: 'x', limit: 1 })).toMatchObject({ ok: false });
    expect(await engine.call('versions', { id: 'd', model: 'zircon', limit: 1 })).toMatchObject({ ok: false });
  });
});

describe('the kernel of the case', () => {
  const answers = async (asker: Asker, id: string) =>
    (await asker.ask('events', { id, offset: 0, limit: 10 })).map(({ answer }) => answer);

  test('answers the operations of its sessions, until it is taken back', async () => {
    const asker = new Asker();
    const text = (kernel: string) => sessionText(LINES, { model: 'type1', kernel });
    await asker.open('old', text('6.1'), 'old.jsonl');
    await asker.open('new', text('7.3'), 'new.jsonl');
    const told = (await asker.ask('case', null)).toldKernels;
    expect(told).toEqual([
      { version: '6.1', source: 'old.jsonl' },
      { version: '7.3', source: 'new.jsonl' },
    ]);
    // Two versions in one case: each session by its own.
    expect([(await answers(asker, 'old')).at(-1), (await answers(asker, 'new')).at(-1)]).toEqual(['1', '0']);
    await asker.ask('setKernel', { version: '6.12' });
    expect([(await answers(asker, 'old')).at(-1), (await answers(asker, 'new')).at(-1)]).toEqual(['1', '1']);
    await asker.ask('undo', null);
    expect((await answers(asker, 'new')).at(-1)).toBe('0');
  });

  test('that did not have the model, or is no version, is said', async () => {
    const read = async (header: object) =>
      (await sessionDocument('d', LINES, header)).diagnostics.map((d) => d.message);
    expect(await read({ model: 'iommufd-vfio', kernel: '6.1' })).toEqual([
      'Linux 6.1 does not have iommufd-vfio (since 6.2): the rules of Linux 6.2 are used',
    ]);
    expect(await read({ model: 'type1', kernel: 'banana' })).toHaveLength(1);
    expect(await read({ model: 'type1', kernel: '6.1' })).toEqual([]);
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
    const { versions, rows, verdicts } = await asker.ask('conflictVersions', { selectedGroups });
    // The group cannot be assigned in any version: nothing else is selected.
    expect(verdicts.flatMap((verdict) => verdict.versions)).toEqual(versions);
    expect(versions).toEqual(['5.10', '6.1', '6.12', '6.16', '6.17', '6.18', '7.2', '7.3']);
    expect(rows.map(({ errno, versions: present }) => [errno, present.join(' ')])).toEqual([
      ['EPERM', '5.10 6.1'],
      ['EINVAL', '6.12 6.16 6.17 6.18 7.2 7.3'],
    ]);
    expect(rows.map(({ versionsLabel }) => versionsLabel)).toEqual(['5.10, 6.1', '6.12 to 7.3']);
    expect(new Set(rows.map(({ rule }) => rule)).size).toBe(1);
  });

  test('say on which versions the whole case works', async () => {
    const asker = new Asker();
    await asker.open(
      'h',
      [
        'AMD-Vi: Using global IVHD EFR:0x0, EFR2:0x0',
        '/sys/kernel/iommu_groups/1/reserved_regions:0x00000000fee00000 0x00000000feefffff msi',
        '/sys/kernel/iommu_groups/1/devices/0000:00:14.0',
        '',
      ].join('\n'),
    );
    const documents = await asker.ask('documents', null);
    const selectedGroups = documents.flatMap(({ groups }) => groups.map(({ key }) => key));
    const { verdicts } = await asker.ask('conflictVersions', {
      selectedGroups,
      guest: { kind: 'ranges', text: '0x1000000000000-0x1000000000fff' },
    });
    expect(verdicts.map(({ severity, versionsLabel }) => [severity, versionsLabel])).toEqual([
      ['clean', '5.10 to 6.16'],
      ['fatal', '6.17 to 7.3'],
    ]);
  });
});
