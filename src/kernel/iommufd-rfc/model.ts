import { type Iova, lowestSetBit } from '../../iova/iova.ts';
import type { Operation, OperationOf } from '../../session/events.ts';
import type { AddressSpaceView, KernelModel, Outcome, PageSizes } from '../model.ts';
import { badAttach, invalid, nameInUse, outcome, permissionsOf, SUCCESS, unknownObject } from '../shared/outcome.ts';
import { RfcIoas } from './ioas.ts';

const TWO_32 = 1n << 32n;
/** What an unmap of everything names. */
const EVERYTHING = { iova: 0n, length: 0xffff_ffff_ffff_ffffn };

/**
 * The io_pagetable of iommufd as first posted on 2022-03-18, with its bugs. Its unmap wants exactly one area, which
 * is what broke QEMU's virtual IOMMU. It has no allowed ranges and no choice about huge pages.
 */
export class IommufdRfcModel implements KernelModel {
  readonly name = 'iommufd-rfc';
  readonly #sizes: PageSizes;
  readonly #spaces = new Map<string, RfcIoas>();
  /** The IOAS of each attached device. */
  readonly #devices = new Map<string, string>();
  /** The IOAS of each access. */
  readonly #accesses = new Map<string, string>();
  #nextPages = 1;

  constructor(sizes: PageSizes) {
    this.#sizes = sizes;
  }

  clone(): IommufdRfcModel {
    const copy = new IommufdRfcModel(this.#sizes);
    for (const [id, space] of this.#spaces) copy.#spaces.set(id, space.clone());
    for (const [device, ioas] of this.#devices) copy.#devices.set(device, ioas);
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
        this.#spaces.set(operation.ioas, new RfcIoas(operation.ioas, this.#sizes));
        return SUCCESS;
      case 'ioas.destroy':
        return this.#with(operation.ioas, (ioas) => {
          const result = ioas.checkDestroy();
          if (result.ok) this.#spaces.delete(ioas.id);
          return outcome(result);
        });
      case 'ioas.map':
        return this.#with(operation.ioas, (ioas) => this.#map(ioas, operation, origin));
      case 'ioas.copy':
        return this.#with(operation.dst, (dst) =>
          this.#with(operation.src, (src) => this.#copy(dst, src, operation, origin)),
        );
      case 'ioas.unmap':
        return this.#with(operation.ioas, (ioas) => {
          const { iova, length } = operation;
          const all = iova === EVERYTHING.iova && length === EVERYTHING.length;
          return outcome(all ? ioas.unmapAll() : ioas.unmap(iova, length));
        });
      case 'ioas.iova_ranges':
        return this.#with(operation.ioas, (ioas) => ({
          ok: true,
          answer: {
            ret: 0,
            alignment: ioas.alignment as Iova,
            ranges: ioas.usableRanges().map(({ start, last }) => [start, last] as const),
          },
        }));
      case 'ioas.reserve':
        return this.#with(operation.ioas, (ioas) => outcome(ioas.reserve(operation.start, operation.length)));
      case 'device.attach':
        return this.#with(operation.ioas, (ioas) => this.#attach(ioas, operation));
      case 'device.detach': {
        const { device } = operation;
        const place = this.#devices.get(device);
        if (place === undefined) return unknownObject('attached device', device);
        return this.#with(place, (ioas) => {
          ioas.detach(device);
          this.#devices.delete(device);
          return SUCCESS;
        });
      }
      case 'access.create':
        return this.#with(operation.ioas, (ioas) => {
          const { access } = operation;
          if (this.#accesses.has(access)) return nameInUse('an access', access);
          ioas.createAccess(access);
          this.#accesses.set(access, ioas.id);
          return SUCCESS;
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
          if (ioas.hasPin(access, pin)) return nameInUse('a pin', pin);
          return outcome(ioas.pin(access, pin, iova, length, write));
        });
      case 'access.unpin':
        return this.#withAccess(operation.access, (ioas) => {
          const { access, pin } = operation;
          if (!ioas.hasPin(access, pin)) return unknownObject('pin', pin);
          ioas.unpin(access, pin);
          return SUCCESS;
        });
      case 'ioas.allow_iovas':
      case 'ioas.option_huge_pages':
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

  #with(id: string, run: (ioas: RfcIoas) => Outcome): Outcome {
    const ioas = this.#spaces.get(id);
    return ioas ? run(ioas) : unknownObject('IOAS', id);
  }

  #withAccess(access: string, run: (ioas: RfcIoas) => Outcome): Outcome {
    const id = this.#accesses.get(access);
    return id === undefined ? unknownObject('access', access) : this.#with(id, run);
  }

  #map(ioas: RfcIoas, operation: OperationOf<'ioas.map'>, origin: number): Outcome {
    const { user_va, length, iova, flags } = operation;
    const fixed = flags.includes('fixed') ? (iova ?? 0n) : undefined;
    const result = ioas.mapUser(user_va, length, fixed, permissionsOf(flags), this.#nextPages, origin);
    if (result.ok) this.#nextPages++;
    return outcome(result, (at) => ({ ret: 0, iova: at }));
  }

  #copy(dst: RfcIoas, src: RfcIoas, operation: OperationOf<'ioas.copy'>, origin: number): Outcome {
    const { length, src_iova, dst_iova, flags } = operation;
    const pages = src.pagesOf(src_iova, length);
    if (!pages.ok) return pages;
    const fixed = flags.includes('fixed') ? (dst_iova ?? 0n) : undefined;
    return outcome(dst.mapPages(pages.value, length, fixed, permissionsOf(flags), origin), (at) => ({
      ret: 0,
      iova: at,
    }));
  }

  #attach(ioas: RfcIoas, operation: OperationOf<'device.attach'>): Outcome {
    const { device, domain, reserved } = operation;
    if (this.#devices.has(device)) return nameInUse('an attached device', device);
    const bad = badAttach(domain, reserved);
    if (bad) return bad;
    if (lowestSetBit(domain.pgsize_bitmap) >= TWO_32) {
      return invalid(
        'bad-argument',
        'this version keeps the smallest page in 32 bits, and then divides by what is left, 0',
      );
    }
    const result = ioas.attach(device, domain, reserved);
    if (result.ok) this.#devices.set(device, ioas.id);
    return outcome(result, (window) => (window === undefined ? { ret: 0 } : { ret: 0, sw_msi_start: window }));
  }
}
