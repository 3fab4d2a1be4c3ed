// Work that is shared by several threads of the process: jobs that do not depend on each other. The results are the same, and
// in the same order, as if the jobs were done one after the other.

/** A thread that does jobs one after the other, in the order in which it gets them. Messages are copied. */
export interface Thread {
  post(message: unknown): void;
  onMessage(take: (message: unknown) => void): void;
  /** Called once if the thread ends by itself. `reason`: why, in words. */
  onEnd(take: (reason: string) => void): void;
  end(): void;
}

/** How a program starts threads of itself. */
export interface Threads {
  /** How many can run at once. */
  readonly count: number;
  /** Starts one that gets `task`, which must say what its jobs are. */
  start(task: unknown): Thread;
}

/** What a thread gets. */
export interface JobMessage<Job> {
  readonly index: number;
  readonly job: Job;
}

/** What it answers. */
export interface ResultMessage<Result> {
  readonly index: number;
  readonly result: Result;
}

/** More would need more memory than they save time. */
const THREADS_MAX = 4;
/** Jobs that a thread has at once: it need not wait for the next one. */
const AHEAD = 3;

/**
 * Does the jobs in threads. `lost`: the result of a job during which its thread ended; the other jobs of that thread are
 * given to a new one.
 */
export function runInThreads<Job, Result>(
  jobs: readonly Job[],
  { count, start }: Threads,
  task: unknown,
  lost: (job: Job, reason: string) => Result,
): Promise<Result[]> {
  const results = new Map<number, Result>();
  const waiting = [...jobs.entries()].reverse();
  const running = new Set<Thread>();
  return new Promise((resolve) => {
    const finish = () => {
      for (const thread of running) thread.end();
      resolve(jobs.flatMap((_, index) => (results.has(index) ? [results.get(index) as Result] : [])));
    };
    const startOne = () => {
      const thread = start(task);
      /** In the order in which the thread does them. */
      let given: number[] = [];
      let isOver = false;
      const give = () => {
        while (given.length < AHEAD) {
          const next = waiting.pop();
          if (!next) return;
          const [index, job] = next;
          given.push(index);
          thread.post({ index, job } satisfies JobMessage<Job>);
        }
      };
      thread.onMessage((message) => {
        const { index, result } = message as ResultMessage<Result>;
        if (isOver) return;
        results.set(index, result);
        given = given.filter((other) => other !== index);
        give();
        if (results.size === jobs.length) finish();
      });
      thread.onEnd((reason) => {
        running.delete(thread);
        isOver = true;
        const [ended, ...others] = given;
        if (ended !== undefined) results.set(ended, lost(jobs[ended] as Job, reason));
        for (const index of others.reverse()) waiting.push([index, jobs[index] as Job]);
        if (results.size === jobs.length) finish();
        else if (waiting.length > 0 && ended !== undefined) startOne();
      });
      running.add(thread);
      give();
    };
    for (let i = 0; i < Math.min(count, THREADS_MAX, jobs.length); i++) startOne();
  });
}
