// Operation lines: previews the effect of a line, and changes sessions with them.
import { DEFAULT_MODEL, type KernelModel } from '../../kernel/model.ts';
import { createModel } from '../../kernel/models.ts';
import { runEvent } from '../../kernel/replay/replay.ts';
import { completeLine } from '../../operation-lines/complete.ts';
import { parseOperationLine } from '../../operation-lines/parse.ts';
import { printOperation } from '../../operation-lines/print.ts';
import { eventAt } from '../../session/event-list.ts';
import { isOperation, type Operation, type SessionHeader } from '../../session/events.ts';
import { newSession } from '../../session/session.ts';
import { writeSession } from '../../session/write.ts';
import { caseNode } from '../case/case-node.ts';
import { type ChangedSession, changeSession, repeatChange } from '../case/changed-session.ts';
import type { OpenCase } from '../case/open-case.ts';
import { readSources } from '../case/source.ts';
import { type EngineDocument, momentIn } from '../documents/document.ts';
import { runUnder } from '../documents/model-states.ts';
import { inputOf } from '../documents/read-document.ts';
import type { CallContext } from '../protocol/methods.ts';
import type {
  ChangeParams,
  EventChange,
  EventLine,
  EventsChanged,
  LineOutcome,
  LinePlace,
  LineTrial,
} from '../protocol/operation-lines.ts';
import { type EngineResult, failure, success } from '../protocol/result.ts';
import { eventSentence } from './event-label.ts';
import { eventRow } from './event-rows.ts';
import { outcomeText, rangeOfOperation } from './event-text.ts';
import { hostDomains, lineContext } from './line-context.ts';

/** Maximum number of listed completions. */
const COMPLETIONS_MAX = 40;

/** The state in which a line is run. */
interface Ground {
  readonly header: SessionHeader;
  /** A copy, to be changed. */
  readonly model: KernelModel;
}

function withKernel(kernel: string | undefined) {
  return kernel === undefined ? {} : { kernel };
}

/** The header of a new session, with the kernel of the case. */
function newHeader(open: OpenCase, model: string): Omit<SessionHeader, 'format' | 'version'> {
  return { model, ...withKernel(caseNode(open).kernel?.version) };
}

function groundOf(open: OpenCase, { id, model = DEFAULT_MODEL, position }: LinePlace): EngineResult<Ground> {
  if (id === undefined) {
    const { header } = newSession(newHeader(open, model));
    const made = createModel(header);
    return made.ok ? success({ header, model: made.model }) : failure('unusable', made.message);
  }
  const document = open.documents.get(id);
  if (!document) return failure('unknown-document', `no open document "${id}"`);
  const { states, session } = document;
  if (!states) return failure('unusable', `${document.title} has no model that runs operations`);
  return success({ header: session.header, model: states.modelAt(momentIn(document, position)) });
}

/** Runs an operation on a copy of the state, like an event of the session. */
function outcomeOf({ header, model }: Ground, operation: Operation): LineOutcome {
  const step = runEvent(model, { ...newSession(), header, events: [operation] }, 0);
  const text = eventSentence(operation);
  if (!step) return { text };
  const { outcome } = step;
  const where = rangeOfOperation(operation, outcome.ok ? outcome.answer : undefined);
  return { text, ...outcomeText(outcome), ...(where ? { where } : {}) };
}

/** What a line means, the completions at the cursor, and what the answer would be. Changes nothing. */
export function tryLine(
  open: OpenCase,
  { line, cursor, ...place }: LinePlace & { readonly line: string; readonly cursor: number },
): EngineResult<LineTrial> {
  const ground = groundOf(open, place);
  if (!ground.ok) return ground;
  const { header, model } = ground.value;
  const name = header.model ?? DEFAULT_MODEL;
  const hosts = [...open.documents.values()].filter(({ kind }) => kind === 'host').map(({ host }) => host);
  const { start, end, items, kinds } = completeLine(line, lineContext(model, hosts, line, name), cursor);
  const offered = [...hostDomains(hosts, line.slice(0, cursor)), ...items].slice(0, COMPLETIONS_MAX);
  const trial = { model: name, line, cursor, completions: { start, end, items: offered, kinds } };
  if (line.trim() === '') return success(trial);
  const parsed = parseOperationLine(line, { model: name });
  if (!parsed.ok) return success({ ...trial, mistake: parsed.mistake });
  return success({ ...trial, outcome: outcomeOf(ground.value, parsed.operation) });
}

