// Sources of lanes for tests, from lines as session files have them.
import { buildHost } from '../../analysis/host/build-host.ts';
import { MappingState } from '../../analysis/host/mapping-state.ts';
import { mappingSets } from '../../analysis/host/mappings.ts';
import { commonSpace, reportedSpaces } from '../../analysis/space/common-space.ts';
import { hex } from '../../iova/format.ts';
import type { AddressSpaceView } from '../../kernel/model.ts';
import { createModel } from '../../kernel/models.ts';
import { parseEventLine } from '../../session/event-line.ts';
import { isOperation, type SessionEvent } from '../../session/events.ts';
import { elementAt } from '../lanes/columns.ts';
import type { LaneContent } from '../lanes/lane.ts';
import { type HostSource, laneIds, type ModelSource, type ReportedSource } from '../lanes/sources.ts';
import { styleAt } from '../scene/style-names.ts';

/** Facts or operations in the words of a session file, addresses in hex; read from lines 1, 2 … of `dump`. */
export function eventsOf(lines: readonly object[]): SessionEvent[] {
  return lines.map((line, i) => {
    const { event, problem } = parseEventLine(JSON.stringify({ source: 'dump', line: i + 1, ...line }));
    if (problem) throw new Error(`${JSON.stringify(line)}: ${problem.message}`);
    return event;
  });
}

/** The source of a host's lanes: all of its groups, guests as given, its mappings after `position` events. */
export function hostSource(
  lines: readonly object[],
  more: Partial<Pick<HostSource, 'guests'>> & {
    readonly expanded?: readonly string[];
    readonly position?: number;
  } = {},
): HostSource {
  const events = eventsOf(lines);
  const host = buildHost('h', 'host', events);
  const mappings = mappingSets(events).map((set) => {
    const state = new MappingState(set);
    state.seek(more.position ?? events.length);
    return state;
  });
  const ids = laneIds('h', new Set((more.expanded ?? []).map((name) => `h#${name}`)));
  return { ...ids, space: commonSpace(host, host.groups), guests: more.guests ?? [], mappings };
}

export function reportedSource(
  lines: readonly object[],
  more: Partial<Pick<ReportedSource, 'guests'>> = {},
): ReportedSource {
  const [space] = reportedSpaces(buildHost('h', 'host', eventsOf(lines)));
  if (!space) throw new Error('nothing was reported');
  return { ...laneIds('r', new Set()), space, guests: more.guests ?? [] };
}

/** The one address space of a model after operations that must all succeed. */
export function modelSpaceOf(model: string, operations: readonly object[]): AddressSpaceView {
  const made = createModel({ model });
  if (!made.ok) throw new Error(made.message);
  for (const [i, event] of eventsOf(operations).entries()) {
    if (!isOperation(event)) throw new Error('not an operation');
    const outcome = made.model.apply(event, i);
    if (!outcome.ok) throw new Error(outcome.refusal?.message ?? outcome.invalid?.message);
  }
  const [space] = made.model.spaces();
  if (!space) throw new Error('the model has no address space');
  return space;
}

export function modelSource(
  model: string,
  operations: readonly object[],
  more: Partial<Pick<ModelSource, 'guest'>> & { readonly expanded?: readonly string[] } = {},
): ModelSource {
  const ids = laneIds('m', new Set((more.expanded ?? []).map((name) => `m#${name}`)));
  const provenanceOf = (event: number) => [{ source: 'trace', line: event + 2 }];
  return { ...ids, space: modelSpaceOf(model, operations), guest: more.guest, provenanceOf };
}

/** The rows of a lane as text: `0xfee00000-0xfeefffff msi MSI window`, after `title:` where the row has one. */
export function rowsOf(lane: LaneContent | undefined): string[][] {
  if (!lane) throw new Error('no such lane');
  return lane.rows.map((row, r) => {
    const ranges = Array.from(row.starts, (start, i) => {
      const style = styleAt(elementAt(row.styles, i));
      return `${hex(start)}-${hex(elementAt(row.lasts, i))} ${style} ${lane.caption(r, i)}`.trim();
    });
    return row.title === undefined ? ranges : [`${row.title}:`, ...ranges];
  });
}
