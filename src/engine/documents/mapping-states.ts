// Cached states of mapping sets, so that moving through a session continues from the last position.
import { MappingState } from '../../analysis/host/mapping-state.ts';
import type { MappingSet } from '../../analysis/host/mappings.ts';

const movingStates = new WeakMap<MappingSet, MappingState>();
const finalStates = new WeakMap<MappingSet, MappingState>();

function stateIn(states: WeakMap<MappingSet, MappingState>, set: MappingSet, position: number): MappingState {
  const state = states.get(set) ?? new MappingState(set);
  states.set(set, state);
  state.seek(position);
  return state;
}

/** A set's state after the first `position` events. Each set has one state object, which moves: use it before the next call. */
export function mappingStateAt(set: MappingSet, position: number): MappingState {
  return stateIn(movingStates, set, position);
}

/** A set's state after all events. The set of a live host grows: call this again for the newest state. */
export function finalMappingState(set: MappingSet): MappingState {
  return stateIn(finalStates, set, Number.POSITIVE_INFINITY);
}
