// Why nothing that was opened could be used. Loaded when that happens.
import { nothingRecognizedLines } from '../../dumps/diagnostics.ts';
import { failure } from '../protocol/result.ts';
import type { OpenedSource } from './opened-source.ts';

/** Maximum number of lines of a refused file that an error shows. */
const SAMPLES_MAX = 5;

/** The error about sources in which nothing was found. `title`: of what was opened. */
export function notRecognized(title: string, read: readonly OpenedSource[]): ReturnType<typeof failure> {
  const samples = read.flatMap(({ read: { sources } }) => sources.flatMap((s) => s.samples));
  const diagnostics = read.flatMap((source) => source.read.diagnostics);
  const first = diagnostics.find((d) => d.severity === 'error') ?? diagnostics[0];
  const message = first?.message ?? `${title}: no known format recognized`;
  return failure(
    'not-recognized',
    message,
    first?.code === 'nothing-recognized'
      ? { lines: nothingRecognizedLines(message) }
      : { samples: samples.slice(0, SAMPLES_MAX) },
  );
}
