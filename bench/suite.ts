import { measureDma } from './dma.ts';
import { INDEX, MODEL, OTHER_MODELS } from './iovascope.ts';
import { PEERS } from './peers.ts';
import { measureReading } from './reading.ts';
import { bytesPerArea, type Contender, measure, planFor } from './workload.ts';

const CONTENDERS: readonly Contender[] = [INDEX, MODEL, ...OTHER_MODELS, ...PEERS];

/** Below this what else is going on outweighs the areas. */
const FEWEST_FOR_MEMORY = 10_000;

export interface SuiteOptions {
  /** Numbers of areas, in the order in which they are run. */
  readonly sizes: readonly number[];
  /** Names of the contenders to run; all if left out. */
  readonly only?: readonly string[] | undefined;
  /** Bytes of text to read, at least; 8 MiB if left out, none if 0. */
  readonly bytes?: number | undefined;
}

const READ_BYTES = 8 * 2 ** 20;

export const CONTENDER_NAMES: readonly string[] = CONTENDERS.map(({ name }) => name);

/**
 * Runs the suite; each result is an object for one line of JSON. Memory is measured where the platform has a `heap`:
 * bytes in use once garbage is collected.
 */
export async function runSuite(
  { sizes, only, bytes = READ_BYTES }: SuiteOptions,
  report: (line: object) => void,
  heap?: () => number,
): Promise<void> {
  for (const n of sizes) {
    const plan = planFor(n);
    for (const contender of CONTENDERS) {
      if (only && !only.includes(contender.name)) continue;
      for (const measurement of await measure(contender, plan)) report(measurement);
      if (heap && n >= FEWEST_FOR_MEMORY) {
        const bytes = bytesPerArea(contender, plan, heap);
        report({ bench: 'memory', n, impl: contender.name, bytes_per_area: Number(bytes.toPrecision(3)) });
      }
      if (contender === MODEL) measureDma(n, contender.name, report);
      // Lets a page breathe and lines go out.
      await new Promise((resolve) => setTimeout(resolve, 0));
    }
  }
  if (bytes > 0 && (!only || only.includes(INDEX.name))) await measureReading(bytes, INDEX.name, report);
}
