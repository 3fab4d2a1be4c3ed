// Keys of what can be selected in the source tree. They are part of links, so they must not change.
import type { Guest } from '../../analysis/host/host.ts';
import type { MappingSet } from '../../analysis/host/mappings.ts';
import type { LaneKind } from '../../timeline/lanes/kinds.ts';
import type { EngineDocument } from './document.ts';

type Owner = Pick<EngineDocument, 'id'>;

/** An address space of a model. */
export function spaceKey({ id }: Owner, space: string): string {
  return `${id}/space ${space}`;
}

/** An address space whose ranges a kernel reported. */
export function reportedKey({ id }: Owner, space: string): string {
  return `${id}/reported ${space}`;
}

/** A kind of lane that is selected on its own. */
export function layerKey({ id }: Owner, layer: LaneKind): string {
  return `${id}/layer ${layer}`;
}

export function mappingKey({ id }: Owner, { key }: Pick<MappingSet, 'key'>): string {
  return `${id}/mappings ${key}`;
}

export function guestKey({ id }: Owner, { source }: Pick<Guest, 'source'>): string {
  return `${id}/guest ${source}`;
}
