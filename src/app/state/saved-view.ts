// The part of the page's state that is saved with a case, as text. Loaded when there is a case to save or to open.
import * as v from 'valibot';
import type { GuestChoice } from '../../engine/protocol/answers.ts';
import { parseEventLine } from '../../session/event-line.ts';
import { isFact } from '../../session/events.ts';
import { writeEvent } from '../../session/write.ts';
import { type AppState, TAB_NAMES } from './app-state.ts';

const SIZE = v.pipe(
  v.string(),
  v.regex(/^\d{1,20}$/),
  v.transform((text) => BigInt(text)),
);
const GUEST = v.variant('kind', [
  v.object({ kind: v.literal('machine'), machine: v.string(), ram: SIZE }),
  // As a fact of a session file.
  v.object({ kind: v.literal('definition'), fact: v.string() }),
  v.object({ kind: v.literal('document'), id: v.string(), guest: v.string() }),
  v.object({ kind: v.literal('ranges'), text: v.string() }),
  v.object({ kind: v.literal('none') }),
]);
const VIEW = v.object({
  selectedGroups: v.array(v.string()),
  expanded: v.array(v.string()),
  scale: v.picklist(['fold', 'linear', 'log']),
  tab: v.picklist(TAB_NAMES),
  guest: v.optional(GUEST),
  pageSize: v.optional(SIZE),
});

type KeptGuest = v.InferOutput<typeof GUEST>;
type KeptView = Pick<AppState, 'selectedGroups' | 'expanded' | 'scale' | 'tab' | 'guest' | 'pageSize'>;

function keptGuest(guest: GuestChoice | undefined): KeptGuest | undefined {
  if (guest?.kind !== 'definition') return guest;
  return { kind: 'definition', fact: writeEvent({ kind: 'machine', ...guest.definition }) };
}

function guestOf(kept: KeptGuest | undefined): GuestChoice | undefined {
  if (kept?.kind !== 'definition') return kept;
  const { event } = parseEventLine(kept.fact);
  if (!event || !isFact(event) || event.kind !== 'machine') return undefined;
  const { kind: _kind, ...definition } = event;
  return { kind: 'definition', definition };
}

/** The view as text, to be saved with the case. */
export function viewText({ selectedGroups, expanded, scale, tab, guest, pageSize }: KeptView): string {
  const view = { selectedGroups, expanded, scale, tab, guest: keptGuest(guest), pageSize };
  return JSON.stringify(view, (_, value: unknown) => (typeof value === 'bigint' ? value.toString() : value));
}

/** Parses a saved view. Undefined if the text was not written by this version. */
export function parseView(text: string): KeptView | undefined {
  try {
    const parsed = v.safeParse(VIEW, JSON.parse(text));
    if (!parsed.success) return undefined;
    const { guest, pageSize, ...view } = parsed.output;
    return { ...view, guest: guestOf(guest), pageSize };
  } catch {
    return undefined;
  }
}
