// Facts from ACPI tables about IOMMUs (DMAR, IVRS, IORT): the same for a table in bytes and for its text.
import { hex } from '../../../iova/format.ts';
import { type Iova, iova } from '../../../iova/iova.ts';
import { rangeOfLength } from '../../../iova/range.ts';
import { pciAddress } from '../../fields/pci-address.ts';
import { orderedRange } from '../../fields/range-of.ts';
import type { FactSink } from '../../format.ts';

/** Bit 3 of an IVMD's flags: the range is excluded from translation, not mapped as it is. */
const EXCLUSION = 8;
/** Address bits of a host. The stored number is one less. */
const BITS_MAX = 64;

const RMRR = 'reserved memory region (RMRR)';
const IVMD = 'memory definition (IVMD)';
const RMR = 'reserved memory range (RMR)';

/** An I/O Virtualization Memory Definition. Ids of devices are 16 bits: bus, device, function. */
export interface Ivmd {
  /** 0x20: all devices; 0x21: one; 0x22: from `device` to `lastDevice`, inclusive. */
  readonly type: number;
  readonly flags: number;
  readonly segment: number;
  readonly device: number;
  readonly lastDevice: number;
  readonly start: Iova;
  /** In bytes. */
  readonly length: Iova;
}

/** A Reserved Memory Range node of an IORT. */
export interface Rmr {
  /** The range may be mapped elsewhere: the device does not depend on it. */
  readonly remapping: boolean;
  readonly ranges: readonly { readonly base: Iova; readonly length: Iova; readonly line?: number }[];
  /** Output bases of the node's mappings: the first stream of each. */
  readonly streams: readonly number[];
}

/** How an ID mapping of an IORT turns ids into others: `count` ids from `input` on. */
export interface IdMapping {
  readonly input: number;
  readonly count: number;
  readonly output: number;
}

/** Emits the facts of the tables of one source. Units are numbered in the order of the table. */
export class AcpiFacts {
  readonly #sink: FactSink;
  #units = 0;
  readonly #amd = new Map<string, number>();
  readonly #smmu = { 'smmu-v2': 0, 'smmu-v3': 0 };
  #ivinfo: Iova | undefined;
  #hasFeatures = false;

  constructor(sink: FactSink) {
    this.#sink = sink;
  }

  /** A new table: its units are counted from 0. */
  begin(): void {
    this.#sink.recognized();
    this.#units = 0;
    this.#amd.clear();
    this.#ivinfo = undefined;
    this.#hasFeatures = false;
    this.#smmu['smmu-v2'] = 0;
    this.#smmu['smmu-v3'] = 0;
  }

  /** DMAR: the width of host addresses as it is stored, minus one. */
  hostWidth(stored: number, line: number | undefined): void {
    if (stored < BITS_MAX) this.#sink.fact({ kind: 'host', address_width: stored + 1 }, line);
    else this.#sink.diagnostic('bad-address-width', { width: stored + 1 }, line);
  }

  /** DMAR: a DMA remapping unit. */
  remappingUnit(base: Iova, line: number | undefined): void {
    const name = `dmar${this.#units++}`;
    this.#sink.fact({ kind: 'iommu', name, driver: 'intel', register_base: hex(base) }, line);
  }

  /** DMAR: a reserved memory region, `limit` inclusive, of the devices of its scopes; without scopes they are unknown. */
  reservedRegion(base: Iova, limit: Iova, devices: readonly string[], line: number | undefined): void {
    if (base === 0n && limit === 0n) {
      this.#sink.diagnostic('empty-range', { what: RMRR, start: base }, line);
      return;
    }
    const range = orderedRange(base, limit, RMRR, line, this.#sink);
    if (!range) return;
    for (const device of devices.length > 0 ? devices : [undefined]) {
      this.#sink.fact(
        {
          kind: 'reserved',
          ...range,
          type: 'direct',
          origin: 'rmrr',
          ...(device === undefined ? {} : { device }),
        },
        line,
      );
    }
  }

