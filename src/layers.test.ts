// Import rules: which folder of src may import from which, the order of the layers within a folder, and the files that a folder
// exports to others, at any depth. A new folder, or a new import between folders, needs an edit here.
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';

interface Folder {
  /** The other folders that it imports from. */
  readonly imports: string;
  /** The files that other folders may import: paths within the folder, `*` for any part of a name. */
  readonly offers: string;
  /** Its layers, lowest first: each imports only from itself and from earlier ones. Files that are not listed come first. */
  readonly order?: string;
}

/** Lowest layer first. */
const FOLDERS: Readonly<Record<string, Folder>> = {
  iova: {
    imports: '',
    offers: '*.ts interval-tree/tree.ts interval-tree/types.ts',
    order: 'interval-tree',
  },
  uapi: {
    imports: 'iova',
    offers: '*.ts hex/hex-dump.ts',
    order: 'hex',
  },
  session: {
    imports: 'iova uapi',
    offers: '*.ts sharing/*.ts',
  },
  'operation-lines': {
    imports: 'iova session',
    offers: 'answers.ts complete.ts nearest.ts parse.ts print.ts',
  },
  kernel: {
    imports: 'iova uapi session',
    offers:
      '*.ts dma-iommu/events.ts dma-iommu/model.ts iommufd-rfc/rules.ts replay/*.ts shared/platform-ranges.ts shared/refusal.ts shared/usable-ranges.ts',
    order:
      'shared/rule.ts shared/refusal.ts shared/platform-ranges.ts shared/prepared.ts model.ts shared iommufd iommufd-vfio iommufd-rfc type1 dma-iommu rule-book.ts models.ts replay',
  },
  dumps: {
    imports: 'iova uapi session',
    offers:
      'diagnostic-rule.ts diagnostics.ts remedies.ts input/collector.ts input/dump-of-host.ts input/event-queue.ts input/open.ts input/pacer.ts input/source-lines.ts input/tar-hosts.ts fields/pci-address.ts formats/guest/cpu-models.ts registry.ts',
    order: 'text/shell.ts format.ts fields input/event-queue.ts input/collector.ts text formats registry.ts input',
  },
  analysis: {
    imports: 'iova uapi session kernel dumps',
    offers:
      'host/*.ts guest/*.ts space/*.ts case/*.ts conflicts/conflict.ts conflicts/devices.ts conflicts/find-conflicts.ts conflicts/guest.ts conflicts/order.ts answer/*.ts decision/decision.ts decision/step.ts',
    order: 'host guest space case conflicts answer decision/step.ts decision',
  },
  timeline: {
    imports: 'iova uapi session kernel analysis',
    offers:
      'axis/*.ts lanes/columns.ts lanes/differences.ts lanes/earlier-mappings.ts lanes/kinds.ts lanes/lane.ts lanes/model-space.ts lanes/notes.ts lanes/sources.ts lanes/spaces.ts scene/bands.ts scene/answer-card.ts scene/bounds-table.ts scene/cut-lanes.ts scene/layout.ts scene/mark.ts scene/minimap.ts scene/scene.ts scene/style-names.ts scene/styles.ts scene/theme.ts scene/tokens.ts paint/*.ts text/ascii.ts text/drawing.ts',
    order: 'scene/style-names.ts scene/tokens.ts scene/patterns.ts scene/styles.ts lanes axis text scene paint',
  },
  lessons: {
    imports: 'iova session operation-lines kernel timeline',
    offers:
      'built-in.ts check-lesson.ts compile.ts judge.ts lesson.ts order.ts practice-name.ts practice.ts read-lesson.ts reading.ts record.ts',
  },
  engine: {
    imports: 'iova uapi session operation-lines kernel dumps analysis timeline lessons',
    offers:
      '*.ts protocol/*.ts documents/*.ts case/*.ts live/live-url.ts answers/answer.ts answers/named-comparison.ts answers/conflict-list.ts answers/numbered-bands.ts picture/guests.ts share/guest-value.ts share/selection-value.ts transport/*.ts',
    order:
      'protocol load-part.ts documents case answers/event-label.ts answers/event-text.ts answers/comparison.ts picture answers live share engine.ts transport',
  },
  app: {
    imports: 'iova uapi session analysis timeline engine lessons',
    offers: '',
    order:
      'state lists canvas shell/samples.ts shell/dropped-files.ts shell/open-files.ts panels shell main.tsx gallery',
  },
  lib: {
    imports: 'iova session kernel dumps analysis timeline engine',
    offers: '*.ts',
  },
  agent: {
    imports: 'iova session dumps',
    offers: 'agent.ts files.ts local-probe.ts web-server.ts',
  },
  cli: {
    imports: 'iova uapi session operation-lines kernel dumps analysis timeline lessons engine lib agent',
    offers: '',
  },
};

