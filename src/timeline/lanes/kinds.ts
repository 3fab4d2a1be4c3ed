// The table of lane kinds, from the top of an address space to its bottom. Another lane is a file in this folder and a
// row here, or one in model-space.ts if a model has it; scene, fold scale, minimap, sources tree, search and export read the row.
import type { Host } from '../../analysis/host/host.ts';
import { counted } from '../../iova/format.ts';
import { apertureOfHost, apertureOfReported } from './aperture.ts';
import { barsOfHost } from './bars.ts';
import { doorbellsOfHost } from './doorbells.ts';
import { faultsOfHost } from './faults.ts';
import { guestsOf } from './guest.ts';
import type { Lane, LaneContent, LaneTraits } from './lane.ts';
import { mappingsOfHost } from './mappings.ts';
import { reservedOfHost } from './reserved.ts';
import type { HostSource, ReportedSource } from './sources.ts';
import { usableOfHost, usableOfReported } from './usable.ts';
import { windowsOfHost } from './windows.ts';

/** Makes the lanes of a kind from one source: none, one, or one for each guest or set of mappings. */
export type LaneFunction<S, K extends string> = (source: S) => readonly LaneContent<K>[];

/** A lane that is selected on its own in the tree of sources. */
export interface Layer {
  readonly title: string;
  /** How much of it a host has: nothing is offered where it is 0. */
  count(host: Host): number;
  /** A second line beside the title. */
  note(host: Host): string;
  /** False if it would crowd the picture: then it is shown only if the host has nothing else. */
  readonly isShownByDefault: boolean;
}

interface LaneKindRow<K extends string> {
  readonly traits: LaneTraits;
  /** `null`: shown with its address space. */
  readonly layer: Layer | null;
  /** The dumps that have this lane; `null` where another kind makes it. Those of models are in model-space.ts. */
  readonly of: {
    readonly host?: LaneFunction<HostSource, K>;
    readonly reported?: LaneFunction<ReportedSource, K>;
  } | null;
}

function defineKinds<K extends string>(
  kinds: {
    readonly [P in K]: LaneKindRow<NoInfer<K>>;
  },
): typeof kinds {
  return kinds;
}

const KINDS = defineKinds({
  aperture: {
    traits: { height: 24, shape: 'bar', isLettered: true, isContent: false, isInMinimap: false, holdsFacts: false },
    layer: null,
    of: { host: apertureOfHost, reported: apertureOfReported },
  },
  reserved: {
    traits: { height: 32, shape: 'bar', isLettered: true, isContent: true, isInMinimap: true, holdsFacts: true },
    layer: null,
    of: { host: reservedOfHost },
  },
  doorbells: {
    traits: { height: 22, shape: 'bar', isLettered: true, isContent: true, isInMinimap: false, holdsFacts: true },
    layer: null,
    of: { host: doorbellsOfHost },
  },
  windows: {
    traits: { height: 22, shape: 'bar', isLettered: false, isContent: true, isInMinimap: false, holdsFacts: true },
    layer: {
      title: 'memory map',
      count: ({ windows }) => windows.length,
      note: ({ windows }) => `physical · ${counted(windows.length, 'window')}`,
      isShownByDefault: false,
    },
    of: { host: windowsOfHost },
  },
  bars: {
    traits: { height: 22, shape: 'bar', isLettered: false, isContent: true, isInMinimap: false, holdsFacts: true },
    layer: {
      title: 'BARs',
      count: ({ bars }) => bars.length,
      note: ({ bars }) => `physical · ${counted(bars.length, 'BAR')}`,
      isShownByDefault: false,
    },
    of: { host: barsOfHost },
  },
  allowed: {
    traits: { height: 22, shape: 'bar', isLettered: true, isContent: true, isInMinimap: false, holdsFacts: true },
    layer: null,
    of: null,
  },
  guest: {
    traits: { height: 32, shape: 'bar', isLettered: true, isContent: true, isInMinimap: true, holdsFacts: true },
    layer: null,
    of: { host: guestsOf, reported: guestsOf },
  },
  areas: {
    traits: { height: 32, shape: 'bar', isLettered: true, isContent: true, isInMinimap: true, holdsFacts: true },
    layer: null,
    of: null,
  },
  kept: {
    traits: { height: 22, shape: 'bar', isLettered: false, isContent: true, isInMinimap: false, holdsFacts: true },
    layer: null,
    of: null,
  },
  cursors: {
    traits: { height: 26, shape: 'arrow', isLettered: true, isContent: true, isInMinimap: false, holdsFacts: true },
    layer: null,
    of: null,
  },
  mappings: {
    traits: { height: 24, shape: 'bar', isLettered: false, isContent: true, isInMinimap: true, holdsFacts: true },
    layer: null,
    of: { host: mappingsOfHost },
  },
  // Made with the mappings, so that the refused requests of a set are below what it mapped.
  requests: {
    traits: { height: 26, shape: 'bar', isLettered: true, isContent: true, isInMinimap: true, holdsFacts: true },
    layer: null,
    of: null,
  },
  faults: {
    traits: { height: 26, shape: 'arrow', isLettered: true, isContent: true, isInMinimap: true, holdsFacts: true },
    layer: {
      title: 'faults',
      count: ({ faults }) => faults.length,
      note: ({ faults }) =>
        counted(
          faults.reduce((sum, { count }) => sum + count, 0),
          'fault',
        ),
      isShownByDefault: true,
    },
    of: { host: faultsOfHost },
  },
  // Made in the picture, where the notes of the case are known.
  notes: {
    traits: { height: 22, shape: 'bar', isLettered: true, isContent: true, isInMinimap: false, holdsFacts: true },
    layer: null,
    of: null,
  },
  // Made in the picture, where a session is run under several models or kernel versions.
  differences: {
    traits: { height: 26, shape: 'bar', isLettered: true, isContent: true, isInMinimap: false, holdsFacts: false },
    layer: null,
    of: null,
  },
  holes: {
    traits: { height: 20, shape: 'bar', isLettered: false, isContent: false, isInMinimap: false, holdsFacts: true },
    layer: null,
    of: null,
  },
  usable: {
    traits: { height: 24, shape: 'bar', isLettered: false, isContent: false, isInMinimap: false, holdsFacts: false },
    layer: null,
    of: { host: usableOfHost, reported: usableOfReported },
  },
});

export type LaneKind = keyof typeof KINDS;

export const LANE_KINDS: readonly LaneKind[] = Object.keys(KINDS) as LaneKind[];

export function laneKind(kind: LaneKind): LaneKindRow<LaneKind> {
  return KINDS[kind];
}

/** A lane with the traits of its kind. */
export function finished(content: LaneContent<LaneKind>): Lane {
  return { ...content, traits: laneKind(content.kind).traits };
}
