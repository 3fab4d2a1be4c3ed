/** How a live host is connected, for people. */
export const CONNECTION_LABELS = {
  connecting: 'connecting',
  live: 'live',
  waiting: 'connection lost, connecting again',
  ended: 'not connected',
} as const;
