// Bundles a module and everything that it imports into one file for Node.
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));

/**
 * Writes `folder`/`file`. What is in the folder stays. The bundle needs no packages but those of `external`.
 * @param {{ entry: string, folder: string, file: string, conditions?: 'node' | 'webworker', external?: string[], banner?: string }} options
 *   `conditions`: which builds of packages are taken; those for `webworker` import nothing of Node
 */
export async function bundleForNode({ entry, folder, file, conditions = 'node', external = [], banner }) {
  const { build } = await import('vite');
  await build({
    root,
    configFile: false,
    logLevel: 'error',
    publicDir: false,
    ssr: { noExternal: true, target: conditions },
    build: {
      ssr: entry,
      target: 'node20',
      outDir: folder,
      emptyOutDir: false,
      minify: false,
      rolldownOptions: {
        external,
        output: {
          entryFileNames: file,
          codeSplitting: false,
          // Without blanks and comments; names stay, so that a trace of calls can be read.
          minify: { compress: false, mangle: false, codegen: { removeWhitespace: true } },
          ...(banner ? { banner } : {}),
        },
      },
    },
  });
}
