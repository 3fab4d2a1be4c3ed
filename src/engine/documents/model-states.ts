// Runs the operations of sessions with models. Loaded when something has operations.
import { diagnosticFact } from '../../dumps/diagnostics.ts';
import type { SessionStates } from '../../kernel/replay/state-at.ts';
import type { FactOf } from '../../session/events.ts';
import type { Session } from '../../session/session.ts';
import { type EngineDocument, moveTo } from './document.ts';

/**
 * The states of a session's model over time, or why there are none; and what is assumed about its kernel. `kernel`: a version
 * that replaces the header's. Models are loaded when a session needs them.
 */
export async function statesOf(
  session: Session,
  name?: string,
  kernel?: string,
): Promise<{ states?: SessionStates; model?: string; message?: string; notes?: readonly string[] }> {
  const [{ createModel }, { SessionStates: States }] = await Promise.all([
    import('../../kernel/models.ts'),
    import('../../kernel/replay/state-at.ts'),
  ]);
  const made = createModel(session.header, name, kernel === undefined ? {} : { kernel });
  if (!made.ok) return { message: made.message };
  return { states: new States(session, made.model), model: made.model.name, notes: made.notes };
}

/** The states of a session that was read, and what is to be said about them. */
export async function firstStates(
  session: Session,
  operations: number,
): Promise<{ states?: SessionStates; model?: string; found: readonly FactOf<'diagnostic'>[] }> {
  const { states, model, message: problem, notes = [] } = await statesOf(session);
  return {
    ...(states ? { states } : {}),
    ...(model === undefined ? {} : { model }),
    found: [
      ...(problem === undefined ? [] : [diagnosticFact('unknown-model', { operations, reason: problem })]),
      ...notes.map((message) => diagnosticFact('assumed-kernel', { message })),
    ],
  };
}

/** Runs a document's operations with another model from now on. Returns a message if that is not possible. */
export async function runWith(document: EngineDocument, model: string): Promise<string | undefined> {
  const made = await statesOf(document.session, model, document.kernel);
  if (!made.states) return made.message ?? `model "${model}" cannot run this session`;
  document.states = made.states;
  document.model = made.model;
  return undefined;
}

/** Runs the operations of sessions by the rules of a kernel version; `undefined`: the version in each header. */
export async function runUnder(documents: Iterable<EngineDocument>, kernel: string | undefined): Promise<void> {
  for (const document of documents) {
    if (document.kind !== 'session' || document.kernel === kernel) continue;
    document.kernel = kernel;
    if (document.model !== undefined) await runWith(document, document.model);
  }
}

/** Restores the models and positions of documents. */
export async function restoreMoments(
  documents: ReadonlyMap<string, EngineDocument>,
  moments: readonly { readonly id: string; readonly position: number; readonly model?: string | undefined }[],
): Promise<void> {
  for (const { id, position, model } of moments) {
    const document = documents.get(id);
    if (!document) continue;
    if (model !== undefined && model !== document.model) await runWith(document, model);
    moveTo(document, position);
  }
}
