// npm start: builds the explorer, serves it on this machine only, prints its URL, and opens it if there is a desktop.
import { build, preview } from 'vite';

await build({ logLevel: 'warn' });
const desktop =
  process.platform === 'darwin' || process.platform === 'win32' || process.env.DISPLAY || process.env.WAYLAND_DISPLAY;
const server = await preview({
  logLevel: 'warn',
  preview: { host: '127.0.0.1', port: 4173, open: Boolean(desktop) && !process.env.CI },
});
const address = server.httpServer.address();
console.log(`iovascope: http://127.0.0.1:${address.port}/  (Ctrl-C stops it)`);
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.on(signal, () => void server.close().then(() => process.exit(0)));
}
