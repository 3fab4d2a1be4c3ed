// Replaces start-engine.ts in the single-file page (vite.offline.config.ts).

import { EngineClient } from '../../engine/transport/client.ts';
import EngineWorker from '../../engine/transport/engine.worker.ts?worker&inline';

/** Starts the engine in a worker whose code is part of the page. `onRestart` as in start-engine.ts. */
export function startEngine(onRestart: (reason: string) => void): EngineClient {
  return new EngineClient(() => new EngineWorker({ name: 'iovascope engine' }), onRestart);
}
