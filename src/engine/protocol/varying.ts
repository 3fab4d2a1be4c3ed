// What a picture of one host does not show of the others that are alike.
import type { Varying } from './documents.ts';

const LABELS: Readonly<Record<Varying, string>> = {
  addresses: 'device addresses and group numbers',
  names: 'names and ids of devices',
  'memory-map': 'the memory map',
  bars: 'BARs',
  interrupts: 'MSI addresses',
};

/** `device addresses and group numbers, BARs`; words of newer versions as they are. */
export function variesLabel(varies: readonly string[]): string {
  return varies.map((word) => LABELS[word as Varying] ?? word).join(', ');
}
