// Translates an operation that was recorded for one model into the terms of another. iommufd has IOASes and devices,
// VFIO type1 has containers and groups. Names are kept: an IOAS becomes the container of that name, and back.
import { IOVA_MAX, iova as toIova } from '../../iova/iova.ts';
import type { Operation } from '../../session/events.ts';
import type { KernelView } from '../model.ts';

const ZERO = toIova(0n);

/**
 * The terms of a model: `ioas` (iommufd in any version), `container` (VFIO type1 in either version), or `dma` (the
 * kernel's DMA API, which nothing else has an equivalent of).
 */
export type Dialect = 'ioas' | 'container' | 'dma';

const DIALECTS: Readonly<Record<string, Dialect>> = {
  iommufd: 'ioas',
  'iommufd-rfc': 'ioas',
  'iommufd-vfio': 'container',
  type1: 'container',
  'dma-iommu': 'dma',
};

export type Translation =
  /** The model has this operation: it is unchanged. */
  | { readonly kind: 'own'; readonly operation: Operation }
  /** `message`: what became what, without a full stop. */
  | { readonly kind: 'translated'; readonly operation: Operation; readonly message: string }
  /** `message`: why the model has no equivalent, without a full stop. */
  | { readonly kind: 'none'; readonly message: string };

/** The dialect of a model by its name; `undefined` for an unknown model. */
export function dialectOf(model: string): Dialect | undefined {
  return Object.hasOwn(DIALECTS, model) ? DIALECTS[model] : undefined;
}

function dialectOfOperation(operation: Operation): Dialect {
  if (operation.op.startsWith('dma.')) return 'dma';
  return operation.op.startsWith('container.') ? 'container' : 'ioas';
}

/**
 * The operation of `model` that is equivalent to `operation`. The current state matters only for a detach: iommufd names
 * only the device, type1 the container too. `expect` is kept.
 */
export function translate(operation: Operation, model: KernelView): Translation {
  const dialect = dialectOf(model.name);
  const from = dialectOfOperation(operation);
  if (dialect === undefined || dialect === from) return { kind: 'own', operation };
  if (from === 'dma') return { kind: 'none', message: `${model.name} has no kernel DMA API` };
  if (dialect === 'dma') return { kind: 'none', message: 'the kernel DMA API has no address spaces of user space' };
  const result = dialect === 'container' ? toContainer(operation, model) : toIoas(operation);
  if (typeof result === 'string') return { kind: 'none', message: result };
  return {
    kind: 'translated',
    operation: operation.expect ? { ...result.operation, expect: operation.expect } : result.operation,
    message: `${operation.op} as ${result.operation.op}${result.note ? `, ${result.note}` : ''}`,
  };
}

/** The translated operation and a note about it, or why there is none. */
type Attempt = { readonly operation: Operation; readonly note?: string } | string;

function toContainer(operation: Operation, model: KernelView): Attempt {
  switch (operation.op) {
    case 'ioas.alloc':
      // Version 2, like QEMU.
      return { operation: { op: 'container.open', container: operation.ioas, model: 'type1v2' }, note: 'version 2' };
    case 'ioas.destroy':
      return { operation: { op: 'container.close', container: operation.ioas } };
    case 'ioas.map': {
      const { ioas, user_va, length, iova, flags, memory, present } = operation;
      if (!flags.includes('fixed')) return 'type1 cannot choose an IOVA';
      return {
        operation: {
          op: 'container.map_dma',
          container: ioas,
          flags: flags.filter((flag) => flag !== 'fixed'),
          vaddr: user_va,
          size: length,
          // A field that is left out is zero in the ioctl's structure.
          iova: iova ?? ZERO,
          ...(memory === undefined ? {} : { memory }),
          ...(present === undefined ? {} : { present }),
        },
      };
    }
    case 'ioas.unmap': {
      const { ioas, iova, length } = operation;
      if (iova === 0n && length === IOVA_MAX) {
        return {
          operation: { op: 'container.unmap_dma', container: ioas, flags: ['all'], iova: ZERO, size: ZERO },
          note: 'flag all',
        };
      }
      return { operation: { op: 'container.unmap_dma', container: ioas, flags: [], iova, size: length } };
    }
    case 'device.attach': {
      const { device, ioas, domain, reserved } = operation;
      if (ioas === undefined) return 'type1 has no page tables as objects';
      return {
        operation: { op: 'container.attach_group', container: ioas, group: device, domain, reserved },
        note: 'the device as its own group',
      };
    }
    case 'device.detach': {
      const { device } = operation;
      const place = model.spaces().find(({ domains }) => domains.some(({ groups }) => groups?.includes(device)));
      if (!place) return `device '${device}' is not attached to a container`;
      return { operation: { op: 'container.detach_group', container: place.id, group: device } };
    }
    case 'ioas.map_file':
      return 'type1 cannot map a file by its descriptor';
    case 'hwpt.alloc':
    case 'hwpt.destroy':
      return 'type1 has no page tables as objects';
    case 'device.replace':
      return 'type1 cannot move a group to another container at once';
    case 'ioas.copy':
      return 'type1 cannot copy a mapping';
    case 'ioas.iova_ranges':
      return 'type1 reports its ranges in get_info, in another format';
    case 'ioas.allow_iovas':
      return 'type1 has no allowed ranges';
    case 'ioas.reserve':
      return 'type1 cannot reserve ranges by request';
    case 'ioas.option_huge_pages':
      return 'type1 has no such option';
    case 'access.create':
    case 'access.destroy':
    case 'access.pin':
    case 'access.unpin':
      return 'type1 has no accesses';
    default:
      return `type1 has no equivalent of ${operation.op}`;
  }
}

function toIoas(operation: Operation): Attempt {
  switch (operation.op) {
    case 'container.open':
      return { operation: { op: 'ioas.alloc', ioas: operation.container } };
    case 'container.close':
      return { operation: { op: 'ioas.destroy', ioas: operation.container } };
    case 'container.map_dma': {
      const { container, flags, vaddr, size, iova, memory, present } = operation;
      const backing = { ...(memory === undefined ? {} : { memory }), ...(present === undefined ? {} : { present }) };
      return {
        operation: {
          op: 'ioas.map',
          ioas: container,
          flags: ['fixed', ...flags],
          user_va: vaddr,
          length: size,
          iova,
          ...backing,
        },
        note: 'fixed',
      };
    }
    case 'container.unmap_dma': {
      const { container, flags, iova, size } = operation;
      if (flags.includes('all')) {
        if (iova !== 0n || size !== 0n) return 'iommufd cannot unmap everything and a range at once';
        return {
          operation: { op: 'ioas.unmap', ioas: container, iova, length: IOVA_MAX },
          note: 'iova 0, length 2^64-1',
        };
      }
      if (iova === 0n && size === IOVA_MAX) return 'in iommufd, iova 0 with length 2^64-1 means everything';
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
      return 'iommufd reports ranges and alignment in another format';
    case 'container.check_extension':
      return 'iommufd has no extensions';
    default:
      return `iommufd has no equivalent of ${operation.op}`;
  }
}
