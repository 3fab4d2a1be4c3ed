import type { Iova } from '../../iova/iova.ts';
import type { DomainDescription, Operation, OperationOf, ReservedRegion } from '../../session/events.ts';
import type { ModelSettings, Outcome } from '../model.ts';
import { IoasModel, type IoasVersion } from '../shared/ioas-model.ts';
import { invalid, nameInUse, outcome, permissionsOf, SUCCESS, unknownObject } from '../shared/outcome.ts';
import type { PreparedMap, PreparedOperation, Words } from '../shared/prepared.ts';
import { refuserIn } from '../shared/refusal.ts';
import { NEWEST_RULES } from '../version-changes.ts';
import { Ioas } from './ioas.ts';
import { PinnedPages } from './pinned-pages.ts';
import { IOMMUFD_RULES } from './rules.ts';

const refusals = refuserIn(IOMMUFD_RULES);

interface DeviceDescription {
  readonly domain: DomainDescription;
  /** The regions that an attach of the device reserves. */
  readonly reserved: readonly ReservedRegion[];
}

/** iommufd, by the rules of the session's kernel. */
export class IommufdModel extends IoasModel<Ioas> {
  readonly #no: ReturnType<typeof refusals>;
  #pinned: PinnedPages;
  /** Every device that an operation described. */
  readonly #described = new Map<string, DeviceDescription>();
  /** The regions of each group by device, before Linux 6.5. */
  readonly #groupRegions = new Map<string, ReadonlyMap<string, readonly ReservedRegion[]>>();
  /** The IOAS of each page table. */
  readonly #pageTables = new Map<string, string>();

