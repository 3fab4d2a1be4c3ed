// Decodes any buffer of the UAPI: which structure it is, and its contents.
import { counted } from '../iova/format.ts';
import { type IovaRange, range } from '../iova/range.ts';
import { HARDWARE_STRUCTURES } from './hardware-info.ts';
import {
  IOMMU_DEVICE_INFO,
  VFIO_IOMMU_TYPE1_INFO,
  VFIO_IOMMU_TYPE1_INFO_2016,
  VFIO_IOMMU_TYPE1_INFO_2017,
} from './info-structures.ts';
import { IOMMUFD_STRUCTURES } from './iommufd-structures.ts';
import { type Endian, problemsOf, type UapiNode, type UapiProblem } from './node.ts';
import type { UapiStructure } from './structure.ts';

/** Every structure that can be decoded. If a buffer may be several of them, the first wins. */
export const UAPI_STRUCTURES: readonly UapiStructure[] = [
  VFIO_IOMMU_TYPE1_INFO,
  VFIO_IOMMU_TYPE1_INFO_2017,
  VFIO_IOMMU_TYPE1_INFO_2016,
  IOMMU_DEVICE_INFO,
  ...IOMMUFD_STRUCTURES,
  ...HARDWARE_STRUCTURES,
];

/** A structure that a buffer may be. */
export interface Candidate {
  readonly name: string;
  readonly endian: Endian;
}

export interface DecodedBuffer {
  readonly structure: string;
  readonly endian: Endian;
  /** Every byte of the buffer in fields; each problem is at its field. */
  readonly root: UapiNode;
  /** All problems, in the order of the tree. */
  readonly problems: readonly UapiProblem[];
  /** What else the bytes may be, the best first; empty if nothing else, or if the structure was named. */
  readonly others: readonly Candidate[];
  /** Its ranges in order, without reversed ones; `rangesAre` says what they are. */
  readonly ranges: readonly IovaRange[];
  readonly rangesAre: 'valid' | 'reserved' | undefined;
  /** Bit n set: pages of 2^n bytes. Absent if the structure does not have them. */
  readonly pageSizes: bigint | undefined;
}

export type DecodeResult =
  | { readonly ok: true; readonly decoded: DecodedBuffer }
  | { readonly ok: false; readonly error: DecodeError };

export interface DecodeError {
  readonly code: 'empty' | 'unknown-structure' | 'not-recognized';
  /** One sentence without its full stop. */
  readonly message: string;
}

export interface DecodeOptions {
  /** Name of the structure; detected from the contents if left out. */
  readonly struct?: string;
  /** Byte order; auto-detected if left out, little-endian if both or neither fit. */
  readonly endian?: Endian;
}

interface Attempt {
  readonly structure: UapiStructure;
  readonly endian: Endian;
  readonly root: UapiNode;
  readonly problems: readonly UapiProblem[];
}

function attempt(structure: UapiStructure, bytes: Uint8Array, endian: Endian): Attempt {
  const root = structure.decode(bytes, endian);
  return { structure, endian, root, problems: problemsOf(root) };
}

/** 2: it fits; 1: it may be that, truncated or corrupt; 0: it is not. */
function quality({ structure, root, problems }: Attempt): number {
  if (problems.length === 0 && structure.fits(root)) return 2;
  return structure.resembles?.(root) ? 1 : 0;
}

/** The structures that a buffer may be by its contents, the best first. Never throws. */
function recognize(bytes: Uint8Array, endians: readonly Endian[]): Attempt[] {
  const attempts = endians.flatMap((endian) => UAPI_STRUCTURES.map((structure) => attempt(structure, bytes, endian)));
  const best = Math.max(...attempts.map(quality));
  if (best === 0) return [];
  return attempts.filter((a) => quality(a) === best).sort((a, b) => a.problems.length - b.problems.length);
}

function rangesIn(node: UapiNode): IovaRange[] {
  const bound = (name: string) => node.children.find((child) => child.name === name)?.raw;
  const start = bound('start');
  const last = bound('last') ?? bound('end');
  if (start !== undefined && last !== undefined && start <= last) return [range(start, last)];
  return node.children.flatMap(rangesIn);
}

function report({ structure, endian, root, problems }: Attempt, others: readonly Attempt[]): DecodedBuffer {
  const sizes = root.children.find(({ name }) => name === 'iova_pgsizes' || name === 'pgsize_bitmap')?.raw;
  return {
    structure: structure.name,
    endian,
    root,
    problems,
    others: others.map((other) => ({ name: other.structure.name, endian: other.endian })),
    ranges: structure.ranges ? rangesIn(root) : [],
    rangesAre: structure.ranges,
    pageSizes: sizes,
  };
}

/**
 * Decodes a buffer as far as it is intact; what is wrong is in the tree as a problem. It fails only for an empty buffer,
 * an unknown name, and bytes that fit no structure. Never throws.
 */
export function decodeBuffer(bytes: Uint8Array, options: DecodeOptions = {}): DecodeResult {
  if (bytes.length === 0) return { ok: false, error: { code: 'empty', message: 'the buffer is empty' } };
  const endians: readonly Endian[] = options.endian ? [options.endian] : ['little', 'big'];
  if (options.struct !== undefined) {
    const structure = UAPI_STRUCTURES.find(({ name }) => name === options.struct);
    if (!structure) {
      const names = UAPI_STRUCTURES.map(({ name }) => name).join(', ');
      const message = `unknown structure '${options.struct}'; known: ${names}`;
      return { ok: false, error: { code: 'unknown-structure', message } };
    }
    const attempts = endians.map((endian) => attempt(structure, bytes, endian));
    const fewest = attempts.toSorted((a, b) => quality(b) - quality(a) || a.problems.length - b.problems.length)[0];
    return { ok: true, decoded: report(fewest ?? attempt(structure, bytes, 'little'), []) };
  }
  const [best, ...others] = recognize(bytes, endians);
  if (best) return { ok: true, decoded: report(best, others) };
  const message = `the ${counted(bytes.length, 'byte')} fit no known structure; name the structure to decode them as`;
  return { ok: false, error: { code: 'not-recognized', message } };
}
