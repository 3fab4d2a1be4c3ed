import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MessageChannel } from 'node:worker_threads';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runCli } from './testing/run.ts';
import { serve } from './thread.ts';
import { type JobMessage, type ResultMessage, runInThreads, type Thread, type Threads } from './threads.ts';

/** Threads that do a job by a function, in this thread; one during whose job it throws ends. */
function inThisThread<Job, Result>(
  work: (job: Job, thread: number) => Result | Promise<Result>,
): Threads & { started: number } {
  const threads = {
    count: 3,
    started: 0,
    start(): Thread {
      const number = threads.started++;
      let answer: (message: unknown) => void = () => undefined;
      let end: (reason: string) => void = () => undefined;
      let isOver = false;
      let last: Promise<void> = Promise.resolve();
      return {
        post(message) {
          const { index, job } = message as JobMessage<Job>;
          last = last.then(async () => {
            if (isOver) return;
            try {
              const result = await work(job, number);
              answer({ index, result } satisfies ResultMessage<Result>);
            } catch (error) {
              isOver = true;
              end(String(error));
            }
          });
        },
        onMessage(take) {
          answer = take;
        },
        onEnd(take) {
          end = take;
        },
        end() {
          isOver = true;
        },
      };
    },
  };
  return threads;
}

describe('jobs in threads', () => {
  const jobs = Array.from({ length: 40 }, (_, i) => i);

  test('the results are in the order of the jobs, whichever thread is faster', async () => {
    const threads = inThisThread(async (job: number, thread) => {
      // The first thread is the slowest.
      for (let turns = 0; turns < 10 * (3 - thread); turns++) await Promise.resolve();
      return job * 2;
    });
    expect(await runInThreads(jobs, threads, undefined, () => -1)).toEqual(jobs.map((job) => job * 2));
    expect(threads.started).toBe(3);
  });

  test('a thread that ends takes its job with it, and no other', async () => {
    const deadly = new Set([0, 7, 8, 9, 39]);
    const threads = inThisThread((job: number) => {
      if (deadly.has(job)) throw new Error(`job ${job}`);
      return `${job}`;
    });
    const results = await runInThreads(jobs, threads, undefined, (job, reason) => `lost ${job}: ${reason}`);
    expect(results).toEqual(jobs.map((job) => (deadly.has(job) ? `lost ${job}: Error: job ${job}` : `${job}`)));
  });

  test('if every job ends its thread, every job is lost', async () => {
    const threads = inThisThread((): string => {
      throw new Error('no');
    });
    expect(await runInThreads(jobs, threads, undefined, (job) => `${job}`)).toEqual(jobs.map((job) => `${job}`));
  });
});

describe('compare in threads', () => {
  const COUNT = 40;
  let root = '';
  let paths: string[] = [];

  beforeAll(() => {
    root = mkdtempSync(join(tmpdir(), 'iovascope-'));
    paths = Array.from({ length: COUNT }, (_, i) => join(root, `host${i}`));
    for (const [i, path] of paths.entries()) {
      const group = join(path, 'sys/kernel/iommu_groups', `${i % 3}`);
      mkdirSync(group, { recursive: true });
      const direct = i % 5 === 0 ? '0x000000007b800000 0x000000007bffffff direct\n' : '';
      // Two hosts of one class whose regions have different types: what is said of it is that of the first.
      const odd =
        i === 11 || i === 31 ? `0x0000000080000000 0x00000000800fffff ${i === 11 ? 'direct' : 'reserved'}\n` : '';
      writeFileSync(join(group, 'reserved_regions'), `${direct}${odd}0x00000000fee00000 0x00000000feefffff msi\n`);
    }
    // Nothing to compare.
    mkdirSync(join(root, 'empty'));
    paths.splice(20, 0, join(root, 'empty'), join(root, 'missing'));
  });

  afterAll(() => rmSync(root, { recursive: true }));

  /** Threads that run what a thread of the program runs; `lost`: paths during which one ends. */
  function programThreads(lost: readonly string[]): Threads & { started: number } {
    const threads = {
      count: 2,
      started: 0,
      start(task: unknown): Thread {
        threads.started++;
        const { port1, port2 } = new MessageChannel();
        let end: (reason: string) => void = () => undefined;
        void serve(structuredClone(task), port2, {
          stdout: () => undefined,
          stderr: () => undefined,
          stdin: async () => new Uint8Array(),
          readFile: async () => new Uint8Array(),
          readFolder: async () => [],
          writeFile: async () => undefined,
        });
        return {
          post(message) {
            if (lost.includes((message as JobMessage<string>).job)) {
              // What it got before is still done.
              setImmediate(() => {
                port1.close();
                end('out of memory');
              });
            } else port1.postMessage(message);
          },
          onMessage: (take) => port1.on('message', take),
          onEnd(take) {
            end = take;
          },
          end: () => port1.close(),
        };
      },
    };
    return threads;
  }

  test.each([[[]], [['--json']], [['--guest', 'q35:4G', '--json']], [['--kernel', '5.4']]])(
    'the output is the same, byte for byte: %s',
    async (options: string[]) => {
      const args = ['compare', ...options, ...paths];
      const threads = programThreads([]);
      expect(await runCli(args, {}, '', threads)).toEqual(await runCli(args));
      expect(threads.started).toBe(2);
    },
  );

  test('with little to read, or standard input, there are no threads', async () => {
    const threads = programThreads([]);
    await runCli(['compare', ...paths.slice(0, 10)], {}, '', threads);
    await runCli(['compare', ...paths, '-'], {}, '', threads);
    expect(threads.started).toBe(0);
  });

  test('what a thread was reading when it ended is named; the rest is compared', async () => {
    const lost = paths[3] ?? '';
    const { code, stdout, stderr } = await runCli(['compare', '--json', ...paths], {}, '', programThreads([lost]));
    expect(code).toBe(2);
    expect(stderr).toContain(`compare: ${lost}: reading it failed: out of memory`);
    const { hosts, not_read } = JSON.parse(stdout);
    expect(hosts).toHaveLength(COUNT - 1);
    expect(not_read).toHaveLength(3);
  });
});
