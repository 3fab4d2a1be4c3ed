// Facts of a host that a person changes by hand, to ask "what if": a reserved region more, one less, another aperture. They
// are a source of their own, which is undone, closed, kept and exported like any other; a note on the range says in every
// picture and report what was changed. Loaded when the first one is made.
import { groupTitle } from '../../analysis/host/host.ts';
import { hexRange } from '../../iova/format.ts';
import type { IovaRange } from '../../iova/range.ts';
import { type Fact, type FactOf, isFact } from '../../session/events.ts';
import type { EngineDocument } from '../documents/document.ts';
import type { HandFact } from '../protocol/case.ts';
import { emptySource, keepingMoments, withChange } from './notes.ts';
import type { CaseResult, OpenCase } from './open-case.ts';

// What a person adds to a case is loaded at once.
export { changeNote, notesOf } from './notes.ts';

/** Name of the source. */
const BY_HAND = 'entered by hand';

interface Made {
  readonly fact: Fact;
  /** What was done, as a clause. */
  readonly text: string;
}

const no = (message: string): CaseResult => ({ ok: false, message });

function reserve({ group, type = 'reserved' }: HandFact, range: IovaRange, { host }: EngineDocument): Made | string {
  const known = host.groups.find((one) => one.group === group);
  if (!known) return group === undefined ? 'a reserved region needs a group' : `the host has no group ${group}`;
  const same = known.regions.find(({ start, last }) => start === range.start && last === range.last);
  if (same) return `${groupTitle(known)} already has a region with these bounds (${same.type})`;
  const fact: FactOf<'reserved'> = { kind: 'reserved', ...range, type, origin: 'manual', group, source: BY_HAND };
  return { fact, text: `${type} region of ${groupTitle(known)} added` };
}

function ignore({ group }: HandFact, range: IovaRange, { host }: EngineDocument): Made | string {
  const groups = host.groups.filter((one) => group === undefined || one.group === group);
  const found = groups.flatMap((one) =>
    one.regions.flatMap(({ start, last, type }) =>
      start === range.start && last === range.last ? [{ title: groupTitle(one), type }] : [],
    ),
  );
  const [first] = found;
  if (!first) return `no reserved region with the bounds ${hexRange(range)}`;
  const of = group === undefined ? {} : { group };
  const fact: FactOf<'ignored'> = {
    kind: 'ignored',
    ...range,
    type: first.type,
    ...of,
    origin: 'manual',
    source: BY_HAND,
  };
  const titles = found.map(({ title }) => title);
  const whose = titles.length > 3 ? `${titles.length} groups` : titles.join(', ');
  return { fact, text: `${first.type} region of ${whose} ignored` };
}

function aperture(_: HandFact, range: IovaRange): Made {
  const fact: FactOf<'aperture'> = { kind: 'aperture', ...range, origin: 'manual', source: BY_HAND };
  return { fact, text: `aperture replaced by ${hexRange(range)}` };
}

const CHANGES = { reserve, ignore, aperture };

/** Changes a fact of a host. A live host reports its own facts: they are not changed. */
export function changeFact(open: OpenCase, params: HandFact): Promise<CaseResult> {
  return keepingMoments(open, async () => {
    const { hostId, change } = params;
    const document = open.documents.get(hostId);
    if (document?.kind !== 'host') return no('choose a host whose facts are changed');
    if (document.live)
      return no(`${document.title} is live: save it as a session file, open that, and change its facts there`);
    const range = { start: params.start, last: params.last } as IovaRange;
    if (range.start > range.last) return no('the range ends before it starts');
    const made = CHANGES[change](params, range, document);
    if (typeof made === 'string') return no(made);
    const label = `By hand: ${made.text}`;
    const note: FactOf<'note'> = { kind: 'note', text: label, ...range, source: BY_HAND };
    const sources = open.sources.filter(({ id }) => open.hostOfSource(id) === hostId);
    const own = sources.find(({ name }) => name === BY_HAND);
    const before = own ?? emptySource(BY_HAND, sources);
    const { events } = before.read.session;
    // One aperture holds: the next takes its place, and that of its note.
    const old =
      made.fact.kind === 'aperture' ? events.findIndex((event) => isFact(event) && event.kind === 'aperture') : -1;
    const splice = { index: old < 0 ? events.length : old, removed: old < 0 ? 0 : 2, added: [made.fact, note] };
    open.put(label, [await withChange(before, splice, true)], own ? undefined : hostId);
    return { ok: true };
  });
}
