// The page as one file that works from a disk, without a network: dist/web/offline.html. The page and `iovascope render`
// put a session into it. Everything is inline, the worker too, and packed; the policy allows exactly these two scripts
// by their hashes.
import { createHash } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import optimizeLocales from '@react-aria/optimize-locales-plugin';
import react from '@vitejs/plugin-react';
import { defineConfig, type Plugin } from 'vite';
import manifest from './package.json' with { type: 'json' };
import { REACT_ARIA_STYLES } from './vite.config.ts';
import { tokens } from './vite.tokens.ts';

const hashOf = (text: string) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;

/** Unpacks the page's script and runs it: the policy has its hash. */
const START = `(async () => {
const packed = Uint8Array.from(atob(document.getElementById('iovascope-code').textContent), (c) => c.charCodeAt(0));
const code = new Blob([packed]).stream().pipeThrough(new DecompressionStream('gzip'));
const script = document.createElement('script');
Object.assign(script, { type: 'module', id: 'iovascope-main', textContent: await new Response(code).text() });
document.head.append(script);
})();`;

/** Starts the engine, and takes samples and scripts, from inside of the page. */
function offlineModules(): Plugin {
  const state = fileURLToPath(new URL('src/app/state/x.ts', import.meta.url));
  return {
    name: 'offline-modules',
    enforce: 'pre',
    resolveId(source) {
      const name = /(?:^|\/)(start-engine|public-file)\.ts$/.exec(source)?.[1];
      return name === undefined ? null : this.resolve(`./${name}-offline.ts`, state);
    },
  };
}

/** Puts the script and the styles into the page, and leaves one file. */
function singleFile(): Plugin {
  return {
    name: 'single-file',
    enforce: 'post',
    // After the plugins that finish the chunks.
    generateBundle: {
      order: 'post',
      handler(_options, bundle) {
        const files = Object.values(bundle);
        const page = files.find(({ fileName }) => fileName.endsWith('.html'));
        const script = files.flatMap((file) => (file.type === 'chunk' && file.isEntry ? [file.code] : []))[0];
        if (page?.type !== 'asset' || script === undefined) throw new Error('the page or its script is missing');
        if (script.includes('__VITE_PRELOAD__')) throw new Error('the script is not finished');
        const chunks = files.filter(({ type }) => type === 'chunk');
        if (chunks.length !== 1) throw new Error(`expected one script: ${chunks.map(({ fileName }) => fileName)}`);
        const styles = files
          .flatMap((file) => (file.type === 'asset' && file.fileName.endsWith('.css') ? [String(file.source)] : []))
          .join('\n');
        const policy = [
          "default-src 'none'",
          `script-src ${hashOf(START)} ${hashOf(script)}`,
          `style-src ${hashOf(styles)} ${REACT_ARIA_STYLES}`,
          'img-src data: blob:',
          'connect-src ws://127.0.0.1:* ws://localhost:*',
          'worker-src blob:',
          "base-uri 'none'",
          "form-action 'none'",
        ].join('; ');
        const html = [
          '<!doctype html>',
          '<html lang="en"><head><meta charset="utf-8">',
          `<meta http-equiv="Content-Security-Policy" content="${policy}">`,
          '<meta name="viewport" content="width=device-width, initial-scale=1">',
          '<meta name="color-scheme" content="light dark"><title>iovascope</title>',
          `<style>${styles}</style>`,
          `<script type="application/gzip" id="iovascope-code">${gzipSync(script, { level: 9 }).toString('base64')}</script>`,
          `<script type="module">${START}</script></head>`,
          '<body><div id="root"></div><noscript>iovascope needs JavaScript.</noscript>',
          '</body></html>\n',
        ].join('\n');
        for (const name of Object.keys(bundle)) delete bundle[name];
        this.emitFile({ type: 'asset', fileName: 'offline.html', source: html });
      },
    },
  };
}

export default defineConfig({
  base: './',
  publicDir: false,
  define: {
    'import.meta.env.IOVASCOPE_VERSION': JSON.stringify(manifest.version),
    'import.meta.env.IOVASCOPE_OFFLINE': 'true',
  },
  plugins: [
    offlineModules(),
    react(),
    tokens(),
    { ...optimizeLocales.vite({ locales: ['en-US'] }), enforce: 'pre' },
    singleFile(),
  ],
  worker: { format: 'iife', rolldownOptions: { output: { codeSplitting: false } } },
  build: {
    target: 'es2022',
    outDir: 'dist/web',
    emptyOutDir: false,
    assetsInlineLimit: Number.MAX_SAFE_INTEGER,
    cssCodeSplit: false,
    modulePreload: false,
    rolldownOptions: { output: { codeSplitting: false } },
  },
});
