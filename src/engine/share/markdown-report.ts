// The case as a bug report in Markdown, with the fields that the trackers of QEMU, libvirt and the kernel ask for. Unknown
// values
// are marked, for the reporter to fill in.

import { deviceTitle } from '../../analysis/host/devices.ts';
import { placeText } from '../../analysis/host/host.ts';
import { counted, hexRange } from '../../iova/format.ts';
import { range } from '../../iova/range.ts';
import { type Fact, type FactKind, type FactOf, isFact } from '../../session/events.ts';
import { type BoundsList, unlistedText } from '../../timeline/scene/bounds-table.ts';
import type { RefusedOperations } from '../answers/refused-operations.ts';
import type { EngineDocument } from '../documents/document.ts';
import type { Answered, ConflictRow } from '../protocol/answers.ts';
import type { ReportParts } from '../protocol/share.ts';
import { details, fenced, plainParagraphs, plainText, table } from './markdown.ts';
import type { QuotedLine } from './source-lines.ts';

/** Maximum length of a report in characters: the trackers refuse 65,536 and more. */
export const MARKDOWN_MAX = 60_000;
/** Maximum number of conflicts in the table; the others are counted. */
const CONFLICTS_MAX = 40;
const SOURCES_MAX = 20;
const UNKNOWN = '_not known: please fill in_';

export interface MarkdownInput {
  readonly title: string;
  readonly notes?: string | undefined;
  readonly documents: readonly EngineDocument[];
  readonly answered: Answered;
  /** The drawing as ASCII text. */
  readonly drawing: string;
  readonly bounds: BoundsList;
  readonly refused: RefusedOperations;
  readonly lines: readonly QuotedLine[];
  /** The session file. */
  readonly session: string;
  readonly circumstances: readonly string[];
  readonly sources: readonly string[];
  /** Link that opens it again; undefined if it would be too long, or if no page is known. */
  readonly link?: string | undefined;
  readonly version: string;
  readonly isToScale: boolean;
  readonly isRedacted: boolean;
  readonly parts: ReportParts;
}

/** The report, below `MARKDOWN_MAX` characters. The same input gives the same text. */
export function markdownReport(input: MarkdownInput): string {
  const { title, notes, answered, drawing, bounds, lines, session, link, parts, isToScale } = input;
  const { answer } = answered;
  const [fix] = answer.remedies;
  const text = [
    `## ${plainText(title)}`,
    '',
    `**${answer.severity.toUpperCase()}: ${plainText(answer.text)}**`,
    '',
    fix ? `Fix: ${plainText(fix.text)}` : answer.severity === 'clean' ? 'No fix is needed.' : 'No fix is known.',
    ...answer.remedies.slice(1).map((remedy) => `\nOr: ${plainText(remedy.text)}`),
    '',
    ...(notes === undefined || notes.trim() === '' ? [] : plainParagraphs(notes)),
    '<!-- Attach the PNG picture here: drag it over this line. It carries the session, and iovascope opens it. -->',
    `![${altText(input)}](iovascope.png)`,
    '',
    ...fieldLines(input),
    '',
    ...(parts.conflicts === false
      ? [`${counted(answered.rows.length + answered.more, 'conflict')} not listed.`, '']
      : [...conflictLines(answered, input.refused), ...refusedLines(input.refused)]),
    link === undefined
      ? 'To open it, drag the attached picture or the session file below into iovascope.'
      : `[Open it in iovascope](${link})`,
    '',
    ...details('The address space as text', fenced(drawing, 'text')),
    '',
    `iovascope ${plainText(input.version)}. Bounds are inclusive.${isToScale ? '' : ' The picture is not to scale.'}${
      input.isRedacted ? ' Names are replaced.' : ''
    }`,
  ];
  const optional = [
    details('Exact bounds', boundsLines(bounds)),
    ...(lines.length > 0 ? [details('Lines of the dumps', fenced(linesText(lines), 'text'))] : []),
    details('Session file (save as report.iova.jsonl and open it in iovascope)', fenced(session, 'json')),
  ];
  const leftOut: string[] = [];
  let length = text.join('\n').length;
  for (const part of optional) {
    const added = part.join('\n').length + 2;
    // Room for the sentence about what is left out.
    if (length + added > MARKDOWN_MAX - 400) leftOut.push(part[1]?.replace(/<\/?summary>/g, '') ?? '');
    else {
      text.push('', ...part);
      length += added;
    }
  }
  if (leftOut.length > 0) text.push('', `Left out because the report would be too long: ${leftOut.join('; ')}.`);
  const report = `${text.join('\n')}\n`;
  return report.length <= MARKDOWN_MAX ? report : shortened(input, report);
}

/** The report without its longest parts: the drawing and the table of conflicts. */
function shortened(input: MarkdownInput, report: string): string {
  const { answered, refused } = input;
  if (answered.rows.length > 5 || refused.listed.length > 5) {
    const rows = answered.rows.slice(0, 5);
    const more = answered.more + answered.rows.length - rows.length;
    const listed = refused.listed.slice(0, 5);
    const fewer = { listed, more: refused.more + refused.listed.length - listed.length };
    return markdownReport({ ...input, drawing: '(too long)', answered: { ...answered, rows, more }, refused: fewer });
  }
  const cut = report.slice(0, MARKDOWN_MAX - 100);
  return `${cut.slice(0, cut.lastIndexOf('\n'))}\n\nThe rest is left out: the report would be too long.\n`;
}

