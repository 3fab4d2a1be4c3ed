import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

/** From the ground up: a folder imports only from those before it. */
const LAYERS = [
  'iova',
  'uapi',
  'session',
  'kernel',
  'dumps',
  'analysis',
  'timeline',
  'worker',
  'lessons',
  'app',
  'agent',
  'cli',
];
const root = path.resolve(import.meta.dirname, '..');
let folder = '';

/** Folders from which an import of every layer and of React was refused, as `from -> to`. */
let refused: Set<string>;

beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'iovascope-layers-'));
  cpSync(path.join(root, 'biome.json'), path.join(folder, 'biome.json'));
  symlinkSync(path.join(root, 'node_modules'), path.join(folder, 'node_modules'));
  for (const from of LAYERS) {
    mkdirSync(path.join(folder, 'src', from), { recursive: true });
    for (const to of [...LAYERS, 'react']) {
      const module = to === 'react' ? 'react' : `../${to}/x.ts`;
      writeFileSync(path.join(folder, 'src', from, `to-${to}.ts`), `export * from '${module}';\n`);
    }
  }
  const { stdout } = spawnSync(
    path.join(root, 'node_modules/.bin/biome'),
    ['lint', '--only=style/noRestrictedImports', '--reporter=json', '--max-diagnostics=none', '.'],
    { cwd: folder, encoding: 'utf8' },
  );
  refused = new Set([...stdout.matchAll(/src\/(\w+)\/to-(\w+)\.ts/g)].map((m) => `${m[1]} -> ${m[2]}`));
}, 60_000);

afterAll(() => rmSync(folder, { recursive: true }));

describe('the layers', () => {
  test.each(LAYERS.map((layer, i) => [layer, i] as const))('%s imports only from below', (from, i) => {
    // The page asks the engine instead of reaching into the models.
    const forbidden = [...LAYERS.slice(i + 1), ...(from === 'app' ? ['kernel'] : [])];
    expect(LAYERS.filter((to) => refused.has(`${from} -> ${to}`)).sort()).toEqual(forbidden.sort());
  });

  test('only the page knows React', () => {
    expect(LAYERS.filter((layer) => !refused.has(`${layer} -> react`))).toEqual(['app']);
  });
});
