// The library for `import … from 'iovascope'`: one bundle without dependencies, and its types. Into dist/lib.
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundleForNode } from './bundle.mjs';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const src = path.join(root, 'src');
const entry = path.join(src, 'lib', 'iovascope.ts');
const target = path.join(root, 'dist', 'lib');
/** `from './x.ts'` and `import('./x.ts')`, as the compiler leaves them in declarations. */
const SPECIFIER = /(from |import\()(['"])([^'"]+)\2/g;

/** Compiles the entry's declarations, and those of every file that it imports, into a folder laid out like src. */
function emitDeclarations(folder) {
  const config = path.join(folder, 'tsconfig.json');
  const compilerOptions = { noEmit: false, declaration: true, emitDeclarationOnly: true, rootDir: src, outDir: folder };
  const extended = path.join(root, 'tsconfig.json');
  writeFileSync(config, JSON.stringify({ extends: extended, compilerOptions, files: [entry], include: [] }));
  const tsc = path.join(root, 'node_modules', '.bin', 'tsc');
  const { stdout } = spawnSync(tsc, ['-p', config], { encoding: 'utf8' });
  // Files of other rooms are compiled too, but not published: that one of their types has no name does not matter.
  const errors = stdout.split('\n').filter((line) => line.startsWith('src/lib/') || /error TS(?!4\d{3})/.test(line));
  if (errors.length > 0) throw new Error(`the library's types cannot be compiled:\n${errors.join('\n')}`);
}

/** Copies a declaration and those that it refers to. What is public must not need another package or another room. */
function copyDeclaration(from, file, done = new Set()) {
  if (done.has(file)) return;
  done.add(file);
  const text = readFileSync(path.join(from, file.replace(/\.ts$/, '.d.ts')), 'utf8');
  const rewritten = text.replace(SPECIFIER, (_all, before, quote, name) => {
    if (!name.startsWith('./')) throw new Error(`src/lib/${file}: its public types refer to '${name}'`);
    copyDeclaration(from, name.slice(2), done);
    return `${before}${quote}${name.replace(/\.ts$/, '.js')}${quote}`;
  });
  const name = file === path.basename(entry) ? 'index.d.ts' : file.replace(/\.ts$/, '.d.ts');
  writeFileSync(path.join(target, name), rewritten);
}

rmSync(target, { recursive: true, force: true });
// The packages' builds for browsers: they import nothing of Node, so that the library runs in both.
await bundleForNode({ entry, folder: target, file: 'index.js', conditions: 'webworker' });
mkdirSync(path.join(root, 'dist'), { recursive: true });
const folder = mkdtempSync(path.join(root, 'dist', 'types-'));
try {
  emitDeclarations(folder);
  copyDeclaration(path.join(folder, 'lib'), path.basename(entry));
} finally {
  rmSync(folder, { recursive: true, force: true });
}
