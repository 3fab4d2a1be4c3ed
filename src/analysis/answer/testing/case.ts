// Made-up user cases for tests: texts in, the answer out.
import { expect } from 'vitest';
import { type CheckOptions, check } from '../../../lib/check.ts';
import { readDumps } from '../../../lib/read-dumps.ts';

export interface Case {
  readonly name: string;
  /** Texts by file name, or one paste. */
  readonly given: string | Readonly<Record<string, string>>;
  readonly options?: CheckOptions;
  /** What the first sentences must say. */
  readonly says: readonly (string | RegExp)[];
  readonly saysNot?: readonly (string | RegExp)[];
  readonly severity: 'fatal' | 'warning' | 'note' | 'clean';
}

/** Reads the texts of a case in one call and compares the answer with the expected one. */
export async function expectAnswer({ given, options, says, saysNot = [], severity }: Case): Promise<void> {
  const inputs = typeof given === 'string' ? given : Object.entries(given).map(([name, data]) => ({ name, data }));
  const { answer } = await check(await readDumps(inputs), options);
  for (const part of says) expect(answer.text).toMatch(part);
  for (const part of saysNot) expect(answer.text).not.toMatch(part);
  expect(answer.severity).toBe(severity);
}

/** `reserved_regions` of groups as `grep` prints them, from `group: "start last type"`. */
export function regions(groups: Readonly<Record<number, readonly string[]>>): string {
  return Object.entries(groups)
    .flatMap(([group, lines]) =>
      lines.map((line) => {
        const [start = '', last = '', type = ''] = line.split(' ');
        const padded = (text: string) => `0x${BigInt(text).toString(16).padStart(16, '0')}`;
        return `/sys/kernel/iommu_groups/${group}/reserved_regions:${padded(start)} ${padded(last)} ${type}`;
      }),
    )
    .join('\n');
}

/** The devices of groups, as `find` lists them. */
export function groups(all: Readonly<Record<number, readonly string[]>>): string {
  return Object.entries(all)
    .flatMap(([group, devices]) => devices.map((device) => `/sys/kernel/iommu_groups/${group}/devices/${device}`))
    .join('\n');
}
