// The panels around the picture, as they were left at the last visit.
import { recall } from './local-store.ts';

/** Left and right of the picture, and the details below it. */
export type PanelName = 'left' | 'right' | 'details';

export const PANELS: readonly PanelName[] = ['left', 'right', 'details'];

/** Used if the window is large enough for panels side by side. */
export interface FrameState {
  /** Widths of the side panels and height of the details in CSS pixels, if the user changed them. */
  readonly sizes: Readonly<Partial<Record<PanelName, number>>>;
  readonly folded: readonly PanelName[];
}

export const FRAME_KEY = 'iovascope-panels';

/** Parses a frame that was written with `JSON.stringify`; invalid parts are ignored. */
export function parseFrame(text: string | undefined): FrameState {
  let stored: unknown;
  try {
    stored = JSON.parse(text ?? '{}');
  } catch {
    stored = undefined;
  }
  const fields = isRecord(stored) ? stored : {};
  const sizes = isRecord(fields.sizes) ? fields.sizes : {};
  const folded: readonly unknown[] = Array.isArray(fields.folded) ? fields.folded : [];
  return {
    sizes: Object.fromEntries(
      PANELS.flatMap((panel) => {
        const size = sizes[panel];
        return typeof size === 'number' && Number.isFinite(size) && size > 0 ? [[panel, size]] : [];
      }),
    ),
    folded: PANELS.filter((panel) => folded.includes(panel)),
  };
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function initialFrame(): FrameState {
  return parseFrame(recall(FRAME_KEY));
}
