// The words that have a meaning in operation lines. A name that is one of them is written in quotes.
import type { Iova } from '../iova/iova.ts';

/** The interfaces of the models: their operations have the same form. */
export type Interface = 'ioas' | 'container' | 'dma';

const INTERFACES: Readonly<Record<string, Interface>> = {
  type1: 'container',
  'iommufd-vfio': 'container',
  'dma-iommu': 'dma',
};

/** The interface of a model; that of iommufd for an unknown one, and for a session that names none. */
export function interfaceOf(model: string | undefined): Interface {
  return (model !== undefined && Object.hasOwn(INTERFACES, model) ? INTERFACES[model] : undefined) ?? 'ioas';
}

/** The first words of operations, by the interfaces that have them. */
export const VERBS = {
  alloc: ['ioas'],
  attach: ['ioas', 'container'],
  map: ['ioas', 'container'],
  unmap: ['ioas', 'container'],
  copy: ['ioas'],
  ranges: ['ioas'],
  allow: ['ioas'],
  reserve: ['ioas'],
  detach: ['ioas', 'container'],
  replace: ['ioas'],
  access: ['ioas'],
  'huge-pages': ['ioas'],
  destroy: ['ioas'],
  open: ['container'],
  info: ['container'],
  extension: ['container'],
  close: ['container'],
  dma: ['dma'],
} as const satisfies Readonly<Record<string, readonly Interface[]>>;

export type Verb = keyof typeof VERBS;

const VERB_ENTRIES: readonly (readonly [string, readonly Interface[]])[] = Object.entries(VERBS);

/** The first words of the operations that an interface has. */
export function verbsOf(kind: Interface): readonly string[] {
  return VERB_ENTRIES.filter(([, kinds]) => kinds.includes(kind)).map(([verb]) => verb);
}

export const ALL_VERBS: readonly string[] = VERB_ENTRIES.map(([verb]) => verb);

/** Types of reserved regions that need no `region` before them: as the kernel prints them, and the software MSI window. */
export const REGION_TYPES = ['msi', 'sw-msi', 'direct', 'direct-relaxable', 'reserved'] as const;

/** Options of domains, of devices of the DMA API, and of maps. */
export const KEYWORDS: ReadonlySet<string> = new Set([
  ...ALL_VERBS,
  ...REGION_TYPES,
  ...['all', 'any', 'none', 'r', 'w', 'rw', 'on', 'off', 'yes', 'no', 'unstated'],
  ...['to', 'from', 'for', 'in', 'ioas', 'container', 'group', 'hwpt', 'pin', 'unpin', 'argsz', 'capacity', 'mask'],
  ...['file', 'offset', 'size', 'memory', 'present', 'flags', 'type1', 'type1v2'],
  ...['iommu', 'aperture', 'pages', 'coherent', 'dirty-tracking', 'driver', 'region'],
  ...['force-aperture', 'pci', 'platform', 'forcedac', 'limit', 'window'],
]);

/** Where the bytes of a map are, if the line does not say: aligned to any page size, and a user address. */
export const DEFAULT_USER_ADDRESS = 0x7f00_0000_0000n as Iova;

/** Pages of 4 KiB, 2 MiB and 1 GiB: those of a domain whose line names none. */
export const DEFAULT_PAGE_SIZES = 0x4020_1000n as Iova;

/** Linux: this length from 0 unmaps everything. */
export const WHOLE_LENGTH = 0xffff_ffff_ffff_ffffn as Iova;
