// Where operations may have changed what is mapped.
import { IOVA_MAX, type Iova } from '../../iova/iova.ts';
import type { IovaRange } from '../../iova/range.ts';
import type { SessionEvent } from '../../session/events.ts';

/** Operations that map and unmap nothing. */
const HARMLESS: ReadonlySet<string> = new Set([
  'ioas.iova_ranges',
  'ioas.allow_iovas',
  'ioas.reserve',
  'ioas.option_huge_pages',
  'device.attach',
  'device.replace',
  'device.detach',
  'hwpt.alloc',
  'hwpt.destroy',
  'access.create',
  'access.destroy',
  'access.pin',
  'access.unpin',
  'container.get_info',
  'container.check_extension',
]);

/**
 * The range outside of which an event leaves the areas of an address space as they are, unless they overlap the range;
 * undefined if it leaves all as they are. `everything`: it is not known, or all of them may change. `chosen`: the IOVA that
 * the model answered, undefined if it refused. For a model that is not asked something else instead (`translate`).
 */
export function touchedRange(
  event: SessionEvent,
  space: string,
  chosen: () => Iova | undefined,
): IovaRange | undefined | 'everything' {
  if ('kind' in event || !('op' in event)) return undefined;
  switch (event.op) {
    case 'ioas.map':
    case 'ioas.map_file':
      return event.ioas === space ? rangeAt(chosen(), event.length) : undefined;
    case 'ioas.copy':
      return event.dst === space ? rangeAt(chosen(), event.length) : undefined;
    case 'ioas.unmap':
      if (event.ioas !== space) return undefined;
      return event.length === IOVA_MAX ? 'everything' : rangeAt(event.iova, event.length);
    case 'ioas.alloc':
    case 'ioas.destroy':
      return event.ioas === space ? 'everything' : undefined;
    case 'container.map_dma':
      return event.container === space ? rangeAt(event.iova, event.size) : undefined;
    case 'container.unmap_dma':
      if (event.container !== space) return undefined;
      return event.flags.length > 0 ? 'everything' : rangeAt(event.iova, event.size);
    default:
      return HARMLESS.has(event.op) ? undefined : 'everything';
  }
}

/** The range of `length` bytes, cut at the end of the space; undefined if it is empty. */
function rangeAt(start: Iova | undefined, length: bigint): IovaRange | undefined {
  if (start === undefined || length === 0n) return undefined;
  const last = start + length - 1n;
  return { start, last: last > IOVA_MAX ? IOVA_MAX : (last as Iova) };
}
