// Dispatch of the operations on IOASes: the same for every version of iommufd. What a version decides differently is in
// its own `IoasSpace`.
import { type Iova, iova as toIova } from '../../iova/iova.ts';
import type { IovaRange } from '../../iova/range.ts';
import type { DomainDescription, Operation, OperationOf, ReservedRegion } from '../../session/events.ts';
import type { AddressSpaceView, KernelModel, ModelSettings, Outcome } from '../model.ts';
import type { Backing } from './memory.ts';
import {
  badAttach,
  type Decision,
  invalid,
  nameInUse,
  outcome,
  type Permissions,
  permissionsOf,
  SUCCESS,
  unknownObject,
} from './outcome.ts';

const ZERO = toIova(0n);

/** A request to map memory, with the fields that the ioctl has. */
export interface MapRequest extends Backing {
  /** Address of the first byte in the user's memory. */
  readonly userVa: bigint;
  /** Bytes. */
  readonly length: bigint;
  /** The iova field: 0 if it was left out. Some versions check it even if the mapping is not fixed. */
  readonly iova: Iova;
  /** True if the mapping must be at `iova`; the kernel chooses otherwise. */
  readonly fixed: boolean;
  readonly permissions: Permissions;
  /** As the session names them. */
  readonly flags: readonly string[];
  /** Number of the pages, which copies share. */
  readonly pages: number;
  /** Index of the event. */
  readonly origin: number;
}

/** A request to map what another IOAS has mapped. */
export interface CopyRequest extends Omit<MapRequest, 'userVa' | 'pages' | keyof Backing> {
  readonly sourceIova: Iova;
}

/** An IOAS as its version implements it. Methods check in the kernel's order; a refusal changes nothing. */
export interface IoasSpace<Self> extends AddressSpaceView {
  clone(): Self;
  /** What IOMMU_IOAS_IOVA_RANGES reports, by ascending start. */
  usableRanges(): IovaRange[];
  /** Why it cannot be destroyed, if anything uses it. */
  checkDestroy(): Decision<undefined>;
  /** The iova of the new mapping. */
  map(request: MapRequest): Decision<Iova>;
  copyFrom(source: Self, request: CopyRequest): Decision<Iova>;
  /** The bytes that were unmapped; `undefined` if the version does not report them. 0 and 2^64−1: everything. */
  unmap(iova: Iova, length: bigint): Decision<bigint | undefined>;
  reserve(start: Iova, length: bigint): Decision<undefined>;
  /** The start of the software MSI window, if the version reports it. */
  attach(device: string, domain: DomainDescription, regions: readonly ReservedRegion[]): Decision<Iova | undefined>;
  /** Detaches a device that is attached here. */
  detach(device: string): void;
  createAccess(name: string): Decision<undefined>;
  destroyAccess(name: string): void;
  /** `gone`: it existed, and unpinning it is refused. */
  hasPin(access: string, pin: string): 'held' | 'gone' | undefined;
  pin(access: string, pin: string, start: Iova, length: bigint, write: boolean): Decision<undefined>;
  unpin(access: string, pin: string): Decision<undefined>;
}

/** A version of iommufd: its name, its IOASes, and the operations that not every version has. */
export interface IoasVersion<Space> {
  /** As in session headers. */
  readonly name: string;
  readonly makeSpace: (id: string, settings: ModelSettings) => Space;
  /** Absent if the version has no allowed ranges. */
  readonly allow?: (ioas: Space, ranges: readonly (readonly [Iova, Iova])[]) => Decision<undefined>;
  /** Absent if the version has no such option. */
  readonly setHugePages?: (ioas: Space, value: number) => Decision<undefined>;
  /** What is wrong with a domain that this version cannot handle at all. */
  readonly badDomain?: (domain: DomainDescription) => Outcome | undefined;
}

/** A model of iommufd: IOAS objects, devices attached to them, and in-kernel accesses. */
export class IoasModel<Space extends IoasSpace<Space>> implements KernelModel {
  protected readonly version: IoasVersion<Space>;
  protected readonly settings: ModelSettings;
  protected readonly ioases = new Map<string, Space>();
  /** The IOAS of each attached device. */
  protected readonly devices = new Map<string, string>();
  /** The IOAS of each access. */
  protected readonly accesses = new Map<string, string>();
  protected nextPages = 1;

