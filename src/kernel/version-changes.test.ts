import { describe, expect, it } from 'vitest';
import { hasChange, isBefore } from './change.ts';
import { IOMMUFD_RULES } from './iommufd/rules.ts';
import { IOMMUFD_VFIO_RULES } from './iommufd-vfio/rules.ts';
import { createModel, MODEL_NAMES } from './models.ts';
import type { Rule } from './shared/rule.ts';
import { TYPE1_RULES } from './type1/rules.ts';
import {
  CHANGE_NAMES,
  changeOf,
  KERNEL_CHANGES,
  kernelRules,
  NEWEST_RULES,
  sinceText,
  versionsOf,
  withChange,
} from './version-changes.ts';

const LIMIT = KERNEL_CHANGES['iommufd-choice'];

describe('a change', () => {
  it.each([
    ['6.6.102', 'no'],
    ['6.6.103', 'yes'],
    ['6.6.103-1-amd64', 'yes'],
    ['6.12.42', 'no'],
    ['6.12.43', 'yes'],
    // A series is its newest patch.
    ['6.12', 'yes'],
    ['6.6', 'yes'],
    ['6.8.0-45-generic', 'no'],
    ['6.13', 'no'],
    ['6.16.1', 'no'],
    ['6.16.2', 'yes'],
    ['6.17', 'yes'],
    ['7.3.4', 'yes'],
  ] as const)('of stable series is in %s: %s', (version, answer) => {
    expect(hasChange(LIMIT, version)).toBe(answer);
  });

  it.each([
    ['6.12', 'no'],
    ['6.12.117', 'no'],
    ['6.13', 'unknown'],
    ['6.15.9', 'unknown'],
    ['6.16', 'yes'],
  ] as const)('of which it is not known when it came is in %s: %s', (version, answer) => {
    expect(hasChange(changeOf('type1-no-nesting'), version)).toBe(answer);
  });

  it('is absent where it is not known, and named', () => {
    const rules = kernelRules('6.14');
    expect(rules.has('type1-no-nesting')).toBe(false);
    expect(rules.uncertain).toContain('type1-no-nesting');
    expect(kernelRules('6.12').uncertain).toEqual([]);
    expect(withChange(rules, 'type1-no-nesting', true).has('type1-no-nesting')).toBe(true);
  });

  it('is there if the version is not one, and in the newest version', () => {
    for (const name of CHANGE_NAMES) {
      expect([kernelRules('banana'), kernelRules(), NEWEST_RULES, kernelRules('7.3')].map((r) => r.has(name))).toEqual([
        true,
        true,
        true,
        true,
      ]);
      expect(kernelRules('5.10').has(name)).toBe(false);
    }
  });

  it('says since when', () => {
    expect(sinceText(LIMIT)).toBe('since Linux 6.17 (also in 6.16.2, 6.12.43, 6.6.103)');
    expect(sinceText(changeOf('direct-region-refused'))).toBe('since about Linux 6.6');
  });

  it('is the limit of the older variants of rules', () => {
    const tables: readonly Readonly<Record<string, Rule>>[] = [TYPE1_RULES, IOMMUFD_RULES, IOMMUFD_VFIO_RULES];
    for (const { was = [] } of tables.flatMap((table) => Object.values(table))) {
      for (const { change, before } of was) expect(change && changeOf(change).since).toBe(before);
    }
  });
});

describe('the versions of a model', () => {
  it('are those that were recorded, and those around each change, in order', () => {
    expect(versionsOf('type1')).toEqual([
      '5.10',
      '6.1.15',
      '6.1.16',
      '6.1',
      '6.6',
      '6.12',
      '6.16',
      '6.17',
      '6.18',
      '7.2',
      '7.3',
    ]);
    const iommufd = versionsOf('iommufd');
    expect(iommufd).toEqual(
      expect.arrayContaining(['6.2', '6.6.102', '6.6.103', '6.12.42', '6.12.43', '6.13', '6.16.1']),
    );
    expect(iommufd.every((version) => !isBefore(version, '6.2'))).toBe(true);
  });
});

describe('the kernel of a session', () => {
  const notes = (kernel: string, model: string) => {
    const made = createModel({ kernel }, model);
    return made.ok ? made.notes : [made.message];
  };

  it('that did not have the model is answered by the nearest, and said', () => {
    expect(notes('6.1', 'iommufd')).toEqual([
      'Linux 6.1 does not have iommufd (since 6.2): the rules of Linux 6.2 are used',
    ]);
    expect(notes('6.1', 'iommufd-vfio')).toHaveLength(1);
    expect(notes('6.2', 'iommufd')).toEqual([]);
    expect(notes('5.10', 'type1')).toEqual([]);
  });

  it('that is older or newer than all that are known is answered by the nearest, and said', () => {
    expect(notes('4.19.2', 'type1')).toEqual([
      'Linux 4.19.2 is older than 5.10, the oldest known: the rules of Linux 5.10 are used',
    ]);
    expect(notes('8.0-rc1', 'dma-iommu')).toEqual([
      'Linux 8.0-rc1 is newer than 7.3, the newest known: the rules of Linux 7.3 are used',
    ]);
    expect(notes('7.3.99', 'iommufd')).toEqual([]);
    expect(notes('5.10.1', 'type1')).toEqual([]);
    expect(notes('9.9', 'iommufd-rfc')).toEqual([]);
  });

  it('that is no version is answered by the newest rules, and said', () => {
    expect(notes('lots', 'type1')).toEqual([
      "'lots' is not a kernel version such as 6.12: the newest known rules are used",
    ]);
    // The posting of 2022 is one version by itself.
    expect(notes('lots', 'iommufd-rfc')).toEqual([]);
    expect(MODEL_NAMES.every((name) => createModel({ kernel: '' }, name).ok)).toBe(true);
  });
});
