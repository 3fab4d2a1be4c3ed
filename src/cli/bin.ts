// The program itself: what `dist/cli/iovascope.js` runs.
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { isMainThread, parentPort, workerData } from 'node:worker_threads';
import type { CliIo } from './io.ts';
import { main } from './main.ts';
import { nodeThreads } from './node-threads.ts';

async function readStdin(): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of process.stdin) chunks.push(chunk);
  return Buffer.concat(chunks);
}

// The reader of our output may stop early (`… | head`): that is not an error.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(0);
    throw error;
  });
}

const io: CliIo = {
  stdout: (text) => process.stdout.write(text),
  stderr: (text) => process.stderr.write(text),
  stdin: readStdin,
  readFile,
  readFolder: (path) => readdir(path),
  writeFile,
  threads: nodeThreads(new URL(import.meta.url)),
};

async function run(): Promise<void> {
  try {
    process.exitCode = await main(process.argv.slice(2), io);
  } catch (error) {
    process.stderr.write(`iovascope: this is a bug: ${error instanceof Error ? error.stack : String(error)}\n`);
    process.exitCode = 2;
  }
}

if (isMainThread || !parentPort) await run();
else await (await import('./thread.ts')).serve(workerData, parentPort, io);
