import { INDEX, MODEL } from './iovascope.ts';
import { PEERS } from './peers.ts';
import { type Contender, measure, planFor } from './workload.ts';

const CONTENDERS: readonly Contender[] = [INDEX, MODEL, ...PEERS];

export interface SuiteOptions {
  /** Numbers of areas, in the order in which they are run. */
  readonly sizes: readonly number[];
  /** Names of the contenders to run; all if left out. */
  readonly only?: readonly string[] | undefined;
}

export const CONTENDER_NAMES: readonly string[] = CONTENDERS.map(({ name }) => name);

/** Runs the suite; each result is an object for one line of JSON. */
export async function runSuite({ sizes, only }: SuiteOptions, report: (line: object) => void): Promise<void> {
  for (const n of sizes) {
    const plan = planFor(n);
    for (const contender of CONTENDERS) {
      if (only && !only.includes(contender.name)) continue;
      const { measurements, bytes } = measure(contender, plan);
      for (const measurement of measurements) report(measurement);
      if (bytes !== undefined) {
        report({ bench: 'memory', n, impl: contender.name, bytes_per_area: Number((bytes / n).toPrecision(4)) });
      }
      // Lets a page breathe and lines go out.
      await new Promise((resolve) => setTimeout(resolve, 0));
    }
  }
}
