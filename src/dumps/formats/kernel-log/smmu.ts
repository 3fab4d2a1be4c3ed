// Faults of the ARM SMMU in kernel logs.
//
// Version 3, raw: four quadwords of the event, each on a line with the same prefix.
//   prefix "event 0x" nn " received:"        prefix = driver name ":" | "SMMUv3: /node:" (Xen)
//   4*(prefix "0x" 16*hexdigit)              event and stream; flags; input address; intermediate address
// and, in newer kernels, decoded. Directly below its quadwords it is the same fault:
//   prefix "event:" name "client:" device "sid:" hex "ssid:" hex ["iova:" hex "ipa:" hex]
//   prefix priv type access stage …          access = "read" | "write"
// Version 2:
//   prefix "Unhandled context fault:" [key "=" value ","] …      keys: fsr, iova, fsynr, cbfrsynra, cb
//
// Events with other numbers than those below have no input address: no fact.
// (arm_smmu_handle_event and arm_smmu_context_fault in drivers/iommu/arm; SMMU architecture, IHI 0070, event records.)

import type { Iova } from '../../../iova/iova.ts';
import type { FactOf } from '../../../session/events.ts';
import { parseHexAddress } from '../../fields/address.ts';
import { normalizeLoggedDevice } from '../../fields/device-name.ts';
import { faultAccess } from '../../fields/fault-access.ts';
import type { DumpLine, DumpSource, FactSink, LineParser, LineReader, Lookahead } from '../../format.ts';
import { timeOf } from '../../text/log-time.ts';
import { type Matched, matchLongest } from '../../text/match-longest.ts';
import { continuation } from '../../text/wrapped.ts';

const HEX = '0x[0-9a-fA-F]{1,64}';
const RAW = /\bevent 0x([0-9a-f]{1,4}) received:?$/i;
const QUADWORD = /(?:^|[\s:])0x([0-9a-f]{1,16})$/i;
const DECODED = new RegExp(
  `\\bevent: ([A-Z][A-Z0-9_]{2,40}) client: (\\([^)]{1,40}\\)|[^\\s()]{1,80}) sid: ?(${HEX}) ssid: ?(${HEX})(?: iova: ?(${HEX}) ipa:)?`,
);
const DECODED_ADDRESS = new RegExp(DECODED.source.replace(/\?$/, ''));
const EVENT = /\bevent: [A-Z]/;
/** An address that was cut, or is no number. */
const NO_ADDRESS = /\bssid: \S{1,40} iova\b/;
const ADDRESSED = /^F_(?:UUT|TRANSL_FORBIDDEN|WALK_EABT|TRANSLATION|ADDR_SIZE|ACCESS|PERMISSION|TLB_CONFLICT)$/;
const ACCESS = /\b(?:un)?priv (?:data|instr?u?c?t?i?o?n?) (read|write)\b/;
const CONTEXT = new RegExp(
  `Unhandled context fault: ?((?:[a-z0-9]{1,12}= ?${HEX}, ?)?)iova= ?(${HEX}), ?fsynr0?= ?(${HEX})(?!\\w)`,
);
const SHORT_CONTEXT = new RegExp(`Unhandled context fault: ?((?:[a-z0-9]{1,12}= ?${HEX}, ?)?)iova= ?(${HEX}),()`);

const HEX_REST = /^[0-9a-f]{1,15}$/i;

/** Events with an input address. */
const EVENTS = new Map([
  [0x01, 'F_UUT'],
  [0x07, 'F_TRANSL_FORBIDDEN'],
  [0x0b, 'F_WALK_EABT'],
  [0x10, 'F_TRANSLATION'],
  [0x11, 'F_ADDR_SIZE'],
  [0x12, 'F_ACCESS'],
  [0x13, 'F_PERMISSION'],
  [0x20, 'F_TLB_CONFLICT'],
]);
/** In the first quadword: there is a substream; in the second: the access was a read. */
const SUBSTREAM_VALID = 1n << 11n;
const READ = 1n << 35n;
/** In fsynr of version 2: the access was a write. */
const NOT_READ = 1n << 4n;
/** Bits of fsr of version 2. */
const STATUS: readonly [bit: bigint, text: string][] = [
  [1n << 1n, 'translation fault'],
  [1n << 2n, 'access flag fault'],
  [1n << 3n, 'permission fault'],
  [1n << 4n, 'external fault'],
];