  constructor(settings: ModelSettings) {
    const rules = settings.rules ?? NEWEST_RULES;
    const version: IoasVersion<Ioas> = {
      name: 'iommufd',
      makeSpace: (id) => new Ioas(id, settings, this.#pinned),
      allow: (ioas, ranges) => ioas.allow(ranges),
      setHugePages: (ioas, value) => ioas.setHugePages(value),
    };
    super(version, settings);
    this.#no = refusals(rules);
    this.#pinned = new PinnedPages(settings.memlock, settings.page, rules);
  }

  override clone(): IommufdModel {
    const copy = new IommufdModel(this.settings);
    copy.#pinned = this.#pinned.clone();
    this.copyInto(copy, (space) => space.clone(copy.#pinned));
    for (const [device, description] of this.#described) copy.#described.set(device, description);
    for (const [group, regions] of this.#groupRegions) copy.#groupRegions.set(group, regions);
    for (const [hwpt, ioas] of this.#pageTables) copy.#pageTables.set(hwpt, ioas);
    return copy;
  }

  override apply(operation: Operation, origin: number): Outcome {
    switch (operation.op) {
      case 'ioas.map_file':
        return this.withIoas(operation.ioas, (ioas) => this.#mapFile(ioas, operation, origin));
      case 'device.replace':
        return this.#replace(operation);
      case 'hwpt.alloc':
        return this.#allocPageTable(operation);
      case 'hwpt.destroy':
        return this.#destroyPageTable(operation.hwpt);
      default:
        return super.apply(operation, origin);
    }
  }

  applyPrepared(operation: PreparedOperation, words: Words, origin: number): boolean {
    const ioas = this.ioases.get(operation.space);
    if (!ioas) return false;
    if (operation.kind === 'unmap') return ioas.unmapPrepared(operation, words);
    if (!ioas.mapPrepared(operation, words, this.nextPages, origin)) return false;
    this.nextPages++;
    return true;
  }

  choosePrepared(map: PreparedMap, words: Words): boolean {
    return this.ioases.get(map.space)?.choosePrepared(map, words) ?? false;
  }

  #mapFile(ioas: Ioas, operation: OperationOf<'ioas.map_file'>, origin: number): Outcome {
    const { start: userVa, length, iova, flags } = operation;
    const decision = ioas.mapFile({
      userVa,
      length,
      iova: iova ?? (0n as Iova), // a field that is left out is zero
      fixed: flags.includes('fixed'),
      permissions: permissionsOf(flags),
      flags,
      pages: this.nextPages,
      origin,
      ...fileBacking(operation, this.settings.page),
    });
    if (decision.ok) this.nextPages++;
    return outcome(decision, (chosen) => ({ ret: 0, iova: chosen }));
  }

  protected override ranges(ioas: Ioas, capacity: number | undefined): Outcome {
    const full = super.ranges(ioas, capacity);
    if (capacity === undefined || !full.ok) return full;
    const all = full.answer.ranges ?? [];
    const reported = { ...full.answer, num_iovas: all.length, ranges: all.slice(0, capacity) };
    if (capacity >= all.length) return { ok: true, answer: reported };
    const { ret: _, ...fields } = reported;
    return this.#no('ranges-capacity', {
      obstacle: { kind: 'limit', value: BigInt(capacity) },
      reported: fields,
    });
  }

  // ---- devices and page tables -----------------------------------------------------------------------------------

  protected override attachDevice(operation: OperationOf<'device.attach'>): Outcome {
    const { device, domain, ioas, hwpt } = operation;
    const target = targetOf(operation);
    if (typeof target !== 'string') return target;
    const bad = this.badAttach(operation);
    if (bad) return bad;
    const reserved = this.#regionsOf(operation);
    this.#described.set(device, { domain, reserved });
    if (hwpt === undefined || ioas !== undefined) return super.attachDevice({ ...operation, reserved: [...reserved] });
    const id = this.#pageTables.get(hwpt);
    if (id === undefined) {
      return this.#no('attach-unknown-page-table', { obstacle: { kind: 'page-table', owner: hwpt } });
    }
    return this.withIoas(id, (space) => {
      const decision = space.attachToPageTable(device, hwpt, domain, reserved);
      if (decision.ok) this.devices.set(device, id);
      return outcome(decision);
    });
  }

  /** What an attach reserves: the regions of the device, before Linux 6.5 those of its whole group as far as known. */
  #regionsOf({ device, group, reserved }: OperationOf<'device.attach'>): readonly ReservedRegion[] {
    if (group === undefined || (this.settings.rules ?? NEWEST_RULES).has('iommufd-group-regions')) return reserved;
    const byDevice = new Map(this.#groupRegions.get(group)).set(device, reserved);
    this.#groupRegions.set(group, byDevice);
    const known = new Map<string, ReservedRegion>();
    for (const region of [reserved, ...byDevice.values()].flat()) {
      const key = `${region.start} ${region.last} ${region.type}`;
      if (!known.has(key)) known.set(key, region);
    }
    return [...known.values()];
  }

  #replace(operation: OperationOf<'device.replace'>): Outcome {
    const { device, ioas, hwpt } = operation;
    const target = targetOf(operation);
    if (typeof target !== 'string') return target;
    const description = this.#described.get(device);
    const obstacle = { kind: 'device', owner: device } as const;
    if (!description) return this.#no('unknown-device', { obstacle });
    const id = ioas ?? this.#pageTables.get(target);
    if (id === undefined) {
      return this.#no('attach-unknown-page-table', { obstacle: { kind: 'page-table', owner: target } });
    }
    const from = this.devices.get(device);
    if (from === undefined) return this.#no('replace-not-attached', { obstacle });
    const { domain, reserved } = description;
    return this.withIoas(id, (space) => {
      if (id === from) return outcome(space.replaceHere(device, domain, hwpt));
      const decision =
        hwpt === undefined
          ? space.attachMoved(device, domain, reserved)
          : space.attachToPageTable(device, hwpt, domain, reserved);
      if (!decision.ok) return decision;
      this.ioases.get(from)?.detach(device);
      this.devices.set(device, id);
      return SUCCESS;
    });
  }

  #allocPageTable({ hwpt, device, ioas, flags }: OperationOf<'hwpt.alloc'>): Outcome {
    if (this.#pageTables.has(hwpt)) return nameInUse('a page table', hwpt);
    const description = this.#described.get(device);
    if (!description) return this.#no('unknown-device', { obstacle: { kind: 'device', owner: device } });
    return this.withIoas(ioas, (space) => {
      const decision = space.allocPageTable(hwpt, description.domain, flags);
      if (decision.ok) this.#pageTables.set(hwpt, ioas);
      return outcome(decision);
    });
  }

  #destroyPageTable(hwpt: string): Outcome {
    const id = this.#pageTables.get(hwpt);
    if (id === undefined) return unknownObject('page table', hwpt);
    return this.withIoas(id, (space) => {
      const decision = space.destroyPageTable(hwpt);
      if (decision.ok) this.#pageTables.delete(hwpt);
      return outcome(decision);
    });
  }
}

/** What is behind a part of a file: as the session says, or by the size of the file. Only whole pages exist. */
function fileBacking({ memory, present, file_size: size, start, length }: OperationOf<'ioas.map_file'>, page: bigint) {
  if (memory !== undefined || size === undefined) return { memory, present };
  const whole = size - (size % page);
  if (start + length <= whole) return { memory, present };
  return { memory: 'past-eof', present: start < whole ? whole - start : 0n };
}

/** The name of what a device is attached to; an outcome if not exactly one is named. */
function targetOf({ op, ioas, hwpt }: OperationOf<'device.attach'> | OperationOf<'device.replace'>): string | Outcome {
  const target = ioas ?? hwpt;
  if (target !== undefined && (ioas === undefined || hwpt === undefined)) return target;
  return invalid('bad-argument', `${op} needs an IOAS or a page table (hwpt), not both`);
}
