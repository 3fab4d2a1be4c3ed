// Helpers of the model tests.
import { hex } from '../../iova/format.ts';
import type { Iova } from '../../iova/iova.ts';
import type { Operation, OperationOf } from '../../session/events.ts';
import type { KernelModel, KernelView, Outcome } from '../model.ts';

/** Everything that a state shows, as plain data to compare. */
export function snapshot(state: KernelView): unknown {
  return state.spaces().map((space) => ({
    id: space.id,
    areas: [...space.areas()],
    areaCount: space.areaCount,
    reserved: space.reserved,
    allowed: space.allowed,
    domains: space.domains,
    accesses: space.accesses,
    alignment: space.alignment,
    hugePages: space.hugePages,
  }));
}

/** An outcome in one word: `ok`, `ok 0x1000` (iova or bytes), the rule of a refusal, or the code of an invalid operation. */
export function verdict(outcome: Outcome): string {
  if (!outcome.ok) return outcome.refusal?.rule ?? outcome.invalid?.code ?? '';
  const value = outcome.answer.iova ?? outcome.answer.unmapped;
  return value === undefined ? 'ok' : `ok ${hex(value)}`;
}

const A = (value: bigint): Iova => value as Iova;

/** Runs operations in the order of the calls, with short argument lists and sizes as plain bigints. */
export class Script {
  readonly model: KernelModel;
  #origin = 0;

  constructor(model: KernelModel) {
    this.model = model;
  }

  run(operation: Operation): Outcome {
    return this.model.apply(operation, this.#origin++);
  }

  alloc(ioas = 'a'): Outcome {
    return this.run({ op: 'ioas.alloc', ioas });
  }

  /** Maps; `iova` fixes the place. `flags`: `rw`, `r`, `w` or nothing. */
  map(
    userVa: bigint,
    length: bigint,
    iova?: bigint,
    flags = 'rw',
    ioas = 'a',
    backing: { memory?: string; present?: bigint } = {},
  ): Outcome {
    const { memory, present } = backing;
    const user = {
      user_va: A(userVa),
      length: A(length),
      ...(memory === undefined ? {} : { memory }),
      ...(present === undefined ? {} : { present: A(present) }),
    };
    const list = permissions(flags);
    return this.run(
      iova === undefined
        ? { op: 'ioas.map', ioas, flags: list, ...user }
        : { op: 'ioas.map', ioas, flags: ['fixed', ...list], ...user, iova: A(iova) },
    );
  }

  /** Maps `length` bytes at offset `start` of the file `memfd`, writable, at `iova`. */
  mapFile(start: bigint, length: bigint, iova: bigint, more: Partial<OperationOf<'ioas.map_file'>> = {}): Outcome {
    return this.run({
      op: 'ioas.map_file',
      ioas: 'a',
      flags: ['fixed', 'read', 'write'],
      fd: 'memfd',
      start: A(start),
      length: A(length),
      iova: A(iova),
      ...more,
    });
  }

  /** Makes the page table `h` for a device that was attached. */
  pageTable(device: string, flags: string[] = [], ioas = 'a', hwpt = 'h'): Outcome {
    return this.run({ op: 'hwpt.alloc', hwpt, device, ioas, flags });
  }

  destroyPageTable(hwpt = 'h'): Outcome {
    return this.run({ op: 'hwpt.destroy', hwpt });
  }

  replace(device: string, target: { ioas?: string; hwpt?: string }): Outcome {
    return this.run({ op: 'device.replace', device, ...target });
  }

  ranges(capacity?: number, ioas = 'a'): Outcome {
    return this.run({ op: 'ioas.iova_ranges', ioas, ...(capacity === undefined ? {} : { capacity }) });
  }

  copy(from: bigint, length: bigint, to?: bigint, flags = 'rw', src = 'a', dst = 'a'): Outcome {
    const source = { src, src_iova: A(from), length: A(length) };
    const list = permissions(flags);
    return this.run(
      to === undefined
        ? { op: 'ioas.copy', dst, flags: list, ...source }
        : { op: 'ioas.copy', dst, flags: ['fixed', ...list], ...source, dst_iova: A(to) },
    );
  }

  unmap(iova: bigint, length: bigint, ioas = 'a'): Outcome {
    return this.run({ op: 'ioas.unmap', ioas, iova: A(iova), length: A(length) });
  }

  allow(ranges: readonly (readonly [bigint, bigint])[], ioas = 'a'): Outcome {
    return this.run({ op: 'ioas.allow_iovas', ioas, ranges: ranges.map(([s, l]) => [A(s), A(l)] as const) });
  }

  reserve(start: bigint, length: bigint, ioas = 'a'): Outcome {
    return this.run({ op: 'ioas.reserve', ioas, start: A(start), length: A(length) });
  }

  attach(
    device: string,
    options: {
      iommu?: string;
      aperture?: readonly [bigint, bigint];
      pages?: bigint;
      regions?: readonly (readonly [bigint, bigint, string])[];
      ioas?: string;
      /** Attached to this page table instead of an IOAS. */
      hwpt?: string;
      tracksDirty?: boolean;
    } = {},
  ): Outcome {
    const [first, last] = options.aperture ?? [0n, (1n << 64n) - 1n];
    return this.run({
      op: 'device.attach',
      device,
      ...(options.hwpt === undefined ? { ioas: options.ioas ?? 'a' } : { hwpt: options.hwpt }),
      domain: {
        iommu: options.iommu ?? 'iommu0',
        aperture: [A(first), A(last)],
        pgsize_bitmap: A(options.pages ?? 0x1000n),
        ...(options.tracksDirty === undefined ? {} : { dirty_tracking: options.tracksDirty }),
      },
      reserved: (options.regions ?? []).map(([start, end, type]) => ({ start: A(start), last: A(end), type })),
    });
  }

  detach(device: string): Outcome {
    return this.run({ op: 'device.detach', device });
  }

  access(access: string, ioas = 'a'): Outcome {
    return this.run({ op: 'access.create', access, ioas });
  }

  pin(access: string, pin: string, iova: bigint, length: bigint, write = false): Outcome {
    return this.run({ op: 'access.pin', access, pin, iova: A(iova), length: A(length), write });
  }

  unpin(access: string, pin: string): Outcome {
    return this.run({ op: 'access.unpin', access, pin });
  }

  hugePages(value: number, ioas = 'a'): Outcome {
    return this.run({ op: 'ioas.option_huge_pages', ioas, value });
  }

  destroy(ioas = 'a'): Outcome {
    return this.run({ op: 'ioas.destroy', ioas });
  }
}

function permissions(flags: string): ('read' | 'write')[] {
  const list: ('read' | 'write')[] = [];
  if (flags.includes('r')) list.push('read');
  if (flags.includes('w')) list.push('write');
  return list;
}
