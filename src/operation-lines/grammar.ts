// What the words of each operation mean. One function for each first word; docs/operations.md has the same as a table.

import type { Iova } from '../iova/iova.ts';
import type { DomainDescription, Operation, ReservedRegion } from '../session/events.ts';
import { MEMORY_WORDS } from '../session/memory-words.ts';
import type { LineReader } from './line-reader.ts';
import {
  ALL_VERBS,
  DEFAULT_PAGE_SIZES,
  DEFAULT_USER_ADDRESS,
  type Interface,
  REGION_TYPES,
  type Verb,
  verbsOf,
  WHOLE_LENGTH,
} from './vocabulary.ts';

const ACCESS = ['rw', 'r', 'w', 'none'] as const;
const FLAGS_OF: Readonly<Record<(typeof ACCESS)[number], readonly string[]>> = {
  rw: ['read', 'write'],
  r: ['read'],
  w: ['write'],
  none: [],
};

/** The operation of a line. What it is worth nothing if the reader has a mistake afterwards. */
export function readOperation(r: LineReader, kind: Interface): Operation | undefined {
  const verb = r.word(verbsOf(kind)) ?? r.word(ALL_VERBS, true);
  if (verb === undefined) {
    r.failExpected(ALL_VERBS);
    return undefined;
  }
  const operation = GRAMMAR[verb as Verb](r, kind);
  r.finish();
  return operation;
}

const GRAMMAR: Readonly<Record<Verb, (r: LineReader, kind: Interface) => Operation>> = {
  alloc: (r) => (r.word(['hwpt']) ? hwptAlloc(r) : { op: 'ioas.alloc', ioas: r.name('ioas', true) }),
  destroy: (r) =>
    r.word(['hwpt']) ? { op: 'hwpt.destroy', hwpt: r.name('hwpt') } : { op: 'ioas.destroy', ioas: r.name('ioas') },
  map,
  unmap,
  copy,
  ranges: (r) => {
    const ioas = r.name('ioas');
    return r.word(['capacity'])
      ? { op: 'ioas.iova_ranges', ioas, capacity: r.count() }
      : { op: 'ioas.iova_ranges', ioas };
  },
  allow: (r) => {
    const ioas = r.name('ioas');
    if (r.word(['none'])) return { op: 'ioas.allow_iovas', ioas, ranges: [] };
    const ranges = [r.range()];
    while (r.hasMore) {
      r.mark(',');
      ranges.push(r.range());
    }
    return { op: 'ioas.allow_iovas', ioas, ranges };
  },
  reserve: (r) => ({ op: 'ioas.reserve', ioas: r.name('ioas'), start: r.address(), length: r.size() }),
  'huge-pages': (r) => {
    const ioas = r.name('ioas');
    const word = r.word(['on', 'off']);
    const value = word === undefined ? r.count() : word === 'on' ? 1 : 0;
    return { op: 'ioas.option_huge_pages', ioas, value };
  },
  attach: (r) => (r.word(['group']) ? attachGroup(r) : attachDevice(r)),
  replace: (r) => {
    const device = r.name('device');
    r.keyword(['to']);
    return { op: 'device.replace', device, ...target(r) };
  },
  detach: (r) => {
    if (!r.word(['group'])) return { op: 'device.detach', device: r.name('device') };
    const group = r.name('group');
    r.keyword(['from']);
    return { op: 'container.detach_group', group, container: r.name('container') };
  },
  access,
  open: (r) => {
    const container = r.name('container', true);
    return { op: 'container.open', container, model: r.keyword(['type1v2', 'type1']) ?? 'type1v2' };
  },
  close: (r) => ({ op: 'container.close', container: r.name('container') }),
  info: (r) => {
    const container = r.name('container');
    r.keyword(['argsz']);
    return { op: 'container.get_info', container, argsz: r.count() };
  },
  extension: (r) => ({ op: 'container.check_extension', container: r.name('container'), extension: r.count() }),
  dma,
};

