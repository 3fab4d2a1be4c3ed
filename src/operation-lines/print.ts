// Operations to operation lines: `parseOperationLine` gives the same operation back.
import { hex, shortSizeOrHex as size } from '../iova/format.ts';
import type { Iova } from '../iova/iova.ts';
import type { DomainDescription, Operation, OperationOf, ReservedRegion } from '../session/events.ts';
import type { LineContext } from './parse.ts';
import { quoteName } from './tokens.ts';
import {
  DEFAULT_PAGE_SIZES,
  DEFAULT_USER_ADDRESS,
  type Interface,
  interfaceOf,
  KEYWORDS,
  REGION_TYPES,
  WHOLE_LENGTH,
} from './vocabulary.ts';

const n = (name: string) => quoteName(name, KEYWORDS);

function bounds([start, last]: readonly [Iova, Iova]): string {
  return `${hex(start)}-${hex(last)}`;
}

/** The permissions of flags in one word, and the flags themselves if they are not what the word and the place say. */
function access(flags: readonly string[], isFixed: boolean): readonly [word: string, flags: string] {
  const [read, write] = [flags.includes('read'), flags.includes('write')];
  const word = read ? (write ? 'rw' : 'r') : write ? 'w' : 'none';
  const plain = [...(isFixed ? ['fixed'] : []), ...(read ? ['read'] : []), ...(write ? ['write'] : [])];
  const isPlain = plain.length === flags.length && plain.every((flag, i) => flag === flags[i]);
  return [word, isPlain ? '' : flagList(flags)];
}

function flagList(flags: readonly string[]): string {
  return ` flags ${flags.length === 0 ? 'none' : flags.map(n).join(' ')}`;
}

function option(name: string, value: string | undefined): string {
  return value === undefined ? '' : ` ${name} ${value}`;
}

function backing({ memory, present }: { memory?: string | undefined; present?: Iova | undefined }): string {
  return (
    option('memory', memory === undefined ? undefined : n(memory)) +
    option('present', present === undefined ? undefined : size(present))
  );
}

function origin(user: Iova): string {
  return user === DEFAULT_USER_ADDRESS ? '' : ` from ${hex(user)}`;
}

function yes(name: string, value: boolean): string {
  return value ? name : `${name} no`;
}

/** `4K+2M+1G`; a bitmap of many sizes in hex. */
function pages(bitmap: Iova): string {
  const sizes: bigint[] = [];
  for (let bit = 0n; bit < 64n; bit++) if ((bitmap >> bit) & 1n) sizes.push(1n << bit);
  return sizes.length > 0 && sizes.length <= 4 ? sizes.map(size).join('+') : hex(bitmap);
}

function regions(reserved: readonly ReservedRegion[]): string[] {
  return reserved.map(({ type, start, last }) => {
    const isKnown = REGION_TYPES.some((known) => known === type);
    return `${isKnown ? type : `region ${n(type)}`} ${bounds([start, last])}`;
  });
}

/** `coherency`: what the operation has if the line does not say it. */
function domain(description: DomainDescription, reserved: readonly ReservedRegion[], coherency?: boolean): string {
  const { iommu, aperture, pgsize_bitmap, enforce_cache_coherency: coherent } = description;
  const { dirty_tracking: dirty, driver } = description;
  return [
    `iommu ${n(iommu)}`,
    `aperture ${bounds(aperture)}`,
    ...(pgsize_bitmap === DEFAULT_PAGE_SIZES ? [] : [`pages ${pages(pgsize_bitmap)}`]),
    ...(coherent === coherency ? [] : [coherent === undefined ? 'coherent unstated' : yes('coherent', coherent)]),
    ...(dirty === undefined ? [] : [yes('dirty-tracking', dirty)]),
    ...(driver === undefined ? [] : [`driver ${n(driver)}`]),
    ...regions(reserved),
  ].join(', ');
}

function target({ ioas, hwpt }: { ioas?: string | undefined; hwpt?: string | undefined }): string {
  return [...(ioas === undefined ? [] : [n(ioas)]), ...(hwpt === undefined ? [] : [`hwpt ${n(hwpt)}`])].join(' ');
}

function dmaAttach(operation: OperationOf<'dma.attach'>): string {
  const { device, aperture, pgsize_bitmap, force_aperture, pci, forcedac, bus_dma_limit, windows, reserved } =
    operation;
  const options = [
    `aperture ${bounds(aperture)}`,
    ...(pgsize_bitmap === DEFAULT_PAGE_SIZES ? [] : [`pages ${pages(pgsize_bitmap)}`]),
    ...(force_aperture ? [] : ['force-aperture no']),
    ...(pci ? [] : ['platform']),
    ...(forcedac ? ['forcedac'] : []),
    ...(bus_dma_limit === undefined ? [] : [`limit ${hex(bus_dma_limit)}`]),
    ...windows.map((window) => `window ${bounds(window)}`),
    ...regions(reserved),
  ];
  return `dma ${n(device)} attach to ${n(operation.domain)}: ${options.join(', ')}`;
}

/** Bits of a mask from the lowest on, if it is such a mask. */
function mask(value: Iova): string {
  return (value & (value + 1n)) === 0n ? String(value.toString(2).replaceAll('0', '').length) : hex(value);
}

/**
 * An operation as a line. `expect` and fields that operations do not have are left out. The words are those of the
 * session's model; an operation of another interface says which object it is about.
 */
