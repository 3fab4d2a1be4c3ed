// A document as a node of the page's source tree.
import { assignmentRefusal, selectedGroups } from '../../analysis/case/device.ts';
import { groupTitle, type Host } from '../../analysis/host/host.ts';
import type { MappingSet } from '../../analysis/host/mappings.ts';
import { isAmdHost } from '../../analysis/host/platforms.ts';
import { holderLabel, reportedSpaces, separateSpaces } from '../../analysis/space/common-space.ts';
import type { SourceSummary } from '../../dumps/input/collector.ts';
import { counted } from '../../iova/format.ts';
import { LANE_KINDS, type LaneKind, type Layer, laneKind } from '../../timeline/lanes/kinds.ts';
import type { DeviceNode, DocumentNode, GroupNode, LayerNode, SourceNode, SpaceNode } from '../protocol/documents.ts';
import { type EngineDocument, type SourceOrigin, stateOf } from './document.ts';
import { guestKey, layerKey, mappingKey, reportedKey, spaceKey } from './keys.ts';

/** The layers for which a host has contents, in the order of the tree: the most specific first. */
export function layersIn(host: Host): { readonly kind: LaneKind; readonly layer: Layer }[] {
  return LANE_KINDS.toReversed().flatMap((kind) => {
    const { layer } = laneKind(kind);
    return layer && layer.count(host) > 0 ? [{ kind, layer }] : [];
  });
}

/** Number of facts of a set, including those that are not kept. */
function factCount({ facts, folded }: MappingSet): number {
  return facts.length + (folded ? folded.maps + folded.unmaps - folded.live : 0);
}

function layerNodes(document: EngineDocument): LayerNode[] {
  const { host, mappings } = document;
  // Physical addresses of the host would crowd a picture of I/O addresses, so they are shown only if there is nothing else.
  const isAlone = host.groups.length === 0 && host.guests.length === 0 && mappings.length === 0;
  const hasSeveralGuests = host.guests.length > 1 || document.live !== undefined;
  return [
    ...mappings.map((set) => ({
      key: mappingKey(document, set),
      title: set.title,
      note: [counted(factCount(set), 'event'), set.isOneDomain ? set.note : 'unknown domain'].join(' · '),
      isShown: true,
    })),
    ...host.guests.map((guest) => ({
      key: guestKey(document, guest),
      title: 'guest layout',
      note: [counted(guest.ranges.length, 'range'), ...(hasSeveralGuests ? [guest.source] : [])]
        .filter((part) => part !== '')
        .join(' · '),
      isShown: true,
    })),
    ...layersIn(host).map(({ kind, layer }) => ({
      key: layerKey(document, kind),
      title: layer.title,
      note: layer.note(host),
      isShown: layer.isShownByDefault || isAlone,
    })),
  ];
}

/** Number of warnings and errors of a source; diagnostics beyond the listed ones are counted as such. */
function problemsIn({ diagnostics, diagnosticsMore }: SourceOrigin): number {
  return diagnostics.filter(({ severity }) => severity !== 'info').length + diagnosticsMore;
}

function sourceNode(summary: SourceSummary, origin?: SourceOrigin): SourceNode {
  const facts = Object.entries(summary.kinds).reduce((sum, [kind, n]) => (kind === 'diagnostic' ? sum : sum + n), 0);
  return {
    id: origin?.id ?? summary.name,
    kind: origin?.kind ?? 'file',
    name: origin?.label ?? summary.name,
    isLive: origin?.isLive ?? false,
    formats: summary.formats.map((f) => f.title),
    facts,
    operations: summary.operations,
    lines: summary.lines,
    unrecognized: summary.unrecognized,
    diagnostics: origin ? problemsIn(origin) : 0,
    samples: summary.samples.map(({ line, text }) => ({ line, text })),
  };
}

/** The sources of a document. A live host has a node without a text. */
function sourceNodes(document: EngineDocument): SourceNode[] {
  if (document.origins.length === 0) return document.sources.map((summary) => sourceNode(summary));
  return document.origins.flatMap((origin) =>
    origin.isLive
      ? [
          {
            id: origin.id,
            kind: 'live',
            name: origin.label,
            isLive: true,
            formats: ['live host'],
            facts: document.session.events.length,
            operations: 0,
            lines: 0,
            unrecognized: 0,
            diagnostics: problemsIn(origin),
            samples: [],
          },
        ]
      : origin.sources.map((summary) => sourceNode(summary, origin)),
  );
}

function deviceNode({ devices }: Host, device: string): DeviceNode {
  const { name, class: kind, ids, driver } = devices.get(device) ?? {};
  return { device, name, class: kind, ids, driver };
}

function groupNodes({ host, assigned }: EngineDocument): GroupNode[] {
  const selected = new Set(selectedGroups(host, assigned));
  return host.groups.map((group) => {
    const counts = new Map<string, number>();
    for (const { type } of group.regions) counts.set(type, (counts.get(type) ?? 0) + 1);
    const refusal = assignmentRefusal(host, group);
    return {
      key: group.key,
      title: groupTitle(group),
      type: group.type,
      devices: group.devices.map((device) => deviceNode(host, device)),
      ...(refusal === undefined ? {} : { refusal }),
      isSelectedByDefault: selected.has(group),
      regions: [...counts].map(([type, count]) => ({ type, count })),
    };
  });
}

/** Address spaces that kernels reported, then those of the document's model at its position. */
function spaceNodes(document: EngineDocument): SpaceNode[] {
  const separate = new Set(separateSpaces(document.host).map(({ name }) => name));
  return [
    ...reportedSpaces(document.host).map((space) => ({
      key: reportedKey(document, space.name),
      title: space.name,
      isShown: separate.has(space.name),
      note: holderLabel(space) || 'reported by the kernel',
    })),
    ...(stateOf(document)?.spaces() ?? []).map(({ id, areaCount, validRanges }) => ({
      key: spaceKey(document, id),
      title: id,
      isShown: true,
      areas: areaCount,
      hasInfo: validRanges !== undefined,
    })),
  ];
}

function hasHistory(document: EngineDocument): boolean {
  if (document.operations > 0 || document.hasGone || document.live !== undefined) return true;
  return document.mappings.some((set) => !set.isSnapshot && factCount(set) > 1);
}

export function documentNode(document: EngineDocument): DocumentNode {
  const { alike } = document;
  return {
    id: document.id,
    kind: document.kind,
    title: document.title,
    ...(alike ? { alike: { shown: alike.shown, count: alike.others.length + 1, varies: alike.varies } } : {}),
    sources: sourceNodes(document),
    texts: document.texts,
    groups: groupNodes(document),
    isAmd: isAmdHost(document.host),
    spaces: spaceNodes(document),
    layers: layerNodes(document),
    guests: document.host.guests.map(({ source }) => source),
    hasHistory: hasHistory(document),
    ...(document.densities ? { densities: document.densities } : {}),
    ...(document.live ? { live: { isFollowing: document.live.isFollowing } } : {}),
    diagnostics: document.diagnostics,
    diagnosticsMore: document.diagnosticsMore,
    events: document.session.events.length,
    ...(document.concealed ? { isConcealed: true } : {}),
    operations: document.operations,
    ...(document.changes ? { changes: document.changes } : {}),
    position: document.position,
    model: document.model,
    recordedModel: document.session.header.model,
  };
}
