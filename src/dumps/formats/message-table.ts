// Messages without a range that say why something did not work: a table entry turns each into a diagnostic.
import type { Severity } from '../diagnostic-rule.ts';
import type { DiagnosticCode, DiagnosticParameters } from '../diagnostics.ts';
import type { DumpLine, FactSink, Lookahead } from '../format.ts';
import { matchLongest } from '../text/match-longest.ts';

interface MessageOf<C extends DiagnosticCode> {
  readonly code: C;
  /** Cheap: the first words, where the message can start before it was broken. */
  readonly start: RegExp;
  readonly pattern: RegExp;
  /** The parameters of the diagnostic; undefined if the match is a false one. */
  readonly read: (match: RegExpExecArray) => DiagnosticParameters<C> | undefined;
}

/** A message of a program and the diagnostic that it becomes. */
export type Message = { [C in DiagnosticCode]: MessageOf<C> }[DiagnosticCode];

/** Emits the first message of the table that the line holds. Returns the number of lines used, 0 if there is none. */
export function readMessage(
  table: readonly Message[],
  line: DumpLine,
  ahead: Lookahead,
  sink: FactSink,
  severityOf?: (text: string) => Severity | undefined,
): number {
  for (const message of table) {
    const lines = emit(message, line, ahead, sink, severityOf);
    if (lines > 0) return lines;
  }
  return 0;
}

function emit<C extends DiagnosticCode>(
  { code, start, pattern, read }: MessageOf<C>,
  line: DumpLine,
  ahead: Lookahead,
  sink: FactSink,
  severityOf: ((text: string) => Severity | undefined) | undefined,
): number {
  const found = matchLongest(line, ahead, start, [pattern]);
  const parameters = found && read(found.match);
  if (!found || parameters === undefined) return 0;
  sink.recognized();
  sink.diagnostic(code, parameters, line.number, severityOf?.(found.match.input));
  return found.lines;
}