/** A description of the picture for readers who cannot see it. */
function altText({ title, answered: { answer, rows } }: MarkdownInput): string {
  const [mark] = rows[0]?.marks ?? [];
  const where = mark ? ` First conflict at ${hexRange(mark)}.` : '';
  return plainText(`IOVA layout of ${title}: ${answer.severity}. ${answer.text}${where}`);
}

function factsOf<K extends FactKind>(documents: readonly EngineDocument[], kind: K): FactOf<K>[] {
  return documents.flatMap(({ session }) =>
    session.events.filter((event): event is FactOf<K> & Fact => isFact(event) && event.kind === kind),
  );
}

const unique = (values: readonly (string | undefined)[]) => [
  ...new Set(values.filter((value): value is string => value !== undefined && value !== '')),
];

/** The fields that trackers ask for, as far as they are known. */
function fieldLines({ documents, circumstances, sources, parts }: MarkdownInput): string[] {
  const machines = factsOf(documents, 'machine');
  const hosts = documents.filter(({ kind }) => kind === 'host');
  const about = (field: 'kernel' | 'arch' | 'options') => unique(hosts.map(({ host }) => host.about[field]));
  const iommus = unique(factsOf(documents, 'iommu').map(({ name, driver }) => `${name} (${driver})`));
  const assigned = unique(hosts.map(({ assigned: chosen }) => chosen?.device));
  const devices = assigned.map((device) => {
    const known = factsOf(documents, 'device').find((fact) => fact.device === device);
    const { driver: _driver, ...about } = known ?? { device };
    return unique([deviceTitle(about), known?.ids, known?.driver]).join(', ');
  });
  const monitors = unique(machines.map(({ monitor, version }) => `${monitor}${version ? ` ${version}` : ''}`));
  const guests = unique(machines.map(({ machine, cpu }) => (cpu === undefined ? machine : `${machine}, CPU ${cpu}`)));
  const field = (values: readonly string[]) =>
    values.length === 0 ? UNKNOWN : values.slice(0, SOURCES_MAX).map(plainText).join('<br>');
  const more = sources.length > SOURCES_MAX ? [`and ${sources.length - SOURCES_MAX} more`] : [];
  const versions: readonly (readonly [string, string])[] = [
    ['Host kernel', field(about('kernel'))],
    ['Host architecture', field(about('arch'))],
    ['Kernel options', field(about('options'))],
    ['IOMMU', field(iommus)],
    ['Device', field(devices)],
    ['QEMU or other VMM', field(monitors)],
    ['libvirt', UNKNOWN],
    ['Guest machine', field(guests)],
  ];
  return table(
    ['', ''],
    [
      ...(parts.versions === false ? [] : versions),
      ['Answered for', circumstances.map(plainText).join('<br>')],
      ['Sources', [...sources.slice(0, SOURCES_MAX), ...more].map(plainText).join('<br>')],
    ],
  );
}

function conflictLines({ rows, more }: Answered, refused: RefusedOperations): string[] {
  if (rows.length === 0) return refused.listed.length > 0 ? [] : ['No conflicts.', ''];
  const listed = rows.slice(0, CONFLICTS_MAX);
  const left = rows.length - listed.length + more;
  return [
    ...table(['#', 'severity', 'conflict', 'range', 'errno', 'rule', 'fix', 'source'], listed.map(conflictCells)),
    '',
    ...(left > 0 ? [`${counted(left, 'more conflict')} not listed.`, ''] : []),
  ];
}

function refusedLines({ listed, more }: RefusedOperations): string[] {
  if (listed.length === 0) return [];
  const rows = listed.map(({ session, event, operation, errno, message, rule }) => [
    String(event),
    plainText(session === undefined ? operation : `${session}: ${operation}`),
    ...[errno, message, rule].map(plainText),
  ]);
  return [
    ...table(['event', 'refused operation', 'errno', 'why', 'rule'], rows),
    '',
    ...(more > 0 ? [`${counted(more, 'more refused operation')} not listed.`, ''] : []),
  ];
}

function conflictCells({ number, severity, title, marks, errno, source, remedy, provenance }: ConflictRow): string[] {
  const ranges = marks.map((mark) => `${hexRange(mark)} (${mark.role})`);
  const places = provenance.slice(0, 3).map(placeText);
  return [
    String(number),
    severity,
    plainText(title),
    ranges.slice(0, 4).map(plainText).join('<br>'),
    plainText(errno ?? ''),
    plainText(source ?? ''),
    plainText(remedy),
    places.map(plainText).join('<br>'),
  ];
}

function boundsLines({ lines, total }: BoundsList): string[] {
  const unlisted = unlistedText(total - lines.length);
  const rows = table(
    ['what', 'start', 'last', 'source'],
    lines.map(({ what, start, last, source }) => {
      const [from = '', to = ''] = hexRange(range(start, last)).split('-');
      return [plainText(what), from, to, plainText(source)];
    }),
  );
  return unlisted === '' ? rows : [...rows, '', unlisted];
}

function linesText(lines: readonly QuotedLine[]): string {
  return lines.map(({ source, line, text }) => `${source}:${line}: ${text.slice(0, 400)}`).join('\n');
}
