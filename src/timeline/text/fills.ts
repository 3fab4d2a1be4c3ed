// How a range looks in plain text: a character that fills it and a word. Types differ by both.
import type { StyleName } from '../scene/style-names.ts';

export interface TextFill {
  readonly fill: string;
  /** From the longest to the shortest: the first that fits is written. */
  readonly words: readonly string[];
}

export const TEXT_FILLS: Readonly<Record<StyleName, TextFill>> = {
  aperture: { fill: '=', words: ['aperture', 'ap'] },
  beyond: { fill: 'x', words: ['outside'] },
  unknown: { fill: '?', words: ['unknown'] },
  msi: { fill: '%', words: ['MSI'] },
  direct: { fill: '#', words: ['direct', 'dir'] },
  'direct-relaxable': { fill: '~', words: ['relaxable', 'rlx'] },
  reserved: { fill: '*', words: ['reserved', 'resv'] },
  'reserved-other': { fill: '+', words: ['reserved', 'resv'] },
  doorbell: { fill: '@', words: ['doorbell', 'msi'] },
  'doorbell-outside': { fill: '!', words: ['MSI target', 'msi'] },
  'window-ram': { fill: ':', words: ['host RAM', 'RAM'] },
  'window-pci': { fill: 'p', words: ['PCI'] },
  'window-reserved': { fill: '*', words: ['firmware', 'fw'] },
  'window-other': { fill: '.', words: ['other', 'oth'] },
  bar: { fill: 'b', words: ['BAR'] },
  'guest-ram': { fill: '$', words: ['guest RAM', 'RAM'] },
  'guest-device': { fill: 'd', words: ['device', 'dev'] },
  'guest-io': { fill: '.', words: ['I/O'] },
  allowed: { fill: 'a', words: ['allowed', 'ok'] },
  area: { fill: '&', words: ['area', 'rw'] },
  'area-read-only': { fill: '&', words: ['read-only', 'ro'] },
  'area-write-only': { fill: '&', words: ['write-only', 'wo'] },
  'area-no-access': { fill: '&', words: ['no access', 'na'] },
  mapping: { fill: '&', words: ['mapped', 'map'] },
  'mapping-unsure': { fill: '&', words: ['mapped?', 'map'] },
  'request-refused': { fill: '!', words: ['refused', 'ref'] },
  fault: { fill: '^', words: ['fault', 'flt'] },
  kept: { fill: 'k', words: ['kept'] },
  cursor: { fill: '<', words: ['cursor', 'cur'] },
  hole: { fill: ' ', words: ['hole'] },
  usable: { fill: '-', words: ['usable'] },
  reported: { fill: '-', words: ['valid'] },
  note: { fill: '"', words: ['note'] },
  differs: { fill: 'D', words: ['differs', 'dif'] },
  several: { fill: ':', words: ['several'] },
  counted: { fill: ';', words: ['counted', 'cnt'] },
};