/** Words of a list up to a comma or the end; `none` alone: an empty list. */
function words(r: LineReader, offered: readonly string[]): string[] {
  if (r.word(['none'])) return [];
  const list: string[] = [];
  for (;;) {
    const known = r.word(offered);
    const word = known ?? (list.length === 0 ? r.name('word') : r.isAtMark ? undefined : r.optionalName('word'));
    if (word === undefined || r.mistake) break;
    list.push(word);
  }
  return list;
}

/** `any`, or an address. */
function place(r: LineReader): Iova | undefined {
  return r.word(['any']) ? undefined : r.address();
}

function accessFlags(r: LineReader): readonly string[] {
  return FLAGS_OF[r.word(ACCESS) ?? 'rw'];
}

/** Options of a map in any order, each at most once. */
interface MapOptions {
  user: Iova;
  file?: string;
  offset?: Iova;
  fileSize?: Iova;
  memory?: string;
  present?: Iova;
  flags?: string[];
}

function mapOptions(r: LineReader, withFile: boolean): MapOptions {
  const options: MapOptions = { user: DEFAULT_USER_ADDRESS };
  const open = new Set<string>(['from', ...(withFile ? ['file'] : []), 'memory', 'present', 'flags']);
  for (;;) {
    const mustFollow = r.mark(',');
    const option = r.word([...open]);
    if (option === undefined) {
      if (mustFollow) r.failExpected();
      return options;
    }
    open.delete(option);
    if (option === 'from') {
      options.user = r.address();
      open.delete('file');
    } else if (option === 'file') {
      options.file = r.name('file');
      open.delete('from');
      open.add('offset').add('size');
    } else if (option === 'offset') options.offset = r.address();
    else if (option === 'size') options.fileSize = r.size();
    else if (option === 'memory') options.memory = r.word(MEMORY_WORDS) ?? r.name('word');
    else if (option === 'present') options.present = r.size();
    else options.flags = words(r, ['fixed', 'read', 'write']);
  }
}

function map(r: LineReader, kind: Interface): Operation {
  const noun = r.word(['ioas', 'container'], true);
  const isContainer = (noun ?? kind) === 'container';
  const space = r.name(isContainer ? 'container' : 'ioas');
  if (isContainer) return mapContainer(r, space);
  const iova = place(r);
  const length = r.size();
  const access = accessFlags(r);
  const { user, file, offset, fileSize, memory, present, flags } = mapOptions(r, true);
  const common = {
    ioas: space,
    flags: flags ?? [...(iova === undefined ? [] : ['fixed']), ...access],
    length,
    ...(iova === undefined ? {} : { iova }),
    ...(memory === undefined ? {} : { memory }),
    ...(present === undefined ? {} : { present }),
  };
  if (file === undefined) return { op: 'ioas.map', ...common, user_va: user };
  return {
    op: 'ioas.map_file',
    ...common,
    fd: file,
    start: offset ?? (0n as Iova),
    ...(fileSize === undefined ? {} : { file_size: fileSize }),
  };
}

function mapContainer(r: LineReader, container: string): Operation {
  const iova = r.address();
  const size = r.size();
  const access = accessFlags(r);
  const { user, memory, present, flags } = mapOptions(r, false);
  return {
    op: 'container.map_dma',
    container,
    flags: flags ?? [...access],
    vaddr: user,
    size,
    iova,
    ...(memory === undefined ? {} : { memory }),
    ...(present === undefined ? {} : { present }),
  };
}

function unmap(r: LineReader, kind: Interface): Operation {
  const noun = r.word(['ioas', 'container'], true);
  const isContainer = (noun ?? kind) === 'container';
  const space = r.name(isContainer ? 'container' : 'ioas');
  const zero = 0n as Iova;
  if (r.word(['all'])) {
    return isContainer
      ? { op: 'container.unmap_dma', container: space, flags: ['all'], iova: zero, size: zero }
      : { op: 'ioas.unmap', ioas: space, iova: zero, length: WHOLE_LENGTH };
  }
  const iova = r.address();
  const size = r.size();
  if (!isContainer) return { op: 'ioas.unmap', ioas: space, iova, length: size };
  const flags = r.word(['flags']) ? words(r, ['all']) : [];
  return { op: 'container.unmap_dma', container: space, flags, iova, size };
}