/** Packages that only one folder may import. Any other package may be imported anywhere. */
const FOLDER_OF_PACKAGE: Readonly<Record<string, string>> = {
  react: 'app',
  'react-dom': 'app',
  'react-aria': 'app',
  'react-aria-components': 'app',
  zustand: 'app',
  ws: 'agent',
};

const SRC = import.meta.dirname;
/** `import … from 'x'`, `export … from 'x'`, `import 'x'`, `import('x')`, `new URL('x', import.meta.url)`. */
const SPECIFIER = /(?:\bfrom\s+|\bimport\s*\(\s*|\bimport\s+|\bnew URL\(\s*)['"]([^'"\n]+)['"]/g;

interface Module {
  /** Path relative to src, with `/`. */
  readonly file: string;
  /** Paths relative to src, or names of packages. */
  readonly imports: readonly string[];
}

const modules: readonly Module[] = readdirSync(SRC, { recursive: true, encoding: 'utf8' })
  .map((file) => file.replaceAll(path.sep, '/'))
  .filter((file) => /\.tsx?$/.test(file) && !file.endsWith('layers.test.ts'))
  .map((file) => moduleOf(file, readFileSync(path.join(SRC, file), 'utf8')));

function moduleOf(file: string, text: string): Module {
  const imports = [...text.matchAll(SPECIFIER)].map(([, name = '']) =>
    name.startsWith('.')
      ? path.posix.join(path.posix.dirname(file), name)
      : name.replace(/^((?:@[^/]+\/)?[^/]+).*/, '$1'),
  );
  return { file, imports };
}

const isTest = (file: string) => /\.test\.ts$|\/testing\//.test(file);

/** The imports that the tables do not allow, as `from -> to: reason`. Tests may import any file. */
function violations(all: readonly Module[]): string[] {
  return all
    .filter(({ file }) => !isTest(file))
    .flatMap(({ file, imports }) => imports.map((to) => ({ file, to, reason: objection(file, to) })))
    .flatMap(({ file, to, reason }) => (reason ? [`${file} -> ${to}: ${reason}`] : []));
}

function objection(file: string, to: string): string | undefined {
  const [from = '', target = ''] = [file, to].map((name) => name.replace(/\/.*/, ''));
  const owner = FOLDER_OF_PACKAGE[to];
  if (owner !== undefined) return owner === from ? undefined : `a package of ${owner}`;
  if (!/\.(?:tsx?|css|json|md)$/.test(to)) return undefined;
  if (isTest(to)) return 'a test';
  if (from === target) return partOf(to) > partOf(file) ? `a later part of ${from}` : undefined;
  if (!list(FOLDERS[from]?.imports).includes(target)) return `${from} may not import ${target}`;
  const offers = list(FOLDERS[target]?.offers).map((glob) => glob.replaceAll('.', '\\.').replaceAll('*', '[^/]*'));
  return new RegExp(`^${target}/(?:${offers.join('|')})$`).test(to) ? undefined : `not offered by ${target}`;
}

const list = (words = '') => words.split(' ').filter(Boolean);

/** The layer of a file within its folder, by the longest matching path; -1 if none matches. */
function partOf(file: string): number {
  const [folder = '', ...rest] = file.split('/');
  const within = `${rest.join('/')}/`;
  const parts = [...list(FOLDERS[folder]?.order).entries()].filter(([, part]) => within.startsWith(`${part}/`));
  return parts.sort(([, a], [, b]) => b.length - a.length)[0]?.[0] ?? -1;
}

/** An import cycle, or undefined. */
function findCycle(all: readonly Module[]): readonly string[] | undefined {
  const importsByFile = new Map(all.map((module) => [module.file, module.imports]));
  const done = new Set<string>();
  const walk = (file: string, path: readonly string[]): readonly string[] | undefined => {
    if (path.includes(file)) return [...path.slice(path.indexOf(file)), file];
    if (done.has(file)) return undefined;
    for (const next of importsByFile.get(file) ?? []) {
      const cycle = walk(next, [...path, file]);
      if (cycle) return cycle;
    }
    done.add(file);
    return undefined;
  };
  for (const { file } of all) {
    const cycle = walk(file, []);
    if (cycle) return cycle;
  }
  return undefined;
}

describe('import rules', () => {
  test('every folder has a row, and every row a folder', () => {
    const folders = new Set(modules.map(({ file }) => file.replace(/\/.*/, '')));
    expect([...folders].sort()).toEqual(Object.keys(FOLDERS).sort());
  });

  test('folders import only what other folders offer, and layers only from earlier ones', () => {
    expect(violations(modules)).toEqual([]);
  });

  test('there are no import cycles', () => {
    expect(findCycle(modules)).toBeUndefined();
  });

  test('violations are found at any depth and in any form of import', () => {
    const wrong = (file: string, text: string) => violations([moduleOf(file, text)]);
    expect(wrong('iova/a/b/c.ts', "import { x } from '../../../app/state/store.ts';")).toEqual([
      'iova/a/b/c.ts -> app/state/store.ts: iova may not import app',
    ]);
    expect(wrong('kernel/x.ts', "import '../timeline/scene/scene.ts';")).toHaveLength(1);
    expect(wrong('kernel/x.ts', "const x = await import('../engine/engine.ts');")).toHaveLength(1);
    expect(wrong('engine/x.ts', "new Worker(new URL('../app/main.tsx', import.meta.url));")).toHaveLength(1);
    expect(wrong('engine/x.ts', "export * from '../app/main.tsx';")).toHaveLength(1);
    expect(wrong('timeline/x/y.ts', "import { useState } from 'react';")).toHaveLength(1);
    expect(wrong('app/x.ts', "import { createRoot } from 'react-dom/client';")).toEqual([]);
    expect(wrong('kernel/x.ts', "import { x } from '../iova/testing/arbitraries.ts';")).toHaveLength(1);
    expect(wrong('unknown/x.ts', "import { x } from '../iova/iova.ts';")).toHaveLength(1);
    expect(wrong('kernel/x.ts', "import { x } from '../iova/interval-tree/nodes.ts';")).toEqual([
      'kernel/x.ts -> iova/interval-tree/nodes.ts: not offered by iova',
    ]);
    expect(wrong('kernel/x.ts', "import { x } from '../iova/interval-tree/tree.ts';")).toEqual([]);
    expect(wrong('iova/iova.ts', "import { x } from './interval-tree/tree.ts';")).toEqual([
      'iova/iova.ts -> iova/interval-tree/tree.ts: a later part of iova',
    ]);
    expect(
      findCycle([
        { file: 'a', imports: ['b'] },
        { file: 'b', imports: ['c'] },
        { file: 'c', imports: ['b'] },
      ]),
    ).toEqual(['b', 'c', 'b']);
  });
});
