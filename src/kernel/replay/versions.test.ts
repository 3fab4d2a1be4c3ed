import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { readSession } from '../../session/read.ts';
import { answerOf } from './replay.ts';
import { compareVersions, uncertainAnswers, type VersionComparison } from './versions.ts';

const header = (model: string, more = '') => `{"format":"iova-trace","version":1,"model":"${model}"${more}}`;
const sessionOf = (...lines: string[]) => readSession(`${lines.join('\n')}\n`).session;
const fixture = (name: string) =>
  readSession(readFileSync(new URL(`../fixtures/${name}`, import.meta.url), 'utf8')).session;

function compare(...args: Parameters<typeof compareVersions>): VersionComparison {
  const result = compareVersions(...args);
  if (!result.ok) throw new Error(result.message);
  return result.comparison;
}

const OPEN = '{"op":"container.open","container":"c","model":"type1v2"}';
const attach = (type: string, iommu = 'vtd') =>
  `{"op":"container.attach_group","container":"c","group":"1","domain":{"iommu":"${iommu}","aperture":["0x0","0xffffffffffffffff"],"pgsize_bitmap":"0x1000"},"reserved":[{"start":"0x3f000000","last":"0x3f7fffff","type":"${type}"}]}`;

describe('a session under every version', () => {
  it('says which operations differ, since when and why', () => {
    const { operations, differing, differences } = compare(
      sessionOf(
        header('type1'),
        OPEN,
        attach('direct'),
        '{"op":"container.check_extension","container":"c","extension":6}',
        '{"op":"container.check_extension","container":"c","extension":1}',
      ),
    );
    expect([operations, differing]).toEqual([4, 2]);
    expect(
      differences.map(({ line, op, answers, changes }) => [
        line,
        op,
        answers.map(({ versions, works, outcome }) => [versions.join(' '), works, answerOf(outcome)?.ret]),
        changes,
      ]),
    ).toEqual([
      [
        3,
        'container.attach_group',
        [
          ['5.10 6.1.15 6.1.16 6.1', false, '-EPERM'],
          ['6.6 6.12 6.16 6.17 6.18 7.2 7.3', false, '-EINVAL'],
        ],
        ['direct-region-refused'],
      ],
      [
        4,
        'container.check_extension',
        [
          ['5.10 6.1.15 6.1.16 6.1 6.6 6.12', true, 1],
          ['6.16 6.17 6.18 7.2 7.3', true, 0],
        ],
        ['type1-no-nesting'],
      ],
    ]);
  });

  it('distinguishes changes of the same version', () => {
    const map = (iova: string, size: string) =>
      `{"op":"container.map_dma","container":"c","flags":["read"],"vaddr":"0x0","size":"${size}","iova":"${iova}"}`;
    const { differences } = compare(
      sessionOf(
        header('type1'),
        OPEN,
        attach('msi'),
        map('0xfffffffffffff000', '0x2000'),
        map('0xfffffffffffff000', '0x1000'),
        map('0xfffffffffffff000', '0x1000'),
      ),
    );
    expect(differences.map(({ line, changes }) => [line, changes])).toEqual([
      [4, ['type1-overflow']],
      [6, ['type1-top']],
    ]);
  });

  it('has no difference where there is none, and only as many as wanted', () => {
    expect(compare(sessionOf(header('type1'), OPEN)).differing).toBe(0);
    const limited = compare(fixture('type1-6.1-amd-224.jsonl'), { limit: 2 });
    expect(limited.differences).toHaveLength(2);
    expect(limited.differing).toBeGreaterThan(2);
  });

  it('finds in a recording that version answers what was recorded', () => {
    for (const [name, version] of [
      ['type1-6.1-amd-224.jsonl', '6.1'],
      ['type1-7.3-amd-120.jsonl', '7.3'],
      ['iommufd-7.3-dev-709.jsonl', '7.3'],
      ['iommufd-vfio-6.12-vtd39-400.jsonl', '6.12'],
    ] as const) {
      const session = fixture(name);
      const { differences, versions: all } = compare(session, { limit: 40 });
      expect(differences.length).toBeGreaterThan(0);
      for (const { index, answers, changes } of differences) {
        const event = session.events.at(index);
        const own = answers.find(({ versions }) => versions.includes(version));
        expect(own && answerOf(own.outcome)).toEqual(event && 'expect' in event ? event.expect : undefined);
        expect(changes.length).toBeGreaterThan(0);
        expect(answers.flatMap(({ versions }) => versions).sort()).toEqual([...all].sort());
      }
    }
  });

  it('runs a session of another model, and refuses an unknown one', () => {
    const session = sessionOf(header('type1'), OPEN, attach('msi'));
    expect(compare(session, { model: 'iommufd' }).differing).toBe(0);
    expect(compareVersions(session, { model: 'zircon' })).toMatchObject({ ok: false });
  });
});

describe('a version between two known ones', () => {
  const extension = '{"op":"container.check_extension","container":"c","extension":6}';

  it('says which answers depend on a rule that is not known', () => {
    const session = sessionOf(header('type1', ',"kernel":"6.14.2"'), OPEN, extension, extension);
    expect(uncertainAnswers(session)).toEqual([{ change: 'type1-no-nesting', count: 2, index: 1, line: 3 }]);
    expect(uncertainAnswers(session, { kernel: '6.12' })).toEqual([]);
  });

  it('says nothing if no answer does', () => {
    expect(uncertainAnswers(sessionOf(header('type1', ',"kernel":"6.14"'), OPEN))).toEqual([]);
  });
});
