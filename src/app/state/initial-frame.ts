// The panels around the picture, as they were left at the last visit.
import { recall } from './local-store.ts';

/** Left and right of the picture, and the details below it. */
export type PanelName = 'left' | 'right' | 'details';

export const PANELS: readonly PanelName[] = ['left', 'right', 'details'];

/** Used where the window is wide and high enough for panels side by side. */
export interface FrameState {
  /** Widths of the panels at the sides and height of the details in CSS pixels, where a user chose them. */
  readonly sizes: Readonly<Partial<Record<PanelName, number>>>;
  readonly folded: readonly PanelName[];
}

export const FRAME_KEY = 'iovascope-panels';

/** What `JSON.stringify` made of a frame; anything else is ignored, piece by piece. */
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
