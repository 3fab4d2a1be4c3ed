// The probe's C files call each other in one direction only.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const FOLDER = import.meta.dirname;
/** A file without its comments and texts. */
const read = (name: string) => readFileSync(join(FOLDER, name), 'utf8').replaceAll(/"(?:[^"\\\n]|\\.)*"|\/\/.*/g, '');

/** Functions and variables of probe.h. */
const shared = [...read('probe.h').matchAll(/^(?:extern )?[a-z][\w ]*[ *](\w+)(?:\(|;)/gm)].map(
  ([, name = '']) => name,
);
const files = readdirSync(FOLDER).filter((name) => name.endsWith('.c'));

/** What a file defines of probe.h, at the beginning of a line, and what it mentions. */
function namesOf(file: string): { readonly defined: readonly string[]; readonly used: readonly string[] } {
  const text = read(file);
  const has = (pattern: (name: string) => string) => shared.filter((name) => new RegExp(pattern(name), 'm').test(text));
  return {
    defined: has((name) => `^(?!static|extern)[a-z][\\w ]*[ *]${name}(?:;|\\([^;]*$)`),
    used: has((name) => `\\b${name}\\b`),
  };
}

test('no file of the probe calls itself through others', () => {
  const names = new Map(files.map((file) => [file, namesOf(file)]));
  const ownerOf = new Map([...names].flatMap(([file, { defined }]) => defined.map((name) => [name, file] as const)));
  // Every name has its file, so that none is missing in the graph.
  expect(shared.filter((name) => !ownerOf.has(name))).toEqual([]);
  const callees = (file: string) =>
    new Set((names.get(file)?.used ?? []).map((name) => ownerOf.get(name)).filter((owner) => owner !== file));
  const left = new Set(files);
  for (let before = -1; before !== left.size; ) {
    before = left.size;
    for (const file of left) if (![...callees(file)].some((owner) => left.has(owner ?? ''))) left.delete(file);
  }
  expect([...left]).toEqual([]);
  expect(callees('watch.c')).toContain('uevents.c');
});
