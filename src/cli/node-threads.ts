// Threads of the program itself: `dist/cli/iovascope.js` is one file, which also runs in its threads.
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import type { Thread, Threads } from './threads.ts';

/** Why a thread ended, in words. */
function reasonOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'ERR_WORKER_OUT_OF_MEMORY') return 'it needs more memory than a thread may have';
  return error instanceof Error ? error.message : String(error);
}

/** `program`: the file that a thread runs. */
export function nodeThreads(program: URL): Threads {
  return {
    count: availableParallelism(),
    start(task): Thread {
      const worker = new Worker(program, { workerData: task, execArgv: [] });
      let isOver = false;
      return {
        post: (message) => worker.postMessage(message),
        onMessage: (take) => worker.on('message', take),
        onEnd(take) {
          const end = (reason: string) => {
            if (isOver) return;
            isOver = true;
            take(reason);
          };
          worker.on('error', (error) => end(reasonOf(error)));
          worker.on('exit', (code) => end(`its thread ended with code ${code}`));
        },
        end() {
          isOver = true;
          void worker.terminate();
        },
      };
    },
  };
}