function copy(r: LineReader): Operation {
  const src = r.name('ioas');
  const src_iova = r.address();
  const length = r.size();
  r.keyword(['to']);
  const dst = r.name('ioas');
  const iova = r.word(['any']) ? undefined : r.optionalAddress();
  const access = accessFlags(r);
  const flags = r.word(['flags']) ? words(r, ['fixed', 'read', 'write']) : undefined;
  return {
    op: 'ioas.copy',
    dst,
    src,
    flags: flags ?? [...(iova === undefined ? [] : ['fixed']), ...access],
    length,
    src_iova,
    ...(iova === undefined ? {} : { dst_iova: iova }),
  };
}

/** An IOAS, a page table, or both: `a`, `hwpt h`, `a hwpt h`. */
function target(r: LineReader): { ioas?: string; hwpt?: string } {
  if (r.word(['hwpt'])) return { hwpt: r.name('hwpt') };
  const ioas = r.name('ioas');
  return r.word(['hwpt']) ? { ioas, hwpt: r.name('hwpt') } : { ioas };
}

function hwptAlloc(r: LineReader): Operation {
  const hwpt = r.name('hwpt', true);
  r.keyword(['for']);
  const device = r.name('device');
  r.keyword(['in']);
  const ioas = r.name('ioas');
  const flags = r.word(['flags']) ? words(r, ['nest-parent', 'dirty-tracking', 'pasid']) : [];
  return { op: 'hwpt.alloc', hwpt, device, ioas, flags };
}

function attachDevice(r: LineReader): Operation {
  const device = r.name('device', true);
  const to = r.word(['to']) ? target(r) : {};
  return { op: 'device.attach', device, ...to, ...domainOptions(r, undefined) };
}

function attachGroup(r: LineReader): Operation {
  const group = r.name('group', true);
  r.keyword(['to']);
  const container = r.name('container');
  return { op: 'container.attach_group', container, group, ...domainOptions(r, false) };
}

/** `yes` if nothing follows that says otherwise. */
function isYes(r: LineReader): boolean {
  return r.word(['yes', 'no']) !== 'no';
}

/** A reserved region, if one is next. */
function region(r: LineReader): ReservedRegion | undefined {
  const known = r.word(REGION_TYPES);
  const type = known ?? (r.word(['region']) ? r.name('word') : undefined);
  if (type === undefined) return undefined;
  const [start, last] = r.range();
  return { start, last, type };
}

/** What is between options: a comma, a colon before the first, or nothing. True if an option must follow. */
function nextOption(r: LineReader, isFirst: boolean): boolean {
  return (isFirst && r.mark(':')) || r.mark(',');
}

/** Records that an option is missing, or that a wrong word is there instead. */
function requireOption(r: LineReader, option: string): void {
  if (r.hasMore) r.failExpected();
  else r.fail(`'${option}' is missing`);
}