class KernelLogSmmuReader implements LineReader {
  readonly #sink: FactSink;
  /** The last event in quadwords, and the index of the line below them. */
  #raw: { readonly sid: bigint; readonly address: bigint; readonly below: number } | undefined;

  /** An event whose last quadword follows. */
  #pending: { readonly fact: FactOf<'fault'>; readonly line: number; readonly index: number } | undefined;

  constructor(sink: FactSink) {
    this.#sink = sink;
  }

  line(line: DumpLine, ahead: Lookahead): number {
    if (line.elision || line.prompt) return 0;
    return (
      this.#last(line, ahead) || this.#recorded(line, ahead) || this.#decoded(line, ahead) || this.#context(line, ahead)
    );
  }

  #recorded(line: DumpLine, ahead: Lookahead): number {
    const event = RAW.exec(line.text)?.[1];
    if (event === undefined) return 0;
    const read = readQuadwords(line, ahead);
    const [first, second, address] = read.words;
    if (first === undefined || second === undefined || address === undefined) {
      this.#sink.diagnostic('damaged-fault', { text: line.text }, line.number);
      return read.lines;
    }
    const name = EVENTS.get(Number.parseInt(event, 16));
    if (name === undefined) return read.lines;
    const sid = first >> 32n;
    const fact: FactOf<'fault'> = {
      kind: 'fault',
      address,
      device: `sid:0x${sid.toString(16)}`,
      access: faultAccess((second & READ) === 0n),
      reason: name,
      driver: 'smmu-v3',
      ...((first & SUBSTREAM_VALID) === 0n ? {} : { pasid: Number((first >> 12n) & 0xfffffn) }),
      ...timeOf(line),
    };
    this.#raw = { sid, address, below: line.index + read.lines };
    if (read.words.length < 4 || read.lines !== 5) {
      this.#sink.fact(fact, line.number);
      return read.lines;
    }
    // The decoded form is too far ahead: it can be seen from the last quadword.
    this.#pending = { fact, line: line.number, index: line.index + 4 };
    return 4;
  }

  #last(line: DumpLine, ahead: Lookahead): number {
    const pending = this.#pending;
    this.#pending = undefined;
    if (pending?.index !== line.index) return 0;
    const found = matchDecoded(ahead(1), (n) => ahead(n + 1));
    const [, , client = '(', stream, , iova] = found?.match ?? [];
    const same = parseHexAddress(iova) === pending.fact.address && parseHexAddress(stream) === this.#raw?.sid;
    if (same && !client.startsWith('(')) pending.fact.device = normalizeLoggedDevice(client);
    this.#sink.fact(pending.fact, pending.line);
    return 1;
  }

  #decoded(line: DumpLine, ahead: Lookahead): number {
    const found = matchDecoded(line, ahead);
    if (!found) return 0;
    const [, name = '', client = '', stream, substream, iova] = found.match;
    const address = parseHexAddress(iova);
    const sid = parseHexAddress(stream);
    if (address === undefined && ADDRESSED.test(name) && NO_ADDRESS.test(found.match.input)) {
      this.#sink.diagnostic('damaged-fault', { text: line.text }, line.number);
    }
    if (address === undefined || sid === undefined || !ADDRESSED.test(name)) return found.lines;
    const raw = this.#raw;
    this.#raw = undefined;
    if (raw?.below === line.index && raw.sid === sid && raw.address === address) return found.lines;
    let access: string | undefined;
    for (let n = found.lines; n <= found.lines + 1; n++) access ??= ACCESS.exec(ahead(n)?.text ?? '')?.[1];
    const pasid = parseHexAddress(substream) ?? 0n;
    this.#sink.fact(
      {
        kind: 'fault',
        address,
        device: client.startsWith('(') ? `sid:0x${sid.toString(16)}` : normalizeLoggedDevice(client),
        ...(access === undefined ? {} : { access }),
        reason: name,
        driver: 'smmu-v3',
        // The kernel also prints zero if there is none.
        ...(pasid === 0n ? {} : { pasid: Number(pasid) }),
        ...timeOf(line),
      },
      line.number,
    );
    return found.lines;
  }

  #context(line: DumpLine, ahead: Lookahead): number {
    const start = /Unhandled(?: context)?$|context fault/;
    const found =
      matchLongest(line, ahead, start, [CONTEXT], HEX_REST) ?? matchLongest(line, ahead, start, [SHORT_CONTEXT]);
    const address = parseHexAddress(found?.match[2]);
    if (!found || address === undefined) {
      if (!/context fault:.{0,60}\biova= ?\S/.test(line.text)) return 0;
      this.#sink.diagnostic('damaged-fault', { text: line.text }, line.number);
      return 1;
    }
    const joined = found.match.input;
    // The fields after the address may be on the next line.
    const rest = /cb= ?\w+/.test(joined) ? '' : (continuation(line, ahead, found.lines)?.text.trim() ?? '');
    const more = /^(?:[a-z0-9]{0,12}=?\w{1,20},? ?){1,4}$/i.test(rest) && /\bcb=/.test(rest);
    const status = /\bfsr= ?(0x[0-9a-f]{1,8})/i.exec(joined)?.[1];
    const bits = parseHexAddress(status) ?? 0n;
    const syndrome = parseHexAddress(found.match[3] === '' ? undefined : found.match[3]);
    const names = STATUS.filter(([bit]) => (bits & bit) !== 0n).map(([, text]) => text);
    const reason = [...names, ...(status === undefined ? [] : [`fsr=${status}`])].join(', ');
    const sid = parseHexAddress(/cbfrsynra= ?(0x[0-9a-f]{1,8})/i.exec(`${joined} ${rest}`)?.[1]);
    this.#sink.fact(
      {
        kind: 'fault',
        address,
        ...(sid === undefined ? {} : { device: `sid:0x${sid.toString(16)}` }),
        ...(syndrome === undefined ? {} : { access: faultAccess((syndrome & NOT_READ) !== 0n) }),
        reason: reason || 'context fault',
        driver: 'smmu-v2',
        ...timeOf(line),
      },
      line.number,
    );
    return found.lines + (more ? 1 : 0);
  }
}

