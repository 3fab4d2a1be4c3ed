// The names of styles (styles.ts), and their numbers in the columns of lanes.

/** In the order of the legend. The columns of a lane hold indices into this list. */
export const STYLE_NAMES = [
  'aperture',
  'beyond',
  'unknown',
  'msi',
  'direct',
  'direct-relaxable',
  'reserved',
  'reserved-other',
  'doorbell',
  'doorbell-outside',
  'window-ram',
  'window-pci',
  'window-reserved',
  'window-other',
  'bar',
  'guest-ram',
  'guest-device',
  'guest-io',
  'allowed',
  'area',
  'area-read-only',
  'area-write-only',
  'area-no-access',
  'mapping',
  'mapping-unsure',
  'request-refused',
  'fault',
  'kept',
  'cursor',
  'hole',
  'usable',
  'reported',
  'note',
  'differs',
  'several',
  'counted',
] as const;

export type StyleName = (typeof STYLE_NAMES)[number];

const INDICES: ReadonlyMap<StyleName, number> = new Map(STYLE_NAMES.map((name, index) => [name, index]));

/** The index of a style in the columns of a lane. */
export function styleIndex(name: StyleName): number {
  return INDICES.get(name) ?? 0;
}

/** The style of an index in the columns of a lane; throws a RangeError for any other number. */
export function styleAt(index: number): StyleName {
  const name = STYLE_NAMES[index];
  if (name === undefined) throw new RangeError(`no style has index ${index}`);
  return name;
}
