// The picture and the answer as plain text, for mail: ASCII, 72 columns.
import type { ConflictItem } from '../../analysis/answer/items.ts';
import type { Conflict, ConflictMark } from '../../analysis/conflicts/conflict.ts';
import { counted } from '../../iova/format.ts';
import { IOVA_MAX, type Iova } from '../../iova/iova.ts';
import type { IovaRange } from '../../iova/range.ts';
import { TEXT_WIDTH, wrap } from '../../timeline/text/ascii.ts';
import { drawSpace, type FlaggedRange } from '../../timeline/text/drawing.ts';
import type { EngineDocument } from '../documents/document.ts';
import type { PictureSpace } from '../picture/spaces.ts';
import type { Answered } from '../protocol/answers.ts';
import type { Arrangement } from '../protocol/picture.ts';
import type { TextReportParts } from '../protocol/share.ts';

export interface TextReportInput {
  readonly arrangement: Arrangement;
  readonly spaces: readonly PictureSpace[];
  readonly answered: Answered;
  /** The addresses that are drawn; all if absent. */
  readonly range?: IovaRange | undefined;
  /** What a person called it; the picture's own title if absent. */
  readonly title?: string | undefined;
  readonly notes?: string | undefined;
  /** The moment, the model and the kernel, one sentence each. */
  readonly circumstances: readonly string[];
  /** Version of iovascope. */
  readonly version: string;
  /** Where it can be opened again. */
  readonly link?: string | undefined;
  /** Names of the sources; those of the picture if absent. */
  readonly sources?: readonly string[] | undefined;
  readonly parts?: TextReportParts | undefined;
}

const EVERYTHING: IovaRange = { start: 0n as Iova, last: IOVA_MAX };
/** Columns at which a second line of a numbered conflict begins. */
const INDENT = '   ';
/** Sources that are named. */
const SOURCES_MAX = 8;
const PLACES_MAX = 4;

/** The report as text with a line end after each line. The same input gives the same text. */
export function textReport(input: TextReportInput): string {
  const { arrangement, answered, range = EVERYTHING, title = arrangement.title, notes } = input;
  const { answer, items } = answered;
  const { conflicts: hasConflicts = true, versions: hasVersions = true, drawingOnly = false } = input.parts ?? {};
  const drawing = drawingLines(input, range);
  if (drawingOnly) return `${drawing.slice(1).join('\n')}\n`;
  const lines = wrap(`IOVA layout: ${title}`);
  lines.push('', ...wrap(`${answer.severity.toUpperCase()}: ${answer.text}`));
  for (const { text } of answer.remedies) lines.push(...wrap(text, '  fix: '));
  if (notes !== undefined && notes.trim() !== '') {
    lines.push('', ...notes.split(/\r?\n/).flatMap((line) => wrap(line)));
  }
  lines.push(...drawing);
  if (hasConflicts && items.length > 0) lines.push('');
  for (const [index, item] of hasConflicts ? items.entries() : []) {
    const [first] = conflictsOf(answered, item);
    if (first) lines.push(...conflictLines(index + 1, item.conflicts.length, first));
  }
  const left = answered.more + (hasConflicts ? 0 : answered.rows.length);
  if (!hasConflicts && left > 0) lines.push(...wrap(`${counted(left, 'conflict')} not listed.`));
  else if (answered.more > 0) lines.push(...wrap(`${answered.more} more conflicts are not listed.`));
  lines.push('', ...wrap(sourcesLine(input.sources ?? arrangement.sources)));
  for (const sentence of hasVersions ? input.circumstances : []) lines.push(...wrap(sentence));
  lines.push(...wrap(`iovascope ${input.version}`));
  if (input.link !== undefined) lines.push(...linkLines(input.link));
  return `${lines.join('\n')}\n`;
}