function matchDecoded(line: DumpLine | undefined, ahead: Lookahead): Matched | undefined {
  if (!line || !EVENT.test(line.text)) return undefined;
  return matchLongest(line, ahead, EVENT, [DECODED_ADDRESS], HEX_REST) ?? matchLongest(line, ahead, EVENT, [DECODED]);
}

/** The quadwords below an event, up to four; one that a mail program broke is joined. */
function readQuadwords(line: DumpLine, ahead: Lookahead): { words: Iova[]; lines: number } {
  const words: Iova[] = [];
  let lines = 1;
  while (words.length < 4) {
    const next = continuation(line, ahead, lines);
    let digits = QUADWORD.exec(next?.text ?? '')?.[1];
    if (digits === undefined) break;
    lines++;
    const rest = digits.length < 16 ? continuation(line, ahead, lines)?.text.trim() : undefined;
    if (rest !== undefined && /^[0-9a-f]+$/i.test(rest) && digits.length + rest.length === 16) {
      digits += rest;
      lines++;
    }
    const word = parseHexAddress(digits);
    if (word !== undefined) words.push(word);
  }
  return { words, lines };
}

export const KERNEL_LOG_SMMU: LineParser = {
  open: (_source: DumpSource, sink) => new KernelLogSmmuReader(sink),
};
