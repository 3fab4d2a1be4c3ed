import optimizeLocales from '@react-aria/optimize-locales-plugin';
import react from '@vitejs/plugin-react';
import { defineConfig, type Plugin } from 'vite';
import manifest from './package.json' with { type: 'json' };
import { tokens } from './vite.tokens.ts';

/**
 * Everything comes from the page's own origin; nothing is evaluated and nothing is inline. WebSockets to this machine
 * are for the live host agent. The development server needs inline scripts of its own, so the policy is for the build.
 */
export const REACT_ARIA_STYLES = [
  // Two constant style sheets that react-aria puts into the page (touch-action of buttons; scrolling behind dialogs).
  "'sha256-38RhXrc7EdReTKsOm23ZPOCUgniTUUcjky8QOOrQx6o='",
  "'sha256-gYiS/BvZvRcK27JIXTuwhZ3hs2+VJ1X+2gUlE+farlg='",
].join(' ');
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  `style-src 'self' ${REACT_ARIA_STYLES}`,
  "img-src 'self' data: blob:",
  "connect-src 'self' ws://127.0.0.1:* ws://localhost:*",
  "worker-src 'self'",
  "manifest-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
].join('; ');

function contentSecurityPolicy(): Plugin {
  return {
    name: 'content-security-policy',
    apply: 'build',
    transformIndexHtml: () => [
      {
        tag: 'meta',
        attrs: { 'http-equiv': 'Content-Security-Policy', content: POLICY },
        injectTo: 'head-prepend',
      },
    ],
  };
}

/** What the entry needs is one file: parts that are loaded later share much of it, in many small files otherwise. */
const CHUNKS = { groups: [{ name: 'initial', tags: ['$initial' as const] }] };

export default defineConfig({
  base: './',
  define: { 'import.meta.env.IOVASCOPE_VERSION': JSON.stringify(manifest.version) },
  // The page speaks English: the widgets' words in other languages would be a tenth of the first load.
  plugins: [
    react(),
    tokens(),
    { ...optimizeLocales.vite({ locales: ['en-US'] }), enforce: 'pre' },
    contentSecurityPolicy(),
  ],
  // What the worker imports too: what is found later reloads the page in the middle of its work.
  optimizeDeps: { entries: ['*.html', 'src/engine/transport/engine.worker.ts'] },
  worker: { format: 'es', rolldownOptions: { output: { codeSplitting: CHUNKS } } },
  build: {
    target: 'es2022',
    outDir: 'dist/web',
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rolldownOptions: { output: { codeSplitting: CHUNKS } },
  },
});
