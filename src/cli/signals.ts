/** Milliseconds between two looks at the parent process. */
const LOOK_EVERY = 500;

/**
 * Resolves at the first SIGINT or SIGTERM; another one then ends the process as usual. Run by npm, also when npm is gone:
 * it may be killed without a word to what it started.
 */
export function untilSignal(): Promise<void> {
  return new Promise((resolve) => {
    const signals = ['SIGINT', 'SIGTERM'] as const;
    const parent = process.ppid;
    const isOfNpm = process.env.npm_lifecycle_event !== undefined;
    const look = isOfNpm ? setInterval(() => process.ppid !== parent && stop(), LOOK_EVERY) : undefined;
    look?.unref();
    const stop = () => {
      clearInterval(look);
      for (const signal of signals) process.off(signal, stop);
      resolve();
    };
    for (const signal of signals) process.on(signal, stop);
  });
}