/** The operation of a line that can be run there, or why it cannot be. */
function runnable(ground: EngineResult<Ground>, line: string): EngineResult<Operation> {
  if (!ground.ok) return ground;
  const { header, model } = ground.value;
  const parsed = parseOperationLine(line, { model: header.model ?? DEFAULT_MODEL });
  if (!parsed.ok) return failure('unusable', parsed.mistake.message);
  const outcome = model.apply(parsed.operation, 0);
  if (!outcome.ok && outcome.invalid) return failure('unusable', outcome.invalid.message);
  return success(parsed.operation);
}

/** A title for a new session that no open document has. */
function newTitle(open: OpenCase): string {
  const titles = new Set([...open.documents.values()].map(({ title }) => title));
  let n = 1;
  while (titles.has(`Session ${n}`)) n++;
  return `Session ${n}`;
}

async function startSession(
  open: OpenCase,
  { model = DEFAULT_MODEL, change }: ChangeParams,
  context: CallContext,
): Promise<EngineResult<EventsChanged>> {
  if (change.kind !== 'insert') return failure('unusable', 'there is no session to change');
  const operation = runnable(groundOf(open, { model, position: 0 }), change.line);
  if (!operation.ok) return operation;
  const title = newTitle(open);
  const session = { ...newSession({ ...newHeader(open, model), title }), events: [operation.value] };
  const input = inputOf({ name: `${title}.iova.jsonl`, data: new Blob([writeSession(session)]) });
  // Without a file: it is saved as the session that it becomes.
  const read = await readSources([{ input }], { context });
  const [placement] = open.add(read, { keepsSamples: true });
  await runUnder(open.documents.values(), open.choices.kernel);
  const id = placement?.sourceId ?? '';
  const document = open.documents.get(id);
  const row = document && eventRow(document, 0);
  return success({ case: caseNode(open), id, ...(row ? { row } : {}) });
}

/** The operation at a position of a session, counted from 1. */
function operationAt(document: EngineDocument, position: number): Operation | undefined {
  const event = eventAt(document.session.events, position - 1);
  return event && isOperation(event) ? event : undefined;
}

/** Applies a change. A failure says why it cannot be made. */
function made(
  open: OpenCase,
  document: EngineDocument,
  change: EventChange,
): EngineResult<ChangedSession & { readonly row?: number }> {
  const source = open.sourceOfSession(document.id);
  if (!source) return failure('unusable', `${document.title} is not a session of operations`);
  if (!document.states) return failure('unusable', `${document.title} has no model that runs operations`);
  const { id } = document;
  const done = (changed: ChangedSession | undefined, row?: number) => {
    if (!changed) return failure('unusable', `nothing to ${change.kind}`);
    open.replaceSource(changed.source);
    return success({ ...changed, ...(row === undefined ? {} : { row }) });
  };
  if (change.kind === 'undo' || change.kind === 'redo') return done(repeatChange(source, change.kind));
  if (change.kind === 'insert') {
    const position = momentIn(document, change.position);
    const operation = runnable(groundOf(open, { id, position }), change.line);
    return operation.ok ? done(changeSession(source, position, 0, [operation.value]), position) : operation;
  }
  const index = change.position - 1;
  if (!operationAt(document, change.position)) return failure('unusable', `event ${change.position} is no operation`);
  if (change.kind === 'remove') return done(changeSession(source, index, 1, []));
  const operation = runnable(groundOf(open, { id, position: index }), change.line);
  return operation.ok ? done(changeSession(source, index, 1, [operation.value]), index) : operation;
}

/** Adds, replaces or removes an operation, or undoes that. The session is then at the position after it. */
export async function changeEvents(
  open: OpenCase,
  params: ChangeParams,
  context: CallContext,
): Promise<EngineResult<EventsChanged>> {
  const { id, change } = params;
  if (id === undefined) return startSession(open, params, context);
  const document = open.documents.get(id);
  if (!document) return failure('unknown-document', `no open document "${id}"`);
  const changed = made(open, document, change);
  if (!changed.ok) return changed;
  const { changedLater, document: now, row: index } = changed.value;
  const row = index === undefined ? undefined : eventRow(now, index);
  return success({
    case: caseNode(open),
    id,
    ...(row ? { row } : {}),
    ...(changedLater ? { changedLater } : {}),
  });
}

/** The operation nearest to a position in the given direction, as a line. */
export function eventLine(
  document: EngineDocument,
  position: number,
  direction: 'next' | 'previous',
): EventLine | null {
  const { events, header } = document.session;
  const by = direction === 'next' ? 1 : -1;
  const from = direction === 'next' ? Math.max(1, position) : Math.min(events.length, position);
  for (let at = from; at >= 1 && at <= events.length; at += by) {
    const operation = operationAt(document, at);
    if (operation) return { position: at, line: printOperation(operation, { model: header.model }) };
  }
  return null;
}
