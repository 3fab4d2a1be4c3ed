// ACPI tables about IOMMUs in bytes, as firmware provides them (/sys/firmware/acpi/tables/DMAR, acpidump -b). Little-endian.
//
//   header: 4 signature, 4 length, 1 revision, 1 checksum (the sum of all bytes is 0), 6+8+4+4+4 origin    36 bytes
//   DMAR:  1 address width minus 1, 1 flags, 10 reserved; from 48 on structures of 2 type, 2 length, …
//     0 unit:     1 flags, 1 size, 2 segment, 8 register base; scopes from 16
//     1 region:   2 reserved, 2 segment, 8 base, 8 limit (inclusive); scopes from 24
//     scope:      1 type, 1 length, 2 flags, 1 id, 1 bus, then pairs of device and function
//   IVRS:  4 information, 8 reserved; from 48 on blocks of 1 type, 1 flags, 2 length, …
//     10, 11, 40: 2 device, 2 capability, 8 base, 2 segment        20, 21, 22: 2 device, 2 last device, 2 segment,
//                                                                              6 reserved, 8 start, 8 length
//   IORT:  4 nodes, 4 offset of the first; each 1 type, 2 length, 1 revision, 4 id, 4 mappings, 4 their offset, …
//     2 (root complex): 8 memory, 4 ATS, 4 segment
//     3, 4 (SMMU): 8 base          6 (reserved memory): 4 flags, 4 ranges, 4 their offset
//     range: 8 base, 8 length, 4 reserved       mapping: 4 input, 4 count minus 1, 4 output, 4 reference, 4 flags
//
// (ACPI specification; Intel VT-d, chapter 8; AMD I/O Virtualization, chapter 5; ARM DEN 0049.)
import { type Iova, iova } from '../../../iova/iova.ts';
import type { BinaryParser, DumpSource, FactSink } from '../../format.ts';
import { AcpiFacts, scopeDevice } from './facts.ts';
import { HEADER, LENGTH_MAX, type TableName, tableNameOf } from './signature.ts';

const word = (view: DataView, at: number) => view.getUint16(at, true);
const long = (view: DataView, at: number) => view.getUint32(at, true);
/** Any unsigned number of 64 bits is an address. */
const quad = (view: DataView, at: number) => view.getBigUint64(at, true) as Iova;

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

class Table {
  readonly #view: DataView;
  readonly #sink: FactSink;
  readonly #facts: AcpiFacts;

  constructor(bytes: Uint8Array, sink: FactSink) {
    this.#view = viewOf(bytes);
    this.#sink = sink;
    this.#facts = new AcpiFacts(sink);
  }

  read(name: TableName): void {
    this.#facts.begin();
    if (name === 'IORT') this.#nodes();
    else this.#structures(name);
  }

