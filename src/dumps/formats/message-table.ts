// Messages that hold no range but say why something did not work: each becomes a diagnostic in words of our own.
import { errnoName, errnoOfText } from '../fields/errno.ts';
import type { DumpLine, FactSink, Lookahead, Severity } from '../format.ts';
import { matchLongest } from '../text/match-longest.ts';

export interface Message {
  /** Of what the program says about it if it says nothing else. */
  readonly severity: Severity;
  readonly code: string;
  /** Cheap: the first words, where the message can start before it was broken. */
  readonly start: RegExp;
  readonly pattern: RegExp;
  /** In words; undefined if the match is not what it seems. */
  readonly text: (match: RegExpExecArray) => string | undefined;
}

/** Tells the first message of the table that the line holds. Returns the number of lines, 0 if there is none. */
export function tellMessage(
  table: readonly Message[],
  line: DumpLine,
  ahead: Lookahead,
  sink: FactSink,
  severityOf: (message: Message, text: string) => Severity = ({ severity }) => severity,
): number {
  for (const message of table) {
    const found = matchLongest(line, ahead, message.start, [message.pattern]);
    const text = found && message.text(found.match);
    if (!found || text === undefined) continue;
    sink.recognized();
    sink.diagnostic(severityOf(message, found.match.input), message.code, text, line.number);
    return found.lines;
  }
  return 0;
}

/** `: EINVAL` for what a program says of an error, by number or by text; the text if it is not known; else nothing. */
export function errorSuffix(number: string | undefined, text?: string): string {
  const name = (number === undefined ? undefined : errnoName(Number(number))) ?? errnoOfText(text ?? '');
  const said = name ?? (text?.trim() || (number === undefined ? '' : `error ${number}`));
  return said === '' ? '' : `: ${said}`;
}
