import type { LiveState } from '../../engine/protocol/live.ts';

/** The state of a live host's connection, as the page shows it. */
export const CONNECTION_LABELS: Readonly<Record<LiveState['connection'], string>> = {
  connecting: 'connecting',
  live: 'live',
  waiting: 'Reconnecting…',
  ended: 'disconnected',
};
