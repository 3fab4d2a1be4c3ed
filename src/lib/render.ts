import type { Dumps } from './dumps.ts';
import type { RenderOptions } from './render-options.ts';
import { renderSvg } from './share-dumps.ts';

/**
 * Draws the address spaces of the dumps as the browser does, with the answer, a legend, the exact bounds and, so that
 * iovascope can open it again, the session. Returns the text of an SVG file; the same dumps give the same text. Rejects
 * with a RangeError for a width, a range or a group that cannot be used.
 */
export function render(dumps: Dumps, options: RenderOptions = {}): Promise<string> {
  return renderSvg(dumps, { ...options, version: '' });
}
