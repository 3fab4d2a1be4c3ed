// The text form of any session, and of the samples: mail programs leave it as it is.
import { readdirSync, readFileSync } from 'node:fs';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { anyAddress, anyRange } from '../../iova/testing/arbitraries.ts';
import { anyContainerOperation, anyDmaOperation, anyOperation } from '../../kernel/testing/any-operation.ts';
import type { SessionEvent } from '../../session/events.ts';
import { newSession } from '../../session/session.ts';
import { writeSession } from '../../session/write.ts';
import { Asker, filesOf } from '../testing/documents.ts';

/** All of them at a desk; in CI a part, with other seeds each time. */
const RUNS = process.env.CI ? 40 : 200;

const word = fc.oneof(
  fc.constantFrom('msi', 'direct', 'reserved', 'pc.ram', 'a name of more than seventy-two columns '.repeat(3).trim()),
  fc.constantFrom('Überhöhte Größe', '\u202egnp.exe', '漢字'.repeat(50), 'x\ty', '> quoted', '```'),
  fc.string({ unit: 'grapheme', minLength: 1, maxLength: 90 }),
);
const group = fc.constantFrom('1', '2', '17');
const device = fc.constantFrom('0000:01:00.0', '0000:02:00.0');
const source = fc.option(word, { nil: undefined });
const ranged = <T extends object>(more: { [K in keyof T]: fc.Arbitrary<T[K]> }) =>
  fc.tuple(anyRange, fc.record(more)).map(([{ start, last }, rest]) => ({ start, last, ...rest }));
const fact: fc.Arbitrary<SessionEvent> = fc.oneof(
  fc.record({ kind: fc.constant('group' as const), group, devices: fc.array(device, { maxLength: 2 }) }),
  fc.record({ kind: fc.constant('host' as const), name: word }),
  fc.record({ kind: fc.constant('fault' as const), address: anyAddress, device, reason: word }),
  ranged({ kind: fc.constant('reserved' as const), type: word, origin: fc.constant('sysfs'), group, source }),
  ranged({ kind: fc.constant('guest' as const), name: word, type: fc.constantFrom('ram', 'rom', 'i/o') }),
  ranged({ kind: fc.constant('aperture' as const), group }),
  ranged({ kind: fc.constant('note' as const), text: word }),
  ranged({
    ...{ kind: fc.constant('request' as const), op: fc.constant('map' as const), api: fc.constant('vfio' as const) },
    result: fc.constantFrom('-EINVAL', '-EEXIST'),
  }),
) as fc.Arbitrary<SessionEvent>;
const operations = fc.oneof(
  fc.tuple(fc.constant('iommufd'), fc.array(anyOperation, { maxLength: 15 })),
  fc.tuple(fc.constant('type1'), fc.array(anyContainerOperation, { maxLength: 15 })),
  fc.tuple(fc.constant('dma-iommu'), fc.array(anyDmaOperation, { maxLength: 15 })),
);
const session = fc
  .record({ facts: fc.array(fact, { minLength: 1, maxLength: 12 }), run: operations, title: source })
  .map(({ facts, run: [model, list], title }) =>
    writeSession({
      ...newSession({ title }),
      header: { format: 'iova-trace', version: 1, model, ...(title === undefined ? {} : { title }) },
      events: [...facts, ...list],
    }),
  );

async function textOf(files: Readonly<Record<string, string>>, notes?: string): Promise<string | undefined> {
  const open = new Asker();
  const opened = await open.engine.call('open', { title: 'drop', files: filesOf(files) });
  if (!opened.ok) return undefined;
  const documents = await open.ask('documents', null);
  const selectedGroups = documents.flatMap((d) => [...d.groups, ...d.spaces, ...d.layers].map(({ key }) => key));
  const params = { selectedGroups, expanded: [], scale: 'fold', version: '1.0', base: 'https://example.org/' } as const;
  return (await open.ask('share', { ...params, form: 'text', notes })).text;
}

function check(text: string): void {
  for (const line of text.split('\n')) expect(line).toMatch(/^[ -~]{0,72}$/);
  expect(text).toMatch(/^IOVA layout:? ?/);
  expect(text.endsWith('\n')).toBe(true);
}

test('ASCII and 72 columns, whatever is in the session', async () => {
  let made = 0;
  await fc.assert(
    fc.asyncProperty(session, fc.option(word, { nil: undefined }), async (text, notes) => {
      const report = await textOf({ 'x.iova.jsonl': text }, notes);
      if (report === undefined) return;
      made++;
      check(report);
    }),
    { numRuns: RUNS },
  );
  expect(made).toBeGreaterThan(RUNS / 2);
});

const SAMPLES = new URL('../../../public/samples/', import.meta.url);

test.each(readdirSync(SAMPLES))('of the sample %s', async (name) => {
  const folder = new URL(`${name}/`, SAMPLES);
  const files = readdirSync(folder).map((file) => [file, readFileSync(new URL(file, folder), 'utf8')]);
  const report = await textOf(Object.fromEntries(files));
  check(report ?? '');
  expect(report).toMatch(/^a {2}0x/m);
});