/** Options of a domain in any order; an IOMMU and an aperture must be there. `coherency`: unless it is said. */
function domainOptions(
  r: LineReader,
  coherency: boolean | undefined,
): { domain: DomainDescription; reserved: ReservedRegion[] } {
  const reserved: ReservedRegion[] = [];
  let iommu: string | undefined;
  let aperture: readonly [Iova, Iova] | undefined;
  let pages = DEFAULT_PAGE_SIZES;
  let coherent = coherency;
  const more: { dirty_tracking?: boolean; driver?: string } = {};
  const open = new Set<string>(['iommu', 'aperture', 'pages', 'coherent', 'dirty-tracking', 'driver']);
  for (let isFirst = true; ; isFirst = false) {
    const mustFollow = nextOption(r, isFirst);
    const option = r.word([...open]);
    if (option !== undefined) open.delete(option);
    if (option === 'iommu') iommu = r.name('iommu');
    else if (option === 'aperture') aperture = r.range();
    else if (option === 'pages') pages = r.pageSizes();
    else if (option === 'coherent') coherent = r.word(['unstated'], true) ? undefined : isYes(r);
    else if (option === 'dirty-tracking') more.dirty_tracking = isYes(r);
    else if (option === 'driver') more.driver = r.name('word');
    else {
      const next = region(r);
      if (!next) {
        if (mustFollow) r.failExpected();
        break;
      }
      reserved.push(next);
    }
  }
  if (iommu === undefined) requireOption(r, 'iommu NAME');
  if (aperture === undefined) requireOption(r, 'aperture START-LAST');
  const domain: DomainDescription = {
    iommu: iommu ?? '',
    aperture: aperture ?? [0n as Iova, 0n as Iova],
    pgsize_bitmap: pages,
    ...(coherent === undefined ? {} : { enforce_cache_coherency: coherent }),
    ...more,
  };
  return { domain, reserved };
}

function access(r: LineReader): Operation {
  const name = r.name('access');
  switch (r.keyword(['to', 'pin', 'unpin', 'destroy'])) {
    case 'pin': {
      const pin = r.name('pin', true);
      const iova = r.address();
      const length = r.size();
      const write = r.word(['rw', 'w', 'r']) ?? 'r';
      return { op: 'access.pin', access: name, pin, iova, length, write: write !== 'r' };
    }
    case 'unpin':
      return { op: 'access.unpin', access: name, pin: r.name('pin') };
    case 'destroy':
      return { op: 'access.destroy', access: name };
    default:
      return { op: 'access.create', access: name, ioas: r.name('ioas') };
  }
}

function dma(r: LineReader): Operation {
  const device = r.name('device');
  switch (r.keyword(['attach', 'map', 'unmap'])) {
    case 'map': {
      const phys = r.address();
      const size = r.size();
      r.keyword(['mask']);
      return { op: 'dma.map', device, phys, size, dma_mask: r.mask() };
    }
    case 'unmap':
      return { op: 'dma.unmap', device, dma_addr: r.address(), size: r.size() };
    default:
      return dmaAttach(r, device);
  }
}

function dmaAttach(r: LineReader, device: string): Operation {
  r.keyword(['to']);
  const domain = r.name('domain');
  const windows: (readonly [Iova, Iova])[] = [];
  const reserved: ReservedRegion[] = [];
  let aperture: readonly [Iova, Iova] | undefined;
  const fields = { force_aperture: true, pgsize_bitmap: DEFAULT_PAGE_SIZES, pci: true, forcedac: false };
  let limit: Iova | undefined;
  const open = new Set<string>(['aperture', 'pages', 'force-aperture', 'pci', 'platform', 'forcedac', 'limit']);
  for (let isFirst = true; ; isFirst = false) {
    const mustFollow = nextOption(r, isFirst);
    const option = r.word([...open]);
    if (option !== undefined) open.delete(option);
    if (option === 'aperture') aperture = r.range();
    else if (option === 'pages') fields.pgsize_bitmap = r.pageSizes();
    else if (option === 'force-aperture') fields.force_aperture = isYes(r);
    else if (option === 'pci' || option === 'platform') {
      fields.pci = option === 'pci';
      open.delete('pci');
      open.delete('platform');
    } else if (option === 'forcedac') fields.forcedac = isYes(r);
    else if (option === 'limit') limit = r.address();
    else if (r.word(['window'])) windows.push(r.range());
    else {
      const next = region(r);
      if (!next) {
        if (mustFollow) r.failExpected();
        break;
      }
      reserved.push(next);
    }
  }
  if (aperture === undefined) requireOption(r, 'aperture START-LAST');
  return {
    op: 'dma.attach',
    device,
    domain,
    aperture: aperture ?? [0n as Iova, 0n as Iova],
    ...fields,
    ...(limit === undefined ? {} : { bus_dma_limit: limit }),
    windows,
    reserved,
  };
}
