// Puts an operation recorded for one model to another. iommufd speaks of IOASes and devices, VFIO type1 of containers
// and groups; where both mean the same, names are carried over: an IOAS becomes the container of that name and back.
import { IOVA_MAX, type Iova } from '../../iova/iova.ts';
import type { Operation } from '../../session/events.ts';
import type { KernelView } from '../model.ts';

/** What a model speaks of: `ioas` (iommufd in any version) or `container` (VFIO type1 in either version). */
export type Dialect = 'ioas' | 'container';

const DIALECTS: Readonly<Record<string, Dialect>> = { iommufd: 'ioas', 'iommufd-rfc': 'ioas', type1: 'container' };

export type Translation =
  /** The model has this operation; nothing was done. */
  | { readonly kind: 'own'; readonly operation: Operation }
  /** `words`: what became what, without a full stop. */
  | { readonly kind: 'translated'; readonly operation: Operation; readonly message: string }
  /** `words`: why the model has no operation of this meaning, without a full stop. */
  | { readonly kind: 'none'; readonly message: string };

/** The dialect of a model by its name; `undefined` for a model that is not known here. */
export function dialectOf(model: string): Dialect | undefined {
  return Object.hasOwn(DIALECTS, model) ? DIALECTS[model] : undefined;
}

function dialectOfOperation(operation: Operation): Dialect {
  return operation.op.startsWith('container.') ? 'container' : 'ioas';
}

/**
 * What to ask `model`, in its present state, so that it means what `operation` means. The state matters for a detach
 * only: iommufd names the device alone, type1 the container too. `expect` is carried over as it is.
 */
export function translate(operation: Operation, model: KernelView): Translation {
  const dialect = dialectOf(model.name);
  if (dialect === undefined || dialect === dialectOfOperation(operation)) return { kind: 'own', operation };
  const result = dialect === 'container' ? toContainer(operation, model) : toIoas(operation);
  if (typeof result === 'string') return { kind: 'none', message: result };
  return {
    kind: 'translated',
    operation: operation.expect ? { ...result.operation, expect: operation.expect } : result.operation,
    message: `${operation.op} as ${result.operation.op}${result.note ? `, ${result.note}` : ''}`,
  };
}

/** The operation to ask and what is to be said of it, or why there is none. */
type Attempt = { readonly operation: Operation; readonly note?: string } | string;

function toContainer(operation: Operation, model: KernelView): Attempt {
  switch (operation.op) {
    case 'ioas.alloc':
      // Whoever has a choice opens version 2, as QEMU does.
      return { operation: { op: 'container.open', container: operation.ioas, model: 'type1v2' }, note: 'version 2' };
    case 'ioas.destroy':
      return { operation: { op: 'container.close', container: operation.ioas } };
    case 'ioas.map': {
      const { ioas, user_va, length, iova, flags } = operation;
      if (!flags.includes('fixed')) return 'type1 does not choose an IOVA';
      return {
        operation: {
          op: 'container.map_dma',
          container: ioas,
          flags: flags.filter((flag) => flag !== 'fixed'),
          vaddr: user_va,
          size: length,
          // A field that is left out is zero in the request.
          iova: iova ?? (0n as Iova),
        },
      };
    }
    case 'ioas.unmap': {
      const { ioas, iova, length } = operation;
      const zero = 0n as Iova;
      if (iova === 0n && length === IOVA_MAX) {
        return {
          operation: { op: 'container.unmap_dma', container: ioas, flags: ['all'], iova: zero, size: zero },
          note: 'flag all',
        };
      }
      return { operation: { op: 'container.unmap_dma', container: ioas, flags: [], iova, size: length } };
    }
    case 'device.attach': {
      const { device, ioas, domain, reserved } = operation;
      return {
        operation: { op: 'container.attach_group', container: ioas, group: device, domain, reserved },
        note: 'the device as a group of its own',
      };
    }
    case 'device.detach': {
      const { device } = operation;
      const place = model.spaces().find(({ domains }) => domains.some(({ groups }) => groups?.includes(device)));
      if (!place) return `device '${device}' is not attached to a container`;
      return { operation: { op: 'container.detach_group', container: place.id, group: device } };
    }
    case 'ioas.copy':
      return 'type1 maps memory, and cannot copy a mapping';
    case 'ioas.iova_ranges':
      return 'type1 reports its ranges with the rest of get_info, in another shape';
    case 'ioas.allow_iovas':
      return 'type1 has no allowed ranges';
    case 'ioas.reserve':
      return 'type1 reserves only what groups bring along';
    case 'ioas.option_huge_pages':
      return 'type1 has no such option';
    case 'access.create':
    case 'access.destroy':
    case 'access.pin':
    case 'access.unpin':
      return 'accesses are objects of iommufd';
    default:
      return `${operation.op} means nothing to type1`;
  }
}

function toIoas(operation: Operation): Attempt {
  switch (operation.op) {
    case 'container.open':
      return { operation: { op: 'ioas.alloc', ioas: operation.container } };
    case 'container.close':
      return { operation: { op: 'ioas.destroy', ioas: operation.container } };
    case 'container.map_dma': {
      const { container, flags, vaddr, size, iova } = operation;
      return {
        operation: { op: 'ioas.map', ioas: container, flags: ['fixed', ...flags], user_va: vaddr, length: size, iova },
        note: 'fixed',
      };
    }
    case 'container.unmap_dma': {
      const { container, flags, iova, size } = operation;
      if (flags.includes('all')) {
        if (iova !== 0n || size !== 0n) return 'iommufd cannot be asked for everything and a range at once';
        return {
          operation: { op: 'ioas.unmap', ioas: container, iova, length: IOVA_MAX },
          note: 'everything is 0 and 2^64−1 there',
        };
      }
      if (iova === 0n && size === IOVA_MAX) return '0 and 2^64−1 are a range here, but everything in iommufd';
      return { operation: { op: 'ioas.unmap', ioas: container, iova, length: size } };
    }
    case 'container.attach_group': {
      const { container, group, domain, reserved } = operation;
      return {
        operation: { op: 'device.attach', device: group, ioas: container, domain, reserved },
        note: 'the group as one device',
      };
    }
    case 'container.detach_group':
      return { operation: { op: 'device.detach', device: operation.group } };
    case 'container.get_info':
      return 'iommufd reports ranges and alignment in another shape';
    case 'container.check_extension':
      return 'iommufd has no extensions to ask for';
    default:
      return `${operation.op} means nothing to iommufd`;
  }
}