export function printOperation(o: Operation, { model }: LineContext = {}): string {
  const kind = interfaceOf(model);
  const space = (of: Interface, name: string) =>
    of === kind || (of === 'ioas' && kind === 'dma') ? n(name) : `${of} ${n(name)}`;
  switch (o.op) {
    case 'ioas.alloc':
      return `alloc ${n(o.ioas)}`;
    case 'ioas.destroy':
      return `destroy ${n(o.ioas)}`;
    case 'ioas.map': {
      const [word, flags] = access(o.flags, o.iova !== undefined);
      const place = o.iova === undefined ? 'any' : hex(o.iova);
      return `map ${space('ioas', o.ioas)} ${place} ${size(o.length)} ${word}${origin(o.user_va)}${backing(o)}${flags}`;
    }
    case 'ioas.map_file': {
      const [word, flags] = access(o.flags, o.iova !== undefined);
      const place = o.iova === undefined ? 'any' : hex(o.iova);
      const file = ` file ${n(o.fd)} offset ${hex(o.start)}${option('size', o.file_size === undefined ? undefined : size(o.file_size))}`;
      return `map ${space('ioas', o.ioas)} ${place} ${size(o.length)} ${word}${file}${backing(o)}${flags}`;
    }
    case 'ioas.copy': {
      const [word, flags] = access(o.flags, o.dst_iova !== undefined);
      const place = o.dst_iova === undefined ? 'any' : hex(o.dst_iova);
      return `copy ${n(o.src)} ${hex(o.src_iova)} ${size(o.length)} to ${n(o.dst)} ${place} ${word}${flags}`;
    }
    case 'ioas.unmap': {
      const isAll = o.iova === 0n && o.length === WHOLE_LENGTH;
      return `unmap ${space('ioas', o.ioas)} ${isAll ? 'all' : `${hex(o.iova)} ${size(o.length)}`}`;
    }
    case 'ioas.iova_ranges':
      return `ranges ${n(o.ioas)}${option('capacity', o.capacity === undefined ? undefined : String(o.capacity))}`;
    case 'ioas.allow_iovas':
      return `allow ${n(o.ioas)} ${o.ranges.length === 0 ? 'none' : o.ranges.map(bounds).join(', ')}`;
    case 'ioas.reserve':
      return `reserve ${n(o.ioas)} ${hex(o.start)} ${size(o.length)}`;
    case 'ioas.option_huge_pages':
      return `huge-pages ${n(o.ioas)} ${o.value === 1 ? 'on' : o.value === 0 ? 'off' : o.value}`;
    case 'device.attach': {
      const to = target(o);
      return `attach ${n(o.device)}${to === '' ? '' : ` to ${to}`}: ${domain(o.domain, o.reserved)}`;
    }
    case 'device.replace':
      return `replace ${n(o.device)} to ${target(o)}`;
    case 'device.detach':
      return `detach ${n(o.device)}`;
    case 'hwpt.alloc':
      return `alloc hwpt ${n(o.hwpt)} for ${n(o.device)} in ${n(o.ioas)}${o.flags.length === 0 ? '' : flagList(o.flags)}`;
    case 'hwpt.destroy':
      return `destroy hwpt ${n(o.hwpt)}`;
    case 'access.create':
      return `access ${n(o.access)} to ${n(o.ioas)}`;
    case 'access.destroy':
      return `access ${n(o.access)} destroy`;
    case 'access.pin':
      return `access ${n(o.access)} pin ${n(o.pin)} ${hex(o.iova)} ${size(o.length)} ${o.write ? 'rw' : 'r'}`;
    case 'access.unpin':
      return `access ${n(o.access)} unpin ${n(o.pin)}`;
    case 'container.open':
      return `open ${n(o.container)} ${o.model}`;
    case 'container.close':
      return `close ${n(o.container)}`;
    case 'container.attach_group':
      return `attach group ${n(o.group)} to ${n(o.container)}: ${domain(o.domain, o.reserved, false)}`;
    case 'container.detach_group':
      return `detach group ${n(o.group)} from ${n(o.container)}`;
    case 'container.map_dma': {
      const [word, flags] = access(o.flags, false);
      const what = `${hex(o.iova)} ${size(o.size)} ${word}${origin(o.vaddr)}${backing(o)}${flags}`;
      return `map ${space('container', o.container)} ${what}`;
    }
    case 'container.unmap_dma': {
      const isAll = o.iova === 0n && o.size === 0n && o.flags.length === 1 && o.flags[0] === 'all';
      const what = isAll ? 'all' : `${hex(o.iova)} ${size(o.size)}${o.flags.length === 0 ? '' : flagList(o.flags)}`;
      return `unmap ${space('container', o.container)} ${what}`;
    }
    case 'container.get_info':
      return `info ${n(o.container)} argsz ${o.argsz}`;
    case 'container.check_extension':
      return `extension ${n(o.container)} ${o.extension}`;
    case 'dma.attach':
      return dmaAttach(o);
    case 'dma.map':
      return `dma ${n(o.device)} map ${hex(o.phys)} ${size(o.size)} mask ${mask(o.dma_mask)}`;
    case 'dma.unmap':
      return `dma ${n(o.device)} unmap ${hex(o.dma_addr)} ${size(o.size)}`;
  }
}