/** The drawings of the address spaces, each after an empty line. */
function drawingLines({ spaces, answered }: TextReportInput, range: IovaRange): string[] {
  const lines: string[] = [];
  for (const space of spaces) {
    const drawing = drawSpace(space, range, flaggedIn(space, answered));
    const heading = space.subtitle === '' ? space.title : `${space.title} (${space.subtitle})`;
    // With only one address space, the title says the same.
    if (spaces.length > 1) lines.push('', ...wrap(heading));
    lines.push('', ...drawing.lines);
    for (const sentence of drawing.leftOut) lines.push(...wrap(sentence));
  }
  if (spaces.length > 0) lines.push('', ...wrap('Not to scale; // cuts a long range. Bounds are inclusive.'));
  return lines;
}

function sourcesLine(sources: readonly string[]): string {
  const more = sources.length - SOURCES_MAX;
  return `from: ${sources.slice(0, SOURCES_MAX).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}

/** A link of more lines than this is left out. */
const LINK_LINES_MAX = 25;

/** The link in lines of the width of a mail: iovascope reads it however it is wrapped and quoted. */
function linkLines(link: string): string[] {
  const parts = link.match(new RegExp(`.{1,${TEXT_WIDTH}}`, 'g')) ?? [];
  if (parts.length > LINK_LINES_MAX) return [];
  if (parts.length === 1) return ['open it:', ...parts];
  return ['open it: join these lines, or paste them into iovascope:', ...parts];
}

function conflictsOf({ rows }: Answered, { scope, conflicts }: ConflictItem) {
  return rows.filter(({ id, document }) => document === scope && conflicts.includes(id));
}

/** The obstacles of the conflicts of a space's document, by the numbers of their items. */
function flaggedIn(space: PictureSpace, answered: Answered): FlaggedRange[] {
  return answered.items.flatMap((item, index) =>
    conflictsOf(answered, item)
      .filter(({ document }) => space.id.startsWith(document))
      .flatMap(({ marks }) => subjectsOf(marks))
      .map(({ start, last }) => ({ start, last, number: index + 1 })),
  );
}

/** What blocks, or if nothing does, what was requested. */
function subjectsOf(marks: readonly ConflictMark[]): readonly ConflictMark[] {
  const obstacles = marks.filter(({ role }) => role === 'obstacle');
  return obstacles.length > 0 ? obstacles : marks;
}

function conflictLines(number: number, count: number, conflict: Conflict<string>): string[] {
  const { severity, title, errno, source: decidedBy, provenance } = conflict;
  const remedies = conflict.remedies?.map(({ text }) => text) ?? [conflict.remedy];
  const rule = [errno, decidedBy].filter((part) => part !== undefined).join(', ');
  const places = [
    ...new Set(provenance.map(({ source, line }) => (line === undefined ? source : `${source}:${line}`))),
  ];
  const more = places.length - PLACES_MAX;
  return [
    ...wrap(
      `${severity.toUpperCase()}: ${title}${count > 1 ? ` (and ${count - 1} more of this kind)` : ''}`,
      `${number}  `,
      INDENT,
    ),
    ...(rule === '' ? [] : wrap(`rule: ${rule}`, INDENT)),
    ...remedies.filter((text) => text !== '').flatMap((text) => wrap(`fix: ${text}`, INDENT, `${INDENT}     `)),
    ...(places.length === 0
      ? []
      : wrap(
          `from: ${places.slice(0, PLACES_MAX).join(', ')}${more > 0 ? ` and ${more} more` : ''}`,
          INDENT,
          `${INDENT}      `,
        )),
  ];
}

/** One sentence for each document that has something to say: the kernel of a host, the model and step of a session. */
export function circumstancesOf(documents: Iterable<EngineDocument>): string[] {
  return [...documents].flatMap(({ kind, title, host, kernel, model, operations, position, session }) => {
    const version = kernel ?? host.about.kernel ?? session.header.kernel;
    const rules = version === undefined ? 'kernel not known: rules of the newest one' : `rules of Linux ${version}`;
    if (kind === 'session' || operations > 0) {
      return [`${title}: after event ${position} of ${session.events.length}, model ${model ?? 'none'}, ${rules}`];
    }
    return [`${title}: ${rules}`];
  });
}
