// Hands many files to the engine in small parts: the browser looks at each file that it hands over, and many at once would
// block the page. Loaded when many are opened.
import type { CallOptions, Params, Value } from '../../engine/protocol/methods.ts';
import type { EngineResult } from '../../engine/protocol/result.ts';
import { groupedDecimal } from '../../iova/format.ts';
import { engine } from './engine.ts';

/** Files of a part. On a slow machine the browser takes half a millisecond for each. */
const PART = 32;
/** The number of files so far is shown after so many parts. */
const SHOWN_EACH = 16;

/** Hands over the files part by part, and opens them together. */
export async function openStaged(
  { files, ...params }: Params<'open'>,
  options: CallOptions,
): Promise<EngineResult<Value<'open'>>> {
  const { signal, onProgress } = options;
  for (let at = 0; at < files.length; at += PART) {
    const staged = await engine().call(
      'stage',
      { files: files.slice(at, at + PART), isFirst: at === 0 },
      signal ? { signal } : {},
    );
    if (!staged.ok) return staged;
    const label = `${groupedDecimal(BigInt(at))} of ${groupedDecimal(BigInt(files.length))} files`;
    if (at % (PART * SHOWN_EACH) === 0) onProgress?.({ done: 0, what: params.title, label });
  }
  return engine().call('open', { ...params, files: [], isStaged: true }, options);
}