  constructor(version: IoasVersion<Space>, settings: ModelSettings) {
    this.version = version;
    this.settings = settings;
  }

  get name(): string {
    return this.version.name;
  }

  clone(): IoasModel<Space> {
    const copy = new IoasModel(this.version, this.settings);
    this.copyInto(copy, (space) => space.clone());
    return copy;
  }

  /** Makes `copy`, which is empty, an independent copy; `cloneSpace` copies an IOAS. */
  protected copyInto(copy: IoasModel<Space>, cloneSpace: (space: Space) => Space): void {
    for (const [id, space] of this.ioases) copy.ioases.set(id, cloneSpace(space));
    for (const [device, ioas] of this.devices) copy.devices.set(device, ioas);
    for (const [access, ioas] of this.accesses) copy.accesses.set(access, ioas);
    copy.nextPages = this.nextPages;
  }

  spaces(): readonly AddressSpaceView[] {
    return [...this.ioases.values()];
  }

  space(id: string): AddressSpaceView | undefined {
    return this.ioases.get(id);
  }

  apply(operation: Operation, origin: number): Outcome {
    switch (operation.op) {
      case 'ioas.alloc':
        if (this.ioases.has(operation.ioas)) return nameInUse('an IOAS', operation.ioas);
        this.ioases.set(operation.ioas, this.version.makeSpace(operation.ioas, this.settings));
        return SUCCESS;
      case 'ioas.destroy':
        return this.withIoas(operation.ioas, (ioas) => {
          const decision = ioas.checkDestroy();
          if (decision.ok) this.ioases.delete(ioas.id);
          return outcome(decision);
        });
      case 'ioas.map':
        return this.#map(operation, origin);
      case 'ioas.copy':
        return this.withIoas(operation.dst, (dst) =>
          this.withIoas(operation.src, (src) => this.#copy(dst, src, operation, origin)),
        );
      case 'ioas.unmap':
        return this.#unmap(operation);
      case 'ioas.iova_ranges':
        return this.withIoas(operation.ioas, (ioas) => this.ranges(ioas, operation.capacity));
      case 'ioas.allow_iovas': {
        const { allow } = this.version;
        if (!allow) return this.notInModel(operation);
        return this.withIoas(operation.ioas, (ioas) => outcome(allow(ioas, operation.ranges)));
      }
      case 'ioas.reserve':
        return this.withIoas(operation.ioas, (ioas) => outcome(ioas.reserve(operation.start, operation.length)));
      case 'ioas.option_huge_pages': {
        const { setHugePages } = this.version;
        if (!setHugePages) return this.notInModel(operation);
        return this.withIoas(operation.ioas, (ioas) => outcome(setHugePages(ioas, operation.value)));
      }
      case 'device.attach':
        return this.attachDevice(operation);
      case 'device.detach':
        return this.#detach(operation.device);
      case 'access.create':
        return this.withIoas(operation.ioas, (ioas) => this.#createAccess(ioas, operation.access));
      case 'access.destroy':
        return this.#withAccess(operation.access, (ioas) => {
          ioas.destroyAccess(operation.access);
          this.accesses.delete(operation.access);
          return SUCCESS;
        });
      case 'access.pin':
        return this.#withAccess(operation.access, (ioas) => {
          const { access, pin, iova, length, write } = operation;
          if (ioas.hasPin(access, pin) === 'held') return nameInUse('a pin', pin);
          return outcome(ioas.pin(access, pin, iova, length, write));
        });
      case 'access.unpin':
        return this.#withAccess(operation.access, (ioas) => {
          const { access, pin } = operation;
          return ioas.hasPin(access, pin) ? outcome(ioas.unpin(access, pin)) : unknownObject('pin', pin);
        });
      default:
        return this.notInModel(operation);
    }
  }

  protected notInModel({ op }: Operation): Outcome {
    return invalid('not-in-model', `model ${this.name} does not have the operation ${op}`);
  }

  protected ranges(ioas: Space, _capacity: number | undefined): Outcome {
    return {
      ok: true,
      answer: {
        ret: 0,
        alignment: ioas.alignment as Iova, // a power of two up to the page size
        ranges: ioas.usableRanges().map(({ start, last }) => [start, last] as const),
      },
    };
  }

  protected withIoas(id: string, run: (ioas: Space) => Outcome): Outcome {
    const ioas = this.ioases.get(id);
    return ioas ? run(ioas) : unknownObject('IOAS', id);
  }

  #withAccess(access: string, run: (ioas: Space) => Outcome): Outcome {
    const id = this.accesses.get(access);
    return id === undefined ? unknownObject('access', access) : this.withIoas(id, run);
  }

  // Long sessions consist of maps and unmaps: no closures here.

  #map(operation: OperationOf<'ioas.map'>, origin: number): Outcome {
    const ioas = this.ioases.get(operation.ioas);
    if (!ioas) return unknownObject('IOAS', operation.ioas);
    const { user_va: userVa, length, iova, flags, memory, present } = operation;
    const decision = ioas.map({
      userVa,
      length,
      // A field that is left out is zero in the request, as in the structure of the ioctl.
      iova: iova ?? ZERO,
      fixed: flags.includes('fixed'),
      permissions: permissionsOf(flags),
      flags,
      pages: this.nextPages,
      origin,
      memory,
      present,
    });
    if (!decision.ok) return decision;
    this.nextPages++;
    return { ok: true, answer: { ret: 0, iova: decision.value } };
  }

  #unmap(operation: OperationOf<'ioas.unmap'>): Outcome {
    const ioas = this.ioases.get(operation.ioas);
    if (!ioas) return unknownObject('IOAS', operation.ioas);
    const decision = ioas.unmap(operation.iova, operation.length);
    if (!decision.ok) return decision;
    // At most the whole space without its last byte: the ioctl cannot name more.
    return decision.value === undefined ? SUCCESS : { ok: true, answer: { ret: 0, unmapped: decision.value as Iova } };
  }

  #copy(dst: Space, src: Space, operation: OperationOf<'ioas.copy'>, origin: number): Outcome {
    const { length, src_iova: sourceIova, dst_iova, flags } = operation;
    const decision = dst.copyFrom(src, {
      sourceIova,
      length,
      iova: dst_iova ?? ZERO,
      fixed: flags.includes('fixed'),
      permissions: permissionsOf(flags),
      flags,
      origin,
    });
    return outcome(decision, (iova) => ({ ret: 0, iova }));
  }

  protected attachDevice(operation: OperationOf<'device.attach'>): Outcome {
    const { device, domain, reserved, ioas: id } = operation;
    if (id === undefined) return this.notInModel(operation);
    return this.withIoas(id, (ioas) => {
      const bad = this.badAttach(operation);
      if (bad) return bad;
      const decision = ioas.attach(device, domain, reserved);
      if (decision.ok) this.devices.set(device, ioas.id);
      return outcome(decision, (window) => (window === undefined ? { ret: 0 } : { ret: 0, sw_msi_start: window }));
    });
  }

  /** Why a device cannot be asked to attach, if so. */
  protected badAttach({ device, domain, reserved }: OperationOf<'device.attach'>): Outcome | undefined {
    if (this.devices.has(device)) return nameInUse('an attached device', device);
    return badAttach(domain, reserved) ?? this.version.badDomain?.(domain);
  }

  #detach(device: string): Outcome {
    const id = this.devices.get(device);
    if (id === undefined) return unknownObject('attached device', device);
    return this.withIoas(id, (ioas) => {
      ioas.detach(device);
      this.devices.delete(device);
      return SUCCESS;
    });
  }

  #createAccess(ioas: Space, access: string): Outcome {
    if (this.accesses.has(access)) return nameInUse('an access', access);
    const decision = ioas.createAccess(access);
    if (decision.ok) this.accesses.set(access, ioas.id);
    return outcome(decision);
  }
}
