/** Segment that names a program's dynamic linker (ELF specification, "Program Header"). */
const PT_INTERP = 3;
const ELF_MAGIC = 0x7f454c46;
const CLASS_64 = 2;

/**
 * The program headers' types of a 64-bit little-endian ELF program, in order. Throws if the bytes are something else.
 */
export function segmentTypes(program: Uint8Array): number[] {
  const view = new DataView(program.buffer, program.byteOffset, program.byteLength);
  if (view.getUint32(0) !== ELF_MAGIC || view.getUint8(4) !== CLASS_64 || view.getUint8(5) !== 1) {
    throw new Error('expected a 64-bit little-endian ELF file');
  }
  const table = Number(view.getBigUint64(0x20, true));
  const [size, count] = [view.getUint16(0x36, true), view.getUint16(0x38, true)];
  return Array.from({ length: count }, (_, i) => view.getUint32(table + i * size, true));
}

/** True if a program needs a dynamic linker to start: a static one has no PT_INTERP segment. */
export function hasInterpreter(program: Uint8Array): boolean {
  return segmentTypes(program).includes(PT_INTERP);
}
