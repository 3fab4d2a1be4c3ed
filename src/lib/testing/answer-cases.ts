// Cases of the diagnosis benchmark: dumps as people have them, and the verdict that they ask for.
//
//   {"title": …, "files"?: [path …], "texts"?: {name: text …}, "guest"?, "device"?, "kernel"?,
//    "expect": {"severity"?, "says"?: [pattern …], "range"?: "0xA-0xB", "device"?, "remedy"?: pattern}}
//
// `files` are relative to the case. `says`: regular expressions, whatever the case of letters, each of which the answer or
// a conflict must match; `range`: inclusive, one of a conflict's, or in the answer's text; `device`: in the text; `remedy`:
// in a way to avoid it. What is absent is not asked for.
import { check } from '../check.ts';
import { readDumps } from '../read-dumps.ts';

export interface AnswerCase {
  readonly title: string;
  readonly files?: readonly string[];
  readonly texts?: Readonly<Record<string, string>>;
  readonly guest?: string;
  readonly device?: string;
  readonly kernel?: string;
  readonly expect: Expected;
}

export interface Expected {
  readonly severity?: 'fatal' | 'warning' | 'note' | 'clean';
  readonly says?: readonly string[];
  readonly range?: string;
  readonly device?: string;
  readonly remedy?: string;
}

export interface CaseResult {
  /** What of the expectation is not there; empty for a hit. */
  readonly missing: readonly string[];
  readonly severity: string;
  /** The answer. */
  readonly text: string;
}

/** Reads the files, asks for the answer, and compares. `inputs`: the content of `files`, in their order. */
export async function tryCase(
  { texts = {}, guest, device, kernel, expect }: AnswerCase,
  inputs: readonly { readonly name: string; readonly data: Uint8Array }[] = [],
): Promise<CaseResult> {
  const dumps = await readDumps([...inputs, ...Object.entries(texts).map(([name, data]) => ({ name, data }))]);
  const { answer, conflicts } = await check(dumps, {
    ...(guest === undefined ? {} : { guest }),
    ...(device === undefined ? {} : { device }),
    ...(kernel === undefined ? {} : { kernel }),
  });
  const said = [answer.text, ...conflicts.flatMap(({ text, reason, errno = '' }) => [text, reason, errno])].join('\n');
  const ways = [
    ...answer.remedies.map(({ text, copy = '' }) => `${text} ${copy}`),
    ...conflicts.flatMap(({ remedies }) => remedies),
  ].join('\n');
  const missing: string[] = [];
  if (expect.severity !== undefined && expect.severity !== answer.severity) missing.push(`severity ${expect.severity}`);
  for (const pattern of expect.says ?? []) if (!new RegExp(pattern, 'i').test(said)) missing.push(`says ${pattern}`);
  if (expect.range !== undefined) {
    const [first = '', last = ''] = expect.range.split('-');
    const [start, end] = [BigInt(first), BigInt(last || first)];
    const isThere =
      conflicts.some(({ ranges }) => ranges.some((range) => range.start === start && range.last === end)) ||
      (answer.text.includes(first) && answer.text.includes(last));
    if (!isThere) missing.push(`range ${expect.range}`);
  }
  if (expect.device !== undefined && !said.includes(expect.device)) missing.push(`device ${expect.device}`);
  if (expect.remedy !== undefined && !new RegExp(expect.remedy, 'i').test(ways))
    missing.push(`remedy ${expect.remedy}`);
  return { missing, severity: answer.severity, text: answer.text };
}
