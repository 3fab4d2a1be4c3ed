import { EngineClient } from '../../engine/transport/client.ts';

/** Starts the engine in a Web Worker. */
export function startEngine(onRestart: (reason: string) => void): EngineClient {
  return new EngineClient(
    () =>
      new Worker(new URL('../../engine/transport/engine.worker.ts', import.meta.url), {
        type: 'module',
        name: 'iopt engine',
      }),
    onRestart,
  );
}
