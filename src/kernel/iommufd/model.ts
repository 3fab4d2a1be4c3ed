import type { Iova } from '../../iova/iova.ts';
import type { Operation, OperationOf } from '../../session/events.ts';
import type { AddressSpaceView, KernelModel, Outcome, PageSizes } from '../model.ts';
import { badAttach, invalid, nameInUse, outcome, permissionsOf, SUCCESS, unknownObject } from '../shared/outcome.ts';
import { Ioas } from './ioas.ts';

/** Linux 6.12's iommufd: IOAS objects, devices attached to them, and in-kernel accesses. */
export class IommufdModel implements KernelModel {
  readonly name = 'iommufd';
  readonly #sizes: PageSizes;
  readonly #spaces = new Map<string, Ioas>();
  /** Where each attached device is. */
  readonly #devices = new Map<string, { readonly ioas: string; readonly iommu: string }>();
  /** The IOAS of each access. */
  readonly #accesses = new Map<string, string>();
  #nextPages = 1;

  constructor(sizes: PageSizes) {
    this.#sizes = sizes;
  }

  clone(): IommufdModel {
    const copy = new IommufdModel(this.#sizes);
    for (const [id, space] of this.#spaces) copy.#spaces.set(id, space.clone());
    for (const [device, place] of this.#devices) copy.#devices.set(device, place);
    for (const [access, ioas] of this.#accesses) copy.#accesses.set(access, ioas);
    copy.#nextPages = this.#nextPages;
    return copy;
  }

  spaces(): readonly AddressSpaceView[] {
    return [...this.#spaces.values()];
  }

  space(id: string): AddressSpaceView | undefined {
    return this.#spaces.get(id);
  }

  apply(operation: Operation, origin: number): Outcome {
    switch (operation.op) {
      case 'ioas.alloc':
        if (this.#spaces.has(operation.ioas)) return nameInUse('an IOAS', operation.ioas);
        this.#spaces.set(operation.ioas, new Ioas(operation.ioas, this.#sizes));
        return SUCCESS;
      case 'ioas.destroy':
        return this.#with(operation.ioas, (ioas) => {
          const result = ioas.checkDestroy();
          if (result.ok) this.#spaces.delete(ioas.id);
          return outcome(result);
        });
      case 'ioas.map':
        return this.#map(operation, origin);
      case 'ioas.copy':
        return this.#with(operation.dst, (dst) =>
          this.#with(operation.src, (src) => this.#copy(dst, src, operation, origin)),
        );
      case 'ioas.unmap':
        return this.#unmap(operation);
      case 'ioas.iova_ranges':
        return this.#with(operation.ioas, (ioas) => ({
          ok: true,
          answer: {
            ret: 0,
            alignment: ioas.alignment as Iova,
            ranges: ioas.usableRanges().map(({ start, last }) => [start, last] as const),
          },
        }));
      case 'ioas.allow_iovas':
        return this.#with(operation.ioas, (ioas) => outcome(ioas.allow(operation.ranges)));
      case 'ioas.reserve':
        return this.#with(operation.ioas, (ioas) => outcome(ioas.reserve(operation.start, operation.length)));
      case 'ioas.option_huge_pages':
        return this.#with(operation.ioas, (ioas) => outcome(ioas.setHugePages(operation.value)));
      case 'device.attach':
        return this.#with(operation.ioas, (ioas) => this.#attach(ioas, operation));
      case 'device.detach':
        return this.#detach(operation.device);
      case 'access.create':
        return this.#with(operation.ioas, (ioas) => {
          const { access } = operation;
          if (this.#accesses.has(access)) return nameInUse('an access', access);
          const result = ioas.createAccess(access);
          if (result.ok) this.#accesses.set(access, ioas.id);
          return outcome(result);
        });
      case 'access.destroy':
        return this.#withAccess(operation.access, (ioas) => {
          ioas.destroyAccess(operation.access);
          this.#accesses.delete(operation.access);
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
      case 'container.open':
      case 'container.close':
      case 'container.attach_group':
      case 'container.detach_group':
      case 'container.map_dma':
      case 'container.unmap_dma':
      case 'container.get_info':
      case 'container.check_extension':
        return invalid('not-in-model', `${operation.op} is no operation of model ${this.name}`);
    }
  }

  #with(id: string, run: (ioas: Ioas) => Outcome): Outcome {
    const ioas = this.#spaces.get(id);
    return ioas ? run(ioas) : unknownObject('IOAS', id);
  }

  #withAccess(access: string, run: (ioas: Ioas) => Outcome): Outcome {
    const id = this.#accesses.get(access);
    return id === undefined ? unknownObject('access', access) : this.#with(id, run);
  }

  // Mapping and unmapping are what long sessions consist of: no closure, no object that is not needed.

  #map(operation: OperationOf<'ioas.map'>, origin: number): Outcome {
    const ioas = this.#spaces.get(operation.ioas);
    if (!ioas) return unknownObject('IOAS', operation.ioas);
    const { user_va, length, iova, flags } = operation;
    // A field that is left out is zero in the request, as the ioctl's structure has it.
    const given = iova ?? 0n;
    const fixed = flags.includes('fixed');
    const result = ioas.map(user_va, length, given, fixed, permissionsOf(flags), this.#nextPages, origin);
    if (!result.ok) return result;
    this.#nextPages++;
    return { ok: true, answer: { ret: 0, iova: result.value } };
  }

  #unmap(operation: OperationOf<'ioas.unmap'>): Outcome {
    const ioas = this.#spaces.get(operation.ioas);
    if (!ioas) return unknownObject('IOAS', operation.ioas);
    const result = ioas.unmap(operation.iova, operation.length);
    return result.ok ? { ok: true, answer: { ret: 0, unmapped: result.value as Iova } } : result;
  }

  /** Source: Linux 6.12, iommufd_ioas_copy. */
  #copy(dst: Ioas, src: Ioas, operation: OperationOf<'ioas.copy'>, origin: number): Outcome {
    const { length, src_iova, dst_iova, flags } = operation;
    const permissions = permissionsOf(flags);
    const refused = dst.checkCopy(dst_iova ?? (0n as Iova), length, permissions);
    if (refused) return refused;
    const pieces = src.piecesOf(src_iova, length);
    if (!pieces.ok) return pieces;
    const fixed = flags.includes('fixed') ? (dst_iova ?? 0n) : undefined;
    return outcome(dst.mapPieces(pieces.value, length, fixed, permissions, origin), (at) => ({ ret: 0, iova: at }));
  }

  #attach(ioas: Ioas, operation: OperationOf<'device.attach'>): Outcome {
    const { device, domain, reserved } = operation;
    if (this.#devices.has(device)) return nameInUse('an attached device', device);
    const bad = badAttach(domain, reserved);
    if (bad) return bad;
    const result = ioas.attach(device, domain, reserved);
    if (result.ok) this.#devices.set(device, { ioas: ioas.id, iommu: domain.iommu });
    return outcome(result);
  }

  #detach(device: string): Outcome {
    const place = this.#devices.get(device);
    if (!place) return unknownObject('attached device', device);
    return this.#with(place.ioas, (ioas) => {
      ioas.detach(device, place.iommu);
      this.#devices.delete(device);
      return SUCCESS;
    });
  }
}
