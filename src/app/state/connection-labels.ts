import type { LiveState } from '../../engine/protocol/live.ts';

/** The state of a live host's connection, as the page shows it. */
export const CONNECTION_LABELS: Readonly<Record<LiveState['connection'], string>> = {
  connecting: 'Connecting…',
  live: 'Live',
  waiting: 'Reconnecting…',
  ended: 'Disconnected',
};
