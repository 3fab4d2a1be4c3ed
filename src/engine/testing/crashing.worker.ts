// The engine's worker, which crashes when it is sent the text 'crash': for the test of what happens then.
import '../transport/engine.worker.ts';

self.addEventListener('message', ({ data }: MessageEvent<unknown>) => {
  if (data === 'crash') throw new Error('brought down for a test');
});