  /** DMAR and IVRS: structures one after the other. */
  #structures(name: 'DMAR' | 'IVRS'): void {
    const dmar = name === 'DMAR';
    const end = this.#view.byteLength;
    if (dmar && end > HEADER) this.#facts.hostWidth(this.#view.getUint8(HEADER), undefined);
    if (!dmar && end >= HEADER + 4) {
      this.#facts.virtualizationInfo(iova(BigInt(this.#view.getUint32(HEADER, true))), undefined);
    }
    for (let at = 48; at < end; ) {
      const length = at + 4 <= end ? word(this.#view, at + 2) : 0;
      if (length < 4 || at + length > end) {
        this.#truncated(at);
        return;
      }
      const view = new DataView(this.#view.buffer, this.#view.byteOffset + at, length);
      const known = dmar ? this.#remapping(view) : this.#virtualization(view);
      if (!known) this.#short(at);
      at += length;
    }
    if (!dmar && this.#view.getUint32(4, true) === end) this.#facts.endOfDefinitions();
  }

  #remapping(view: DataView): boolean {
    const type = word(view, 0);
    if (type === 0) {
      if (view.byteLength < 16) return false;
      this.#facts.remappingUnit(quad(view, 8), undefined);
    } else if (type === 1) {
      if (view.byteLength < 24) return false;
      this.#facts.reservedRegion(quad(view, 8), quad(view, 16), scopes(view, 24, word(view, 6)), undefined);
    }
    return true;
  }

  #virtualization(view: DataView): boolean {
    const type = view.getUint8(0);
    if (type === 0x10 || type === 0x11 || type === 0x40) {
      if (view.byteLength < 18) return false;
      this.#facts.hardware(word(view, 16), word(view, 4), quad(view, 8), undefined);
      if (type !== 0x10 && view.byteLength >= 40) this.#facts.features(quad(view, 24), quad(view, 32), undefined);
    } else if (type >= 0x20 && type <= 0x22) {
      if (view.byteLength < 32) return false;
      this.#facts.memory(
        {
          type,
          flags: view.getUint8(1),
          device: word(view, 4),
          lastDevice: word(view, 6),
          segment: word(view, 8),
          start: quad(view, 16),
          length: quad(view, 24),
        },
        undefined,
      );
    }
    return true;
  }

  #nodes(): void {
    const end = this.#view.byteLength;
    if (end < HEADER + 8) {
      this.#truncated(HEADER);
      return;
    }
    const count = long(this.#view, HEADER);
    let at = long(this.#view, HEADER + 4);
    for (let i = 0; i < count; i++) {
      const length = at + 16 <= end ? word(this.#view, at + 1) : 0;
      if (length < 16 || at + length > end) {
        this.#truncated(at);
        return;
      }
      if (!this.#node(new DataView(this.#view.buffer, this.#view.byteOffset + at, length))) this.#short(at);
      at += length;
    }
  }

  #node(view: DataView): boolean {
    const type = view.getUint8(0);
    if (type === 3 || type === 4) {
      if (view.byteLength < 24) return false;
      this.#facts.smmu(type === 3 ? 'smmu-v2' : 'smmu-v3', quad(view, 16), undefined);
    } else if (type === 2) {
      if (view.byteLength < 32) return false;
      const mappings = places(view, long(view, 8), long(view, 12)).map((at) => ({
        input: long(view, at),
        count: long(view, at + 4) + 1,
        output: long(view, at + 8),
      }));
      this.#facts.rootComplex(long(view, 28), mappings, undefined);
      return mappings.length === long(view, 8);
    } else if (type === 6) {
      if (view.byteLength < 28) return false;
      const ranges: { base: Iova; length: Iova }[] = [];
      for (const at of places(view, long(view, 20), long(view, 24))) {
        ranges.push({ base: quad(view, at), length: quad(view, at + 8) });
      }
      const streams = places(view, long(view, 8), long(view, 12)).map((at) => long(view, at + 8));
      this.#facts.reservedMemory({ remapping: (long(view, 16) & 1) !== 0, ranges, streams });
      return ranges.length === long(view, 20) && streams.length === long(view, 8);
    }
    return true;
  }

  #truncated(at: number): void {
    this.#sink.diagnostic('acpi-truncated', { at });
  }

  #short(at: number): void {
    this.#sink.diagnostic('acpi-short-structure', { at });
  }
}

/** Offsets of the elements of an array in a node, 20 bytes each, as far as they are inside the node. */
function places(view: DataView, count: number, offset: number): number[] {
  const found: number[] = [];
  for (let i = 0; i < count && offset + (i + 1) * 20 <= view.byteLength; i++) found.push(offset + i * 20);
  return found;
}

function scopes(view: DataView, from: number, segment: number): string[] {
  const devices: string[] = [];
  for (let at = from; at + 6 <= view.byteLength; ) {
    const length = view.getUint8(at + 1);
    if (length < 6 || at + length > view.byteLength) break;
    const path: { device: number; function: number }[] = [];
    for (let hop = at + 6; hop + 2 <= at + length; hop += 2) {
      path.push({ device: view.getUint8(hop), function: view.getUint8(hop + 1) });
    }
    const device = scopeDevice(segment, view.getUint8(at + 5), path);
    if (device !== undefined) devices.push(device);
    at += length;
  }
  return devices;
}

/** Up to `max` bytes of a stream, and how many follow. */
async function gather(stream: AsyncIterable<Uint8Array>, max: number): Promise<{ bytes: Uint8Array; rest: number }> {
  const bytes = new Uint8Array(max);
  let length = 0;
  let rest = 0;
  for await (const piece of stream) {
    const taken = piece.subarray(0, max - length);
    bytes.set(taken, length);
    length += taken.length;
    rest += piece.length - taken.length;
  }
  return { bytes: bytes.subarray(0, length), rest };
}

/** Reads a table in bytes, and says what is wrong with its length or checksum. `rest`: bytes after those that are here. */
export function readAcpiTable(all: Uint8Array, rest: number, sink: FactSink): void {
  const name = tableNameOf(all);
  if (all.length < HEADER || name === undefined) return;
  const length = long(viewOf(all), 4);
  const bytes = all.subarray(0, length);
  if (all.length < length) {
    sink.diagnostic('acpi-truncated', { expected: length, found: all.length });
  } else {
    if (all.length + rest > length) {
      sink.diagnostic('acpi-trailing-bytes', { count: all.length + rest - length });
    }
    let sum = 0;
    for (const byte of bytes) sum = (sum + byte) & 0xff;
    if (sum !== 0) sink.diagnostic('acpi-checksum', {});
  }
  new Table(bytes, sink).read(name);
}

export const ACPI_TABLE: BinaryParser = {
  async read(stream: AsyncIterable<Uint8Array>, _source: DumpSource, sink: FactSink) {
    const { bytes, rest } = await gather(stream, LENGTH_MAX);
    readAcpiTable(bytes, rest, sink);
  },
};
