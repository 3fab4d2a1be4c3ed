// Capability chains: blocks after a structure, each with a header that links to the next.
import { hex } from '../iova/format.ts';
import { decodeStruct, encodeStruct, type StructLayout, sizeOfLayout } from './layout.ts';
import type { Endian, UapiNode, UapiProblem } from './node.ts';

/** Source: Linux 4.6, struct vfio_info_cap_header. `next` counts from the start of the buffer; 0 ends the chain. */
export const CAPABILITY_HEADER = {
  name: 'vfio_info_cap_header',
  fields: [
    { name: 'id', width: 2, format: 'decimal' },
    { name: 'version', width: 2, format: 'decimal' },
    {
      name: 'next',
      width: 4,
      meaning: (next) => (next === 0n ? 'the last capability' : `offset of the next capability`),
    },
  ],
} as const satisfies StructLayout<'id' | 'version' | 'next'>;

/** Capabilities start at multiples of this. Source: Linux 6.6, vfio_info_cap_add. */
export const CAPABILITY_ALIGNMENT = 8;
/** VFIO_IOMMU_TYPE1_INFO_DMA_AVAIL: kernels before 6.6 put the next capability directly behind its 12 bytes. */
const UNPADDED = { id: 3, size: 12 } as const;

export const CAPABILITY_HEADER_SIZE = sizeOfLayout(CAPABILITY_HEADER);

/** One block of a chain. */
export interface Capability {
  readonly offset: number;
  /** Offset after its body: where the next one starts, or the buffer ends. */
  readonly end: number;
  readonly id: number;
  readonly version: number;
  /** The header's fields. */
  readonly header: readonly UapiNode[];
  /** Problems of its offset and its link. */
  readonly problems: readonly UapiProblem[];
}

export interface CapabilityChain {
  readonly capabilities: readonly Capability[];
  /** A problem of the link to the first capability. */
  readonly problem: UapiProblem | undefined;
}

/**
 * Follows a chain as far as it is intact: to its end, to a link out of the buffer, or to a capability for the second time.
 *
 * @param first offset of the first capability; 0: none
 * @param linkOffset offset of the field that links to it
 * @param from offset after the structure: no capability starts before it
 * @param limit offset after the last byte of the answer, at most bytes.length
 */
export function walkCapabilities(
  bytes: Uint8Array,
  endian: Endian,
  first: number,
  linkOffset: number,
  from: number,
  limit: number = bytes.length,
): CapabilityChain {
  const found: { offset: number; next: number; id: number; version: number; header: readonly UapiNode[] }[] = [];
  const linkProblems = new Map<number, UapiProblem>();
  const seen = new Set<number>();
  let link = linkOffset;
  for (let offset = first; offset !== 0; ) {
    const problem = linkProblem(offset, from, limit, seen);
    if (problem) {
      linkProblems.set(link, { ...problem, offset: link });
      break;
    }
    seen.add(offset);
    const header = decodeStruct(CAPABILITY_HEADER, bytes, offset, endian, limit);
    const { id = 0n, version = 0n, next = 0n } = header.values;
    found.push({ offset, next: Number(next), id: Number(id), version: Number(version), header: header.nodes });
    link = offset + 4;
    offset = Number(next);
  }

  // A chain may be linked in any order: a capability ends where the next one in memory starts.
  const starts = [...seen].sort((a, b) => a - b);
  const rank = new Map(starts.map((start, i) => [start, i]));
  const capabilities = found.map(({ offset, id, version, header }): Capability => {
    const i = rank.get(offset) ?? 0;
    const before = starts[i - 1] ?? -CAPABILITY_HEADER_SIZE;
    const end = Math.max(starts[i + 1] ?? limit, offset + CAPABILITY_HEADER_SIZE);
    const problems: UapiProblem[] = [];
    const isPacked = found.some((other) => other.id === UNPADDED.id && other.offset + UNPADDED.size === offset);
    if (offset % CAPABILITY_ALIGNMENT !== 0 && !isPacked) {
      const message = `the capability at offset ${hex(BigInt(offset))} is not aligned to ${CAPABILITY_ALIGNMENT} bytes`;
      problems.push({ code: 'link-unaligned', offset, message });
    }
    if (offset < before + CAPABILITY_HEADER_SIZE) {
      problems.push({
        code: 'capability-overlap',
        offset,
        message: 'the capability overlaps the header of another',
      });
    }
    const broken = linkProblems.get(offset + 4);
    if (broken) problems.push(broken);
    return { offset, end, id, version, header, problems };
  });
  return { capabilities, problem: linkProblems.get(linkOffset) };
}

function linkProblem(
  offset: number,
  from: number,
  limit: number,
  seen: ReadonlySet<number>,
): Omit<UapiProblem, 'offset'> | undefined {
  const where = `offset ${hex(BigInt(offset))}`;
  if (seen.has(offset)) return { code: 'link-loop', message: `the chain loops back to ${where}` };
  if (offset < from) return { code: 'link-outside', message: `the link points into the structure itself, to ${where}` };
  if (offset + CAPABILITY_HEADER_SIZE <= limit) return undefined;
  return {
    code: 'link-outside',
    message: `the link points to ${where}; the buffer ends at ${hex(BigInt(limit))}`,
  };
}

/** What follows the header of a capability of version 1. */
export interface CapabilityBody {
  readonly id: number;
  readonly body: Uint8Array;
}

/** A chain for offset `at`, a multiple of 8, in the given order; each capability starts at a multiple of 8. */
export function encodeCapabilities(
  blocks: readonly CapabilityBody[],
  at: number,
  endian: Endian,
  alignment = CAPABILITY_ALIGNMENT,
): Uint8Array {
  const places: number[] = [];
  let size = 0;
  for (const { body } of blocks) {
    places.push(size);
    size += CAPABILITY_HEADER_SIZE + body.length;
    size += -size & (alignment - 1);
  }
  const bytes = new Uint8Array(size);
  for (const [i, { id, body }] of blocks.entries()) {
    const place = places[i] ?? 0;
    const next = places[i + 1];
    const link = next === undefined ? 0n : BigInt(at + next);
    bytes.set(encodeStruct(CAPABILITY_HEADER, { id: BigInt(id), version: 1n, next: link }, endian), place);
    bytes.set(body, place + CAPABILITY_HEADER_SIZE);
  }
  return bytes;
}
