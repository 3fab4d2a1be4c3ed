// The picture and the answer as plain text, for mail: ASCII, 72 columns.

import type { ConflictItem } from '../../analysis/answer/items.ts';
import { type Conflict, type ConflictMark, joinNames } from '../../analysis/conflicts/conflict.ts';
import { placeText } from '../../analysis/host/host.ts';
import { counted } from '../../iova/format.ts';
import { IOVA_MAX, type Iova } from '../../iova/iova.ts';
import type { IovaRange } from '../../iova/range.ts';
import { isFact } from '../../session/events.ts';
import { TEXT_WIDTH, wrap } from '../../timeline/text/ascii.ts';
import { drawSpace, type FlaggedRange } from '../../timeline/text/drawing.ts';
import type { EngineDocument } from '../documents/document.ts';
import { definesGuests } from '../picture/own-guests.ts';
import type { PictureSpace } from '../picture/spaces.ts';
import type { Answered } from '../protocol/answers.ts';
import type { Arrangement } from '../protocol/picture.ts';
import type { TextReportParts } from '../protocol/share.ts';
import { variesLabel } from '../protocol/varying.ts';
import { type RefusedOperations, refusedOperations } from './refused-operations.ts';
import { sourcePlaces } from './source-places.ts';

export interface TextReportInput {
  readonly arrangement: Arrangement;
  readonly spaces: readonly PictureSpace[];
  readonly answered: Answered;
  /** The addresses that are drawn; all if absent. */
  readonly range?: IovaRange | undefined;
  /** Title given by the user; that of the picture if absent. */
  readonly title?: string | undefined;
  readonly notes?: string | undefined;
  readonly documents: readonly EngineDocument[];
  /** Version of iovascope. */
  readonly version: string;
  /** Link that opens it again. */
  readonly link?: string | undefined;
  /** Names of the sources; those of the picture if absent. */
  readonly sources?: readonly string[] | undefined;
  /** Address spaces that are not in the picture. */
  readonly spacesMore?: number | undefined;
  readonly parts?: TextReportParts | undefined;
}

const EVERYTHING: IovaRange = { start: 0n as Iova, last: IOVA_MAX };
/** Indentation of the further lines of a numbered conflict. */
const INDENT = '   ';
/** Maximum number of named sources. */
const SOURCES_MAX = 8;
const PLACES_MAX = 4;
/** Maximum number of listed refused operations. */
const REFUSED_MAX = 20;

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
  if (hasConflicts) lines.push(...refusedLines(refusedOperations(input.documents, REFUSED_MAX)));
  lines.push('', ...sourceLines(input));
  for (const sentence of hasVersions ? circumstancesOf(input.documents) : []) lines.push(...wrap(sentence));
  lines.push(...wrap(`iovascope ${input.version}`));
  if (input.link !== undefined) lines.push(...linkLines(input.link));
  return `${lines.join('\n')}\n`;
}

/** The drawings of the address spaces, each after an empty line. */
function drawingLines({ spaces, answered, spacesMore = 0 }: TextReportInput, range: IovaRange): string[] {
  const lines: string[] = [];
  for (const space of spaces) {
    const drawing = drawSpace(space, range, flaggedIn(space, answered));
    const heading = space.subtitle === '' ? space.title : `${space.title} (${space.subtitle})`;
    // With only one address space, the title says the same.
    if (spaces.length > 1) lines.push('', ...wrap(heading));
    lines.push('', ...drawing.lines);
    for (const sentence of drawing.leftOut) lines.push(...wrap(sentence));
  }
  if (spacesMore > 0) lines.push('', ...wrap(`Not drawn: ${counted(spacesMore, 'more address space')}.`));
  if (spaces.length > 0) lines.push('', ...wrap('Not to scale; // cuts a long range. Bounds are inclusive.'));
  return lines;
}

/** Where the drawn and listed contents come from. */
function sourceLines({ spaces, answered, sources, arrangement }: TextReportInput): string[] {
  const places = sourcePlaces(
    spaces,
    answered.rows.flatMap(({ provenance }) => provenance),
    sources ?? arrangement.sources,
  );
  const more = places.length - SOURCES_MAX;
  const listed = [...places.slice(0, SOURCES_MAX), ...(more > 0 ? [`and ${more} more`] : [])];
  return wrap(listed.join('; '), 'from: ');
}

/** What the model refused, with the reasons. */
function refusedLines({ listed, more }: RefusedOperations): string[] {
  if (listed.length === 0) return [];
  return [
    ...['', 'Refused operations:'],
    ...listed.flatMap(({ session, event, operation, errno, message, rule }) => [
      ...wrap(`event ${event}, ${session === undefined ? '' : `${session}: `}${operation}: ${errno}`, '', INDENT),
      ...wrap(message, INDENT),
      ...wrap(`rule: ${rule}`, INDENT),
    ]),
    ...(more > 0 ? wrap(`${counted(more, 'more refused operation')} not listed.`) : []),
  ];
}

/** A link with more lines than this is left out. */
const LINK_LINES_MAX = 25;

/** The link, wrapped to the width of a mail: iovascope reads it even if it is wrapped and quoted. */
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

/** The obstacles; if there are none, the requests. */
function subjectsOf(marks: readonly ConflictMark[]): readonly ConflictMark[] {
  const obstacles = marks.filter(({ role }) => role === 'obstacle');
  return obstacles.length > 0 ? obstacles : marks;
}

function conflictLines(number: number, count: number, conflict: Conflict<string>): string[] {
  const { severity, title, errno, source: decidedBy, provenance } = conflict;
  const remedies = conflict.remedies?.map(({ text }) => text) ?? [conflict.remedy];
  const rule = [errno, decidedBy].filter((part) => part !== undefined).join(', ');
  const places = [...new Set(provenance.map(placeText))];
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

/** One sentence for each document: the versions of a host, or the model and step of a session; and whose rules answer. */
export function circumstancesOf(documents: Iterable<EngineDocument>): string[] {
  return [...documents].map((document) => {
    const { kind, title, host, kernel, model, operations, position, session } = document;
    const version = kernel ?? host.about.kernel ?? session.header.kernel;
    const rules = `rules of ${version === undefined ? 'the newest kernel, because its version is not known' : `Linux ${version}`}`;
    if (kind === 'session' || operations > 0) {
      return `${title}: after event ${position} of ${session.events.length}, model ${model ?? 'none'}, ${rules}`;
    }
    const own = `${host.about.kernel || 'not known'}${host.about.arch ? ` (${host.about.arch})` : ''}`;
    return `${title}: host kernel: ${own}, QEMU or other VMM: ${monitorsOf(document)}; ${rules}${shownText(document)}`;
  });
}

/** What is not shown of the hosts that are alike with this one. */
function shownText({ alike }: EngineDocument): string {
  if (!alike) return '';
  const varies = variesLabel(alike.varies);
  return `; shown are the ranges, groups and devices of ${alike.shown}${varies === '' ? '' : `; ${varies} differ on the others`}`;
}

/** Names and versions of the VMMs of its guests. */
function monitorsOf(document: EngineDocument): string {
  if (!definesGuests(document)) return 'not known';
  const monitors = document.session.events.flatMap((event) =>
    isFact(event) && event.kind === 'machine' ? [`${event.monitor}${event.version ? ` ${event.version}` : ''}`] : [],
  );
  return joinNames([...new Set(monitors)]) || 'not known';
}
