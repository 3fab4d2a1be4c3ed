// What a thread of the program does (threads.ts): the jobs of the task that it was started for.
import type { MessagePort } from 'node:worker_threads';
import { isCompareTask, servePaths } from './compared-paths.ts';
import type { CliIo } from './io.ts';

/** Rejects for a task that it does not know. */
export async function serve(task: unknown, port: MessagePort, io: CliIo): Promise<void> {
  if (!isCompareTask(task)) throw new Error('a thread was started without a task');
  await servePaths(
    task,
    { post: (message) => port.postMessage(message), onMessage: (take) => port.on('message', take) },
    io,
  );
}
