import type { Collector } from '../input/collector.ts';

/** What the readers of a text need of the collector of its source. */
export type TextCollector = Pick<
  Collector,
  'sink' | 'push' | 'leftover' | 'diagnostic' | 'reported' | 'lines' | 'hasDamagedNumbers'
>;
