// The engine's worker as it is, but for one word that brings it down: for the test of what happens then.
import '../transport/engine.worker.ts';

self.addEventListener('message', ({ data }: MessageEvent<unknown>) => {
  if (data === 'crash') throw new Error('brought down for a test');
});
