/** Consecutive numbers, both ends included. */
export interface NumberRun {
  readonly first: number;
  readonly last: number;
}

/** The numbers in ascending order, each once, as runs: 3, 1, 2, 7 are 1 to 3 and 7. */
export function numberRuns(numbers: Iterable<number>): NumberRun[] {
  const runs: { first: number; last: number }[] = [];
  for (const number of [...new Set(numbers)].sort((a, b) => a - b)) {
    const run = runs.at(-1);
    if (run && number === run.last + 1) run.last = number;
    else runs.push({ first: number, last: number });
  }
  return runs;
}

/** `3`, or `3-5` for several. */
export function runLabel({ first, last }: NumberRun): string {
  return first === last ? `${first}` : `${first}-${last}`;
}
