// The guest that a caller gives to a function of the library: a text, or dumps that hold its definition or its layout.
import { guestFromFacts } from '../analysis/guest/guest-memory.ts';
import type { EngineDocument } from '../engine/documents/document.ts';
import { parseGuest } from '../engine/picture/guests.ts';
import type { GuestChoice } from '../engine/protocol/answers.ts';
import { isFact } from '../session/events.ts';
import type { Dumps } from './dumps.ts';
import type { GuestInput } from './guest-input.ts';
import { documentsOf } from './opened.ts';

/** A guest to try; `document`: the dumps that hold its layout. */
export interface TriedGuest {
  readonly choice: GuestChoice;
  readonly document?: EngineDocument;
}

export type TriedGuestResult =
  | { readonly ok: true; readonly guest: TriedGuest }
  | { readonly ok: false; readonly message: string };

function failed(message: string): TriedGuestResult {
  return { ok: false, message };
}

/** The guest of an input, or one line that says why there is none. `name`: which one, if there are several. */
export function triedGuest(guest: GuestInput, name?: string): TriedGuestResult {
  if (typeof guest !== 'string') return guestInDumps(guest, name);
  const parsed = parseGuest(guest);
  if (!parsed) return failed(`"${guest}": expected MACHINE:RAM[,OPTION…] such as pc-q35-7.2:16G`);
  return parsed.ok ? { ok: true, guest: { choice: parsed.choice } } : failed(`"${guest}": ${parsed.message}`);
}

function guestInDumps(dumps: Dumps, name: string | undefined): TriedGuestResult {
  const documents = documentsOf(dumps);
  const isNamed = (own: string | undefined) => name === undefined || own === name;
  const layouts = documents.flatMap((document) =>
    document.host.guests.flatMap(({ source }) => (isNamed(source) ? [{ document, source }] : [])),
  );
  const defined = documents
    .flatMap(({ session }) => guestFromFacts(session.events.filter(isFact)))
    .filter(({ definition }) => isNamed(definition.name));
  const [layout] = layouts;
  // What a running guest has is surer than what its definition says.
  if (layout && layouts.length === 1 && defined.length <= 1) {
    const { document, source } = layout;
    return { ok: true, guest: { choice: { kind: 'document', id: document.id, guest: source }, document } };
  }
  const names = [
    ...layouts.map(({ source }) => source),
    ...defined.map(({ definition }) => definition.name ?? 'unnamed'),
  ];
  if (names.length > 1) return failed(`contains several guests; give one of them: ${names.join(', ')}`);
  const [only] = defined;
  if (!only) {
    return failed(name === undefined ? 'no guest definition and no guest layout found' : `no guest "${name}" found`);
  }
  if (!only.memory.ok) return failed(only.memory.message);
  return { ok: true, guest: { choice: { kind: 'definition', definition: only.definition } } };
}

/** The same; throws a RangeError where there is no guest. */
export function requireGuest(guest: GuestInput, name?: string): TriedGuest {
  const tried = triedGuest(guest, name);
  if (!tried.ok) throw new RangeError(tried.message);
  return tried.guest;
}
