import type { Engine } from '../../engine/protocol/methods.ts';

let connected: Engine | undefined;

/** Sets the engine that all actions use. Call once, before anything else. */
export function connectEngine(engine: Engine): void {
  connected = engine;
}

export function engine(): Engine {
  if (!connected) throw new Error('connectEngine must be called first');
  return connected;
}