  /** IVRS: a hardware definition. One IOMMU may have several, for older and newer operating systems. */
  hardware(segment: number, device: number, base: Iova, line: number | undefined): void {
    const key = `${segment} ${device} ${base}`;
    if (this.#amd.has(key)) return;
    const name = `ivhd${this.#amd.size}`;
    this.#amd.set(key, this.#amd.size);
    this.#sink.fact({ kind: 'iommu', name, driver: 'amd', register_base: hex(base) }, line);
  }

  /** IVRS: its information field, IVinfo. */
  virtualizationInfo(ivinfo: Iova, line: number | undefined): void {
    this.#ivinfo = ivinfo;
    this.#sink.fact({ kind: 'host', ivinfo }, line);
  }

  /** IVRS: the features of a hardware definition that has them (types 0x11 and 0x40); the kernel takes the first ones. */
  features(efr: Iova, efr2: Iova | undefined, line: number | undefined): void {
    // Without the flag EFRSup in IVinfo the field is not valid.
    if (this.#hasFeatures || this.#ivinfo === undefined || (this.#ivinfo & 1n) === 0n) return;
    this.#hasFeatures = true;
    this.#sink.fact({ kind: 'host', efr, ...(efr2 === undefined ? {} : { efr2 }) }, line);
  }

  /** IVRS: the table is complete. Without features in it the kernel takes none, whatever the registers have. */
  endOfDefinitions(): void {
    if (this.#ivinfo !== undefined && !this.#hasFeatures) this.#sink.fact({ kind: 'host', efr: iova(0n) }, undefined);
  }

  /** IVRS: a memory definition. */
  memory(ivmd: Ivmd, line: number | undefined): void {
    const range = rangeOfLength(ivmd.start, ivmd.length);
    if (ivmd.length === 0n) {
      this.#sink.diagnostic('empty-range', { what: IVMD, start: ivmd.start }, line);
      return;
    }
    if (!range) {
      const { start, length } = ivmd;
      this.#sink.diagnostic('range-beyond-64-bits', { what: IVMD, start, length }, line, 'error');
      return;
    }
    const device = devicesOf(ivmd);
    this.#sink.fact(
      {
        kind: 'reserved',
        start: range.start,
        last: range.last,
        type: (ivmd.flags & EXCLUSION) === 0 ? 'direct' : 'reserved',
        origin: 'ivmd',
        ...(device === undefined ? {} : { device }),
      },
      line,
    );
  }

  /** IORT: an SMMU. */
  smmu(driver: 'smmu-v2' | 'smmu-v3', base: Iova, line: number | undefined): void {
    const name = `${driver.replace('-v', '')}.${this.#smmu[driver]++}`;
    this.#sink.fact({ kind: 'iommu', name, driver, register_base: hex(base) }, line);
  }

  /** IORT: a root complex. Its mappings turn the requester ids of its devices into stream ids. */
  rootComplex(segment: number, mappings: readonly IdMapping[], line: number | undefined): void {
    const stream_ids = mappings.map(({ input, count, output }): [number, number, number, number] => [
      segment,
      input,
      count,
      output,
    ]);
    if (stream_ids.length > 0) this.#sink.fact({ kind: 'host', stream_ids }, line);
  }

  /** IORT: each range of a node for each of its streams. */
  reservedMemory({ remapping, ranges, streams }: Rmr): void {
    for (const { base, length, line } of ranges) {
      const range = rangeOfLength(base, length);
      if (!range) {
        if (length === 0n) this.#sink.diagnostic('empty-range', { what: RMR, start: base }, line);
        else this.#sink.diagnostic('range-beyond-64-bits', { what: RMR, start: base, length }, line, 'error');
        continue;
      }
      for (const stream of streams.length > 0 ? streams : [undefined]) {
        this.#sink.fact(
          {
            kind: 'reserved',
            start: range.start,
            last: range.last,
            type: remapping ? 'direct-relaxable' : 'direct',
            origin: 'rmr',
            ...(stream === undefined ? {} : { stream }),
          },
          line,
        );
      }
    }
  }
}

const two = (value: number) => value.toString(16).padStart(2, '0');
const four = (value: number) => value.toString(16).padStart(4, '0');

function devicesOf({ type, segment, device, lastDevice }: Ivmd): string | undefined {
  if (type === 0x20) return undefined;
  const first = pciAddress(segment, device);
  return type === 0x21 ? first : `${first}-${pciAddress(segment, lastDevice)}`;
}

/**
 * The device of a DMAR scope: `0000:00:1c.4`, or `0000:00:1c.4/00.0` if it is behind a bridge. Undefined without a path.
 */
export function scopeDevice(
  segment: number,
  bus: number,
  path: readonly { readonly device: number; readonly function: number }[],
): string | undefined {
  if (path.length === 0) return undefined;
  const hops = path.map((hop) => `${two(hop.device)}.${hop.function.toString(16)}`);
  return `${four(segment)}:${two(bus)}:${hops.join('/')}`;
}
