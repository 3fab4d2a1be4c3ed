import { EngineClient } from '../../engine/transport/client.ts';

/** Starts the engine in a Web Worker. `onRestart` is called with the reason after the engine was restarted. */
export function startEngine(onRestart: (reason: string) => void): EngineClient {
  return new EngineClient(
    () =>
      new Worker(new URL('../../engine/transport/engine.worker.ts', import.meta.url), {
        type: 'module',
        name: 'iovascope engine',
      }),
    onRestart,
  );
}
