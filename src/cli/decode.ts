import { type DecodedBuffer, decodeBuffer, UAPI_STRUCTURES } from '../uapi/decode-buffer.ts';
import { readHexDump } from '../uapi/hex/hex-dump.ts';
import type { Endian, UapiNode } from '../uapi/node.ts';
import { parseCommandArgs } from './args.ts';
import { inputName, readInput } from './input.ts';
import { type CliIo, type Command, type ExitCode, unusable } from './io.ts';

const NAME_WIDTH = Math.max(...UAPI_STRUCTURES.map(({ name }) => name.length));

const HELP = `usage: iovascope decode [FILE] [--struct NAME] [--endian little or big]

Decodes a buffer of the kernel's UAPI, from a hex dump (xxd, hexdump, od, gdb's x/32xb, a C
array, plain digits) or from its raw bytes; without FILE or with - from standard input. Prints
every field: offset, bytes, name, value and meaning. Each problem in the buffer is marked with
"!", and decoding continues as far as possible.

  --struct NAME   the structure; default: auto-detected
  --endian E      byte order of the machine; default: auto-detected

Structures:
${UAPI_STRUCTURES.map(({ name, title }) => `  ${name.padEnd(NAME_WIDTH)}  ${title}`).join('\n')}

Exit code 0: done; 1: done, but the buffer has problems; 2: usage error or unusable input.`;

/** Bytes in one line of the table. */
const BYTES_A_LINE = 8;
const BYTES_WIDTH = BYTES_A_LINE * 3 - 1;
/** The longest hex dump in bytes of text: a buffer of an ioctl is a few KiB, a gigabyte is another file. */
const DUMP_MAX = 2 ** 26;

/** Longer values, those of raw bytes, are in the column of bytes already. */
const LONGEST_VALUE = 18;

interface Row {
  readonly offset: string;
  readonly bytes: string;
  readonly field: string;
  readonly value: string;
  readonly meaning: string;
}

function hexBytes(bytes: Uint8Array): string {
  return [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join(' ');
}

function* rowsOf(node: UapiNode, bytes: Uint8Array, depth: number): Generator<Row | string> {
  const { name, offset, size, bits, value = '', meaning = '', children, problems } = node;
  const field = '  '.repeat(depth) + name;
  const place = offset.toString(16).padStart(4, '0');
  const isGroup = !bits && children.some((child) => !child.bits);
  if (bits) {
    const range = bits.high === bits.low ? `bit ${bits.low}` : `bits ${bits.high}:${bits.low}`;
    yield { offset: '', bytes: range, field, value, meaning };
  } else {
    const own = bytes.subarray(offset, offset + size);
    const first = isGroup ? '' : hexBytes(own.subarray(0, BYTES_A_LINE));
    yield { offset: place, bytes: first, field, value: value.length > LONGEST_VALUE ? '' : value, meaning };
    for (let at = BYTES_A_LINE; !isGroup && at < size; at += BYTES_A_LINE) {
      const more = hexBytes(own.subarray(at, at + BYTES_A_LINE));
      yield { offset: (offset + at).toString(16).padStart(4, '0'), bytes: more, field: '', value: '', meaning: '' };
    }
  }
  for (const problem of problems)
    yield `! ${problem.code} at ${problem.offset.toString(16).padStart(4, '0')}: ${problem.message}`;
  for (const child of children) yield* rowsOf(child, bytes, depth + 1);
}

function table({ structure, endian, root }: DecodedBuffer, bytes: Uint8Array): string {
  const title = UAPI_STRUCTURES.find(({ name }) => name === structure)?.title ?? '';
  const lines = [`${structure}: ${title}`, `${bytes.length} bytes, ${endian}-endian`, ''];
  const rows = [
    { offset: 'offset', bytes: 'bytes', field: 'field', value: 'value', meaning: 'meaning' },
    ...root.problems.map(
      ({ code, offset, message }) => `! ${code} at ${offset.toString(16).padStart(4, '0')}: ${message}`,
    ),
    ...root.children.flatMap((child) => [...rowsOf(child, bytes, 0)]),
  ];
  const width = (pick: (row: Row) => string) =>
    Math.max(...rows.map((row) => (typeof row === 'string' ? 0 : pick(row).length)));
  const fieldWidth = width((row) => row.field);
  const valueWidth = width((row) => row.value);
  for (const row of rows) {
    if (typeof row === 'string') {
      lines.push(row);
      continue;
    }
    const columns = [
      row.offset.padEnd(6),
      row.bytes.padEnd(BYTES_WIDTH),
      row.field.padEnd(fieldWidth),
      row.value.padEnd(valueWidth),
      row.meaning,
    ];
    lines.push(columns.join('  ').trimEnd());
  }
  return `${lines.join('\n')}\n`;
}

/** The bytes to decode: the input's own if it is binary, else those of its hex dump. */
function bytesOf(input: Uint8Array, name: string, endian: Endian | undefined, io: CliIo): Uint8Array | string {
  if (input.includes(0)) return input;
  const dump = readHexDump(new TextDecoder().decode(input), endian ? { endian } : {});
  const messages = dump.problems.map(({ line, column, message }) => `${name}:${line}:${column}: ${message}`);
  if (dump.bytes.length === 0) return messages[0] ?? `${name}: no hex digits found`;
  for (const message of messages) io.stderr(`${message}\n`);
  return dump.bytes;
}

async function run(args: readonly string[], io: CliIo): Promise<ExitCode> {
  const parsed = parseCommandArgs(args, { struct: { type: 'string' }, endian: { type: 'string' } });
  if (!parsed.ok) return unusable(io, `decode: ${parsed.message}`);
  const { values, positionals } = parsed;
  const { struct, endian } = values;
  if (positionals.length > 1) return unusable(io, `decode: expected one input, got ${positionals.length}`);
  if (endian !== undefined && endian !== 'little' && endian !== 'big') {
    return unusable(io, `decode: --endian '${endian}': expected little or big`);
  }
  if (struct !== undefined && !UAPI_STRUCTURES.some(({ name }) => name === struct)) {
    const names = UAPI_STRUCTURES.map(({ name }) => name).join(', ');
    return unusable(io, `decode: unknown structure '${struct}'; known: ${names}`);
  }
  const path = positionals[0] ?? '-';
  const read = await readInput(path, io, DUMP_MAX);
  if (!read.ok) return unusable(io, `decode: ${read.message}`);
  const name = inputName(path);
  const bytes = bytesOf(read.bytes, name, endian, io);
  if (typeof bytes === 'string') return unusable(io, `decode: ${bytes}`);
  const result = decodeBuffer(bytes, { ...(struct ? { struct } : {}), ...(endian ? { endian } : {}) });
  if (!result.ok) {
    const known = result.error.code === 'not-recognized' ? ' with --struct; see iovascope help decode' : '';
    return unusable(io, `decode: ${name}: ${result.error.message}${known}`);
  }
  const { decoded } = result;
  if (decoded.others.length > 0) {
    const names = decoded.others.map((other) => `${other.name} (${other.endian}-endian)`).join(', ');
    io.stderr(`${name}: decoded as ${decoded.structure}; could also be ${names}: use --struct to choose\n`);
  }
  io.stdout(table(decoded, bytes));
  return decoded.problems.length > 0 ? 1 : 0;
}

export const DECODE: Command = { help: HELP, run };
