// The hosts of a fleet that one of them is shown for: their names, and how one becomes a host of its own.
import { isFact, type SessionEvent } from '../../session/events.ts';
import type { MemberParams, Members } from '../protocol/case.ts';
import type { CallContext } from '../protocol/methods.ts';
import type { CaseResult, OpenCase } from './open-case.ts';
import type { OpenedSource } from './opened-source.ts';

/** The source of a host that names the others. */
function namingSource(current: OpenCase, hostId: string, name?: string): OpenedSource | undefined {
  return current.sources.find(
    ({ id, profile: { alike } }) =>
      current.hostOfSource(id) === hostId && (name === undefined ? alike.size > 0 : alike.has(name)),
  );
}

/** The names of hosts that contain a text, those that are shown first. */
export function membersOf(current: OpenCase, { ids, text, limit }: MemberParams): Members {
  const wanted = text.trim().toLowerCase();
  const rows: Members['rows'][number][] = [];
  let found = 0;
  const add = (id: string, name: string, isShown: boolean, canOpen: boolean) => {
    if (!name.toLowerCase().includes(wanted)) return;
    found++;
    if (rows.length < limit) rows.push({ id, name, isShown, canOpen });
  };
  const documents = ids.flatMap((id) => current.documents.get(id) ?? []);
  for (const { id, title, alike } of documents) add(id, alike?.shown ?? title, true, false);
  for (const { id, alike } of documents) {
    if (!alike) continue;
    const readers = namingSource(current, id)?.members;
    for (const name of alike.others) add(id, name, false, readers?.has(name) === true);
  }
  return { rows, found };
}

/** The source without one of the hosts that are alike with it. */
function without(source: OpenedSource, name: string): OpenedSource {
  const { read, profile, members } = source;
  const alike = new Set(profile.alike);
  alike.delete(name);
  const events = read.session.events.flatMap((event): SessionEvent[] => {
    if (!isFact(event) || event.kind !== 'host' || !event.alike?.includes(name)) return [event];
    const others = event.alike.filter((other) => other !== name);
    return others.length > 0 ? [{ ...event, alike: others }] : [];
  });
  const left = new Map(members);
  left.delete(name);
  return {
    ...source,
    read: { ...read, session: { ...read.session, events } },
    profile: { ...profile, alike, varies: alike.size > 0 ? profile.varies : new Set() },
    members: left,
  };
}

/** Reads one of the hosts that a host is shown for again, and makes it a host of its own. Rejects for the context's signal. */
export async function openMember(
  current: OpenCase,
  { id, name }: { readonly id: string; readonly name: string },
  context: CallContext,
): Promise<CaseResult> {
  const source = namingSource(current, id, name);
  if (!source) return { ok: false, message: `"${name}" is not among the hosts that are shown together` };
  const read = await source.members?.get(name)?.(context);
  if (!read) return { ok: false, message: `the dump of ${name} is not available any more: open it again` };
  current.separate(without(source, name), read, name);
  return { ok: true };
}
