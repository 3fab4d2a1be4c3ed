// Showing what a step of a lesson says: which address spaces of its session, and what is selected.
import type { DocumentNode } from '../../engine/protocol/documents.ts';
import { defaultKeys, selectableKeys } from '../../engine/protocol/selection.ts';
import { selectedBy } from '../../engine/share/selection-value.ts';
import { hexRange } from '../../iova/format.ts';
import type { IovaRange } from '../../iova/range.ts';
import { ALL_SPACES, type LessonView } from '../../lessons/lesson.ts';
import { useApp } from './app-state.ts';
import { updateDocument } from './documents.ts';
import { engine } from './engine.ts';
import { arrange } from './picture.ts';
import { measure, select } from './selection.ts';

const { getState: get, setState: set } = useApp;

/** Results of a search among which the one with the same bounds is looked for: several lanes can have it. */
const FOUND_MAX = 20;

/** What of a lesson's documents is shown: address spaces and groups by name; undefined: what a person chose. */
export type Shown = Pick<LessonView, 'spaces' | 'groups'> | undefined;

/** The lesson, by its session, that chose what is shown. */
let chosenBy: string | undefined;

/** The keys of what is shown of a document. */
function keysShown(document: DocumentNode, { spaces = [], groups }: NonNullable<Shown>): string[] {
  if (spaces.includes(ALL_SPACES)) return defaultKeys(document);
  const named = new Set([
    ...document.spaces.filter(({ title }) => spaces.includes(title)).map(({ key }) => key),
    ...selectedBy([document], groups ?? []).keys,
  ]);
  if (document.kind === 'session') return selectableKeys(document).filter((key) => named.has(key));
  if (!groups) return [];
  const layers = new Set(document.layers.filter(({ isShown }) => isShown).map(({ key }) => key));
  return selectableKeys(document).filter((key) => named.has(key) || layers.has(key));
}

/**
 * Shows a lesson's session in its new state, and of the documents that have these sources what a step names
 * (the session and the hosts of its facts). `before`: the session as it was, if the step was shown already: only what is new in it is decided then.
 */
export async function showLessonSession(
  session: DocumentNode,
  sources: readonly string[],
  shown: Shown,
  before?: DocumentNode,
): Promise<void> {
  // A step before the first that chooses shows everything.
  const wanted = shown ?? (chosenBy === session.id && !before ? { spaces: [ALL_SPACES] } : undefined);
  chosenBy = shown ? session.id : undefined;
  if (!wanted) {
    await updateDocument(session, true);
    return;
  }
  const { documents: old, selectedGroups } = get();
  const documents = old.map((document) => (document.id === session.id ? session : document));
  const own = before
    ? [session]
    : documents.filter((one) => one === session || one.sources.some(({ id }) => sources.includes(id)));
  const known = new Set(before ? selectableKeys(before) : []);
  const selected = new Set(selectedGroups);
  const decided = new Set([...own, ...old.filter(({ id }) => id === session.id)].flatMap(selectableKeys));
  const isKept = (key: string) => known.has(key) && selected.has(key);
  const keys = own.flatMap((document) => {
    const named = new Set(keysShown(document, wanted));
    return selectableKeys(document).filter((key) => isKept(key) || (named.has(key) && !known.has(key)));
  });
  // Nothing would be an empty picture, if what is named was destroyed meanwhile.
  const some = before || keys.length > 0 ? keys : own.flatMap(defaultKeys);
  set({ documents, selectedGroups: [...selectedGroups.filter((key) => !decided.has(key)), ...some] });
  await arrange('view');
}

/** Selects the range of the picture with these bounds, or one that has them in it; measures them if there is none. */
export async function selectRange({ start, last }: IovaRange): Promise<void> {
  const found = await engine().call('find', { text: hexRange({ start, last }), limit: FOUND_MAX });
  const targets = found.ok ? found.value.flatMap(({ target }) => target ?? []) : [];
  const same = targets.find((target) => target.start === start && target.last === last);
  if (same) await select(same, { reveal: true });
  else measure(start, last);
}
