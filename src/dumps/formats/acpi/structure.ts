// The structures of ACPI tables about IOMMUs, collected field by field from their text.
import type { Iova } from '../../../iova/iova.ts';
import { type AcpiFacts, scopeDevice } from './facts.ts';

export type StructureKind =
  | 'unit'
  | 'region'
  | 'hardware'
  | 'memory'
  | 'smmu-v2'
  | 'smmu-v3'
  | 'rmr'
  | 'root-complex'
  | 'other';

export interface Scope {
  bus: number | undefined;
  readonly path: { readonly device: number; readonly function: number }[];
}

/** A structure of a table, as far as it was read. */
export interface Structure {
  readonly kind: StructureKind;
  readonly line: number;
  readonly type: number;
  /** Numbers by the names of their fields; the first of each name. */
  readonly fields: Map<string, Iova>;
  readonly scopes: Scope[];
  readonly ranges: { readonly base: Iova; readonly line: number; length: Iova | undefined }[];
  readonly streams: number[];
  /** Of the mappings of a node: the first input id, and the number of ids minus one. */
  readonly inputs: number[];
  readonly counts: number[];
  /** False within the entries of an IVHD: their fields are not those of the structure. */
  own: boolean;
}

/** The kinds of a DMAR's structures and of an IORT's nodes, by their numbers. */
export function dmarKind(type: number): StructureKind {
  return type === 0 ? 'unit' : type === 1 ? 'region' : 'other';
}

export function nodeKind(type: number): StructureKind {
  if (type === 2) return 'root-complex';
  return type === 3 ? 'smmu-v2' : type === 4 ? 'smmu-v3' : type === 6 ? 'rmr' : 'other';
}

/** The kind of an IVRS's structure by its number; undefined for entries of the structure before them. */
export function ivrsKind(type: number): StructureKind | undefined {
  if (type === 0x10 || type === 0x11 || type === 0x40) return 'hardware';
  return type >= 0x20 && type <= 0x22 ? 'memory' : undefined;
}

/** Emits the facts of a structure. False if required fields are missing. */
export function emitStructure(
  { kind, line, type, fields, scopes, ranges, streams, inputs, counts }: Structure,
  facts: AcpiFacts,
): boolean {
  const small = (name: string) => Number(fields.get(name) ?? 0n);
  switch (kind) {
    case 'unit': {
      const base = fields.get('Register Base Address');
      if (base !== undefined) facts.remappingUnit(base, line);
      return base !== undefined;
    }
    case 'region': {
      const base = fields.get('Base Address');
      const limit = fields.get('End Address (limit)');
      if (base === undefined || limit === undefined) return false;
      const devices = scopes.flatMap(({ bus, path }) => {
        const device = bus === undefined ? undefined : scopeDevice(small('PCI Segment Number'), bus, path);
        return device === undefined ? [] : [device];
      });
      facts.reservedRegion(base, limit, devices, line);
      return true;
    }
    case 'hardware': {
      const base = fields.get('Base Address');
      const efr = fields.get('EFR Image');
      if (base !== undefined) facts.hardware(small('PCI Segment Group'), small('DeviceId'), base, line);
      if (base !== undefined && efr !== undefined && type !== 0x10) facts.features(efr, undefined, line);
      return base !== undefined;
    }
    case 'memory': {
      const start = fields.get('Start Address');
      const length = fields.get('Memory Length');
      if (start === undefined || length === undefined) return false;
      // iasl prints the segment as a part of a reserved field.
      const segment = Number((fields.get('Reserved') ?? 0n) & 0xffffn);
      const [device, lastDevice] = [small('DeviceId'), small('Auxiliary Data')];
      facts.memory({ type, flags: small('Flags'), segment, device, lastDevice, start, length }, line);
      return true;
    }
    case 'smmu-v2':
    case 'smmu-v3': {
      const base = fields.get('Base Address');
      if (base !== undefined) facts.smmu(kind, base, line);
      return base !== undefined;
    }
    case 'rmr': {
      const whole = ranges.flatMap(({ base, length, line: at }) =>
        length === undefined ? [] : [{ base, length, line: at }],
      );
      const permitted = fields.get('Remapping Permitted');
      const remapping = permitted === undefined ? (small('Flags') & 1) !== 0 : permitted !== 0n;
      facts.reservedMemory({ remapping, ranges: whole, streams });
      return whole.length > 0 && whole.length === ranges.length;
    }
    case 'root-complex': {
      const mappings = streams.flatMap((output, i) => {
        const [input, count] = [inputs[i], counts[i]];
        return input === undefined || count === undefined ? [] : [{ input, count: count + 1, output }];
      });
      facts.rootComplex(small('PCI Segment Number'), mappings, line);
      return mappings.length === streams.length;
    }
    default:
      return true;
  }
}
