// A document as the page shows it in the tree of sources.
import { groupTitle, type Host } from '../../analysis/host/host.ts';
import { holderLabel, reportedSpaces } from '../../analysis/space/common-space.ts';
import type { SourceSummary } from '../../dumps/input/collector.ts';
import { counted } from '../../iova/format.ts';
import { LANE_KINDS, type LaneKind, type Layer, laneKind } from '../../timeline/lanes/kinds.ts';
import type { DocumentNode, GroupNode, LayerNode, SourceNode, SpaceNode } from '../protocol/documents.ts';
import { type EngineDocument, stateOf } from './document.ts';
import { guestKey, layerKey, mappingKey, reportedKey, spaceKey } from './keys.ts';

/** The layers that a host has something for, in the order of the tree: the most specific first. */
export function layersIn(host: Host): { readonly kind: LaneKind; readonly layer: Layer }[] {
  return LANE_KINDS.toReversed().flatMap((kind) => {
    const { layer } = laneKind(kind);
    return layer && layer.count(host) > 0 ? [{ kind, layer }] : [];
  });
}

function layerNodes(document: EngineDocument): LayerNode[] {
  const { host, mappings } = document;
  // Physical addresses of the host would crowd a picture of I/O addresses: they are shown when there is nothing else.
  const isAlone = host.groups.length === 0 && host.guests.length === 0 && mappings.length === 0;
  const hasSeveralGuests = host.guests.length > 1 || document.live !== undefined;
  return [
    ...mappings.map((set) => ({
      key: mappingKey(document, set),
      title: set.title,
      note: [counted(set.facts.length, 'event'), set.isOneDomain ? set.note : 'unknown domain'].join(' · '),
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

function sourceNode(summary: SourceSummary): SourceNode {
  const facts = Object.entries(summary.kinds).reduce((sum, [kind, n]) => (kind === 'diagnostic' ? sum : sum + n), 0);
  return {
    name: summary.name,
    formats: summary.formats.map((f) => f.title),
    facts,
    operations: summary.operations,
    lines: summary.lines,
    unrecognized: summary.unrecognized,
    samples: summary.samples.map(({ line, text }) => ({ line, text })),
  };
}

function groupNodes({ groups }: Host): GroupNode[] {
  return groups.map((group) => {
    const counts = new Map<string, number>();
    for (const { type } of group.regions) counts.set(type, (counts.get(type) ?? 0) + 1);
    return {
      key: group.key,
      title: groupTitle(group),
      type: group.type,
      devices: group.devices,
      regions: [...counts].map(([type, count]) => ({ type, count })),
    };
  });
}

/** What kernels reported, then the spaces of the document's model at its position. */
function spaceNodes(document: EngineDocument): SpaceNode[] {
  return [
    ...reportedSpaces(document.host).map((space) => ({
      key: reportedKey(document, space.name),
      title: space.name,
      note: holderLabel(space) || 'reported by the kernel',
    })),
    ...(stateOf(document)?.spaces() ?? []).map(({ id, areaCount, validRanges }) => ({
      key: spaceKey(document, id),
      title: id,
      areas: areaCount,
      hasInfo: validRanges !== undefined,
    })),
  ];
}

function hasHistory(document: EngineDocument): boolean {
  if (document.operations > 0 || document.hasGone || document.live !== undefined) return true;
  return document.mappings.some((set) => !set.isSnapshot && set.facts.length > 1);
}

export function documentNode(document: EngineDocument): DocumentNode {
  return {
    id: document.id,
    title: document.title,
    sources: document.sources.map(sourceNode),
    texts: document.texts,
    groups: groupNodes(document.host),
    spaces: spaceNodes(document),
    layers: layerNodes(document),
    guests: document.host.guests.map(({ source }) => source),
    hasHistory: hasHistory(document),
    ...(document.live ? { live: { isFollowing: document.live.isFollowing } } : {}),
    diagnostics: document.diagnostics,
    diagnosticsMore: document.diagnosticsMore,
    events: document.session.events.length,
    operations: document.operations,
    position: document.position,
    model: document.model,
    recordedModel: document.session.header.model,
  };
}
