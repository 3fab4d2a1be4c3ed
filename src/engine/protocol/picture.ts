// The picture: its arrangement, and what is known about its ranges.
import type { IovaRange } from '../../iova/range.ts';
import type { Scale, ScaleKind } from '../../timeline/axis/scale.ts';
import type { NoteRef, Part } from '../../timeline/lanes/lane.ts';
import type { Target } from '../../timeline/scene/mark.ts';
import type { StyleName } from '../../timeline/scene/style-names.ts';
import type { Trial } from './answers.ts';

export interface ArrangeParams extends Omit<Trial, 'pageSize'> {
  /** Ids of the lanes that are expanded into rows. */
  readonly expanded: readonly string[];
  readonly scale: ScaleKind;
  /** Further ranges that the fold scale keeps visible, besides those of the lanes. */
  readonly keepVisible?: readonly IovaRange[];
  readonly compared?: ComparedInPicture | undefined;
}

/** A document that is run under several models or kernel versions, and what is shown of the comparison. */
export interface ComparedInPicture {
  readonly id: string;
  /** Models, at least two; `versions`: the document's model under every kernel version that differs for it. */
  readonly under: readonly string[] | 'versions';
  /** `each`: every address space once per model or version; `differences`: a lane with the differences. */
  readonly shows: readonly ('each' | 'differences')[];
}

export interface Arrangement {
  /** Incremented with every arrangement; a slice belongs to one. */
  readonly revision: number;
  /** The address space, or the number of them. */
  readonly title: string;
  /** Names of the sources that contributed facts or operations. */
  readonly sources: readonly string[];
  readonly scale: Scale;
  readonly spaces: readonly {
    readonly id: string;
    readonly title: string;
    readonly subtitle: string;
    readonly lanes: readonly { readonly id: string; readonly title: string; readonly total: number }[];
  }[];
  /** Number of ranges in all lanes. */
  readonly total: number;
  /** From the first to the last address of the contents; undefined if the lanes are empty. */
  readonly contents?: IovaRange | undefined;
}

/** The text beside the title of a picture: its scale and its sources. */
export function subtitleOf({ scale, sources }: Pick<Arrangement, 'scale' | 'sources'>): string {
  const listed = sources.length > 3 ? [...sources.slice(0, 3), `${sources.length - 3} more`] : sources;
  return [`${scale.kind} scale`, ...listed].join(' · ');
}

export interface Neighbour {
  readonly caption: string;
  readonly target: Target;
  /** Bytes between; 0 if they touch. */
  readonly distance: bigint;
}

/** Everything that is known about one range, for the inspector. Bounds inclusive. */
export interface RangeDetail {
  readonly target: Target;
  readonly laneTitle: string;
  readonly spaceTitle: string;
  readonly style: StyleName;
  readonly title: string;
  readonly sentence: string;
  readonly parts: readonly Part[];
  readonly values: Readonly<Record<string, string>>;
  readonly before?: Neighbour | undefined;
  readonly after?: Neighbour | undefined;
  /** Set if it is a note. */
  readonly note?: NoteRef | undefined;
}

export interface TableRow {
  readonly target: Target;
  readonly space: string;
  readonly lane: string;
  readonly caption: string;
  readonly source: string;
}

/** A search result: a range of the picture, a group or device of a host, or a line of a source. */
export interface Found {
  readonly target?: Target | undefined;
  readonly location?: { readonly id: string; readonly source: string; readonly line: number } | undefined;
  /** In the tree of the case: a device, or without one its group. */
  readonly place?:
    | { readonly documentId: string; readonly groupKey: string; readonly device?: string | undefined }
    | undefined;
  /** What it is, and where. */
  readonly caption: string;
  readonly where: string;
}

/** The kind of a lane, as used in links: the part of its id after the key of its space. */
export function laneName(id: string): string {
  return id.slice(id.lastIndexOf('#') + 1);
}

/** The kinds of several lanes, each once. */
export function laneNames(ids: readonly string[]): string[] {
  return [...new Set(ids.map(laneName))].sort();
}
