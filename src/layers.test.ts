// The house: which room may import from which, at any depth. Another room needs a row here.
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';

/** From the ground up: a room imports from itself and from the rooms listed for it, from nothing else. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  iova: [],
  uapi: ['iova'],
  session: ['iova', 'uapi'],
  kernel: ['iova', 'uapi', 'session'],
  dumps: ['iova', 'uapi', 'session'],
  analysis: ['iova', 'uapi', 'session', 'kernel', 'dumps'],
  timeline: ['iova', 'uapi', 'session', 'kernel', 'analysis'],
  engine: ['iova', 'uapi', 'session', 'kernel', 'dumps', 'analysis', 'timeline'],
  app: ['iova', 'uapi', 'session', 'analysis', 'timeline', 'engine'],
  lib: ['iova', 'session', 'kernel', 'dumps', 'analysis', 'timeline', 'engine'],
  agent: ['iova', 'session', 'dumps'],
  cli: ['iova', 'uapi', 'session', 'kernel', 'dumps', 'analysis', 'timeline', 'engine', 'lib', 'agent'],
};

/** Packages that belong to one room. Everything else from outside may be imported anywhere. */
const ROOM_OF_PACKAGE: Readonly<Record<string, string>> = {
  react: 'app',
  'react-dom': 'app',
  'react-aria-components': 'app',
  zustand: 'app',
  ws: 'agent',
};

const SRC = import.meta.dirname;
/** `import … from 'x'`, `export … from 'x'`, `import 'x'`, `import('x')`, `new URL('x', import.meta.url)`. */
const SPECIFIER = /(?:\bfrom\s+|\bimport\s*\(\s*|\bimport\s+|\bnew URL\(\s*)['"]([^'"\n]+)['"]/g;

interface Module {
  /** Below src, with `/`. */
  readonly file: string;
  readonly imports: readonly string[];
}

const modules: readonly Module[] = readdirSync(SRC, { recursive: true, encoding: 'utf8' })
  .map((file) => file.replaceAll(path.sep, '/'))
  .filter((file) => /\.tsx?$/.test(file) && !file.endsWith('layers.test.ts'))
  .map((file) => ({ file, imports: importsOf(file, readFileSync(path.join(SRC, file), 'utf8')) }));

/** What a file imports: files below src, or names of packages. */
function importsOf(file: string, text: string): string[] {
  return [...text.matchAll(SPECIFIER)].map(([, name = '']) =>
    name.startsWith('.')
      ? path.posix.join(path.posix.dirname(file), name)
      : name.replace(/^((?:@[^/]+\/)?[^/]+).*/, '$1'),
  );
}

const roomOf = (file: string) => file.split('/')[0] ?? '';
const isTest = (file: string) => /\.test\.ts$|\/testing\//.test(file);

/** The imports of `all` that the table does not allow, as `from -> to`. Tests may use files of any room. */
function violations(all: readonly Module[]): string[] {
  return all
    .filter(({ file }) => !isTest(file))
    .flatMap(({ file, imports }) => imports.filter((to) => !isAllowed(file, to)).map((to) => `${file} -> ${to}`));
}

function isAllowed(file: string, to: string): boolean {
  const from = roomOf(file);
  const owner = ROOM_OF_PACKAGE[to];
  if (owner !== undefined) return owner === from;
  if (!/\.(?:tsx?|css|json|md)$/.test(to)) return true;
  if (isTest(to)) return false;
  return roomOf(to) === from || (MAY_IMPORT[from] ?? []).includes(roomOf(to));
}

/** A way through the imports that comes back to where it began, or undefined. */
function findCircle(all: readonly Module[]): readonly string[] | undefined {
  const importsByFile = new Map(all.map((module) => [module.file, module.imports]));
  const done = new Set<string>();
  const walk = (file: string, path: readonly string[]): readonly string[] | undefined => {
    if (path.includes(file)) return [...path.slice(path.indexOf(file)), file];
    if (done.has(file)) return undefined;
    for (const next of importsByFile.get(file) ?? []) {
      const circle = walk(next, [...path, file]);
      if (circle) return circle;
    }
    done.add(file);
    return undefined;
  };
  for (const { file } of all) {
    const circle = walk(file, []);
    if (circle) return circle;
  }
  return undefined;
}

describe('the house', () => {
  test('every room has its row, and every row its room', () => {
    const rooms = new Set(modules.map(({ file }) => roomOf(file)));
    expect([...rooms].sort()).toEqual(Object.keys(MAY_IMPORT).sort());
  });

  test('a room imports only from the rooms of its row', () => {
    expect(violations(modules)).toEqual([]);
  });

  test('no file imports itself through others', () => {
    expect(findCircle(modules)).toBeUndefined();
  });

  test('what is forbidden is found, at any depth and in any form of import', () => {
    const wrong = (file: string, text: string) => violations([{ file, imports: importsOf(file, text) }]);
    expect(wrong('iova/a/b/c.ts', "import { x } from '../../../app/state/store.ts';")).toEqual([
      'iova/a/b/c.ts -> app/state/store.ts',
    ]);
    expect(wrong('kernel/x.ts', "import '../timeline/scene/scene.ts';")).toHaveLength(1);
    expect(wrong('kernel/x.ts', "const x = await import('../engine/engine.ts');")).toHaveLength(1);
    expect(wrong('engine/x.ts', "new Worker(new URL('../app/main.tsx', import.meta.url));")).toHaveLength(1);
    expect(wrong('engine/x.ts', "export * from '../app/main.tsx';")).toHaveLength(1);
    expect(wrong('timeline/x/y.ts', "import { useState } from 'react';")).toEqual(['timeline/x/y.ts -> react']);
    expect(wrong('app/x.ts', "import { createRoot } from 'react-dom/client';")).toEqual([]);
    expect(wrong('kernel/x.ts', "import { x } from '../iova/testing/arbitraries.ts';")).toHaveLength(1);
    expect(wrong('lobby/x.ts', "import { x } from '../iova/iova.ts';")).toHaveLength(1);
    expect(
      findCircle([
        { file: 'a', imports: ['b'] },
        { file: 'b', imports: ['c'] },
        { file: 'c', imports: ['b'] },
      ]),
    ).toEqual(['b', 'c', 'b']);
  });
});
