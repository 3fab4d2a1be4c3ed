// `lspci -t`, with -v or -nn: which devices are behind which bridges.
//
//   line   = marks node                             a mark is the column of "+" or "\" under which the bus is listed
//   node   = "[" domain ":" bus ["-" bus] "]" tail  a root bus
//          | dev "." fn ["-" "[" bus ["-" bus] "]" tail | blank blank name]
//   tail   = 1*"-" ["+-" | "\-"] node | nothing
//
//     -[0000:00]-+-00.0  Host bridge                a name is there with -v, ids in brackets with -nn
//                +-01.0-[01]--+-00.0  Graphics
//                |            \-00.1  Audio
//                \-1f.6  Ethernet
//
// A bridge is known by the bus behind it. (ls-tree.c of pciutils 2.2 to 3.13.)
import { normalizePciAddress } from '../../fields/pci-address.ts';
import type { DumpLine, DumpSource, FactSink, LineParser, LineReader } from '../../format.ts';
import { deviceFact } from './device-fact.ts';
import { splitName } from './device-label.ts';

const ROOT = /^-?[+\\]?-\[[0-9a-f]{4,8}:[0-9a-f]{2}(?:-[0-9a-f]{2})?\]/i;
const BRANCH = /^[| ]*[+\\]-(?:\[[0-9a-f]{4,8}:|[0-9a-f]{2}\.[0-7])/i;
const ROOT_BUS = /^\[([0-9a-f]{4,8}):([0-9a-f]{2})(?:-[0-9a-f]{2})?\]/i;
const DEVICE = /^([0-9a-f]{2}\.[0-7])/i;
const BEHIND = /^-\[(?:[0-9a-f]{4,8}:)?([0-9a-f]{2})(?:-[0-9a-f]{2})?\]/i;
const DEPTH_MAX = 64;
/** Of a bus in brackets with the dash before it, `-[03-07]`. */
const BUS_LENGTH = 8;

interface Bus {
  /** Of the mark under which its devices are listed. */
  readonly column: number;
  /** `0000:01`. */
  readonly bus: string;
  /** The bridge that leads to it. */
  readonly bridge: string | undefined;
}

class LspciTreeReader implements LineReader {
  readonly #sink: FactSink;
  #buses: Bus[] = [];
  /** Characters before the tree in each line. */
  #prefix = 0;

  constructor(sink: FactSink) {
    this.#sink = sink;
  }

  line(line: DumpLine): number {
    if (line.prompt) this.#buses = [];
    const bare = line.text.trimStart();
    const isRoot = ROOT.test(bare);
    // The columns count, and the cleaning takes a `|` for a mark of quotation: what it takes off the first line is
    // taken off the others too.
    if (/^-[[+]/.test(bare)) this.#prefix = Math.max(0, line.raw.indexOf(bare) - (line.text.length - bare.length));
    const text = line.raw.slice(this.#prefix);
    if (!isRoot && !(this.#buses.length > 0 && BRANCH.test(text))) return 0;
    if (/^-[[+]/.test(bare)) this.#buses = [];
    const column = text.search(/[+\\]/);
    const start = isRoot ? text.indexOf('[') : column + 2;
    if (isRoot) return this.#walk(text, start, undefined, line) ? 1 : 0;
    while ((this.#buses.at(-1)?.column ?? -1) > column) this.#buses.pop();
    const bus = this.#buses.at(-1);
    return bus?.column === column && this.#walk(text, start, bus, line) ? 1 : 0;
  }

  /** Reads the nodes from a place of the line on. True if there is one. */
  #walk(text: string, from: number, above: Bus | undefined, line: DumpLine): boolean {
    let at = from;
    let bus = above;
    let isAny = false;
    for (let depth = 0; depth < DEPTH_MAX; depth++) {
      const rest = text.slice(at);
      const root = ROOT_BUS.exec(rest);
      const device = root ? null : DEVICE.exec(rest);
      let bridge: string | undefined;
      if (root) {
        bus = { column: -1, bus: `${root[1]}:${root[2]}`, bridge: undefined };
        at += root[0].length;
      } else if (device && bus) {
        const address = normalizePciAddress(`${bus.bus}:${device[1]}`);
        if (address === undefined) return isAny;
        at += 4;
        const behind = BEHIND.exec(text.slice(at));
        if (!behind && /^-./.test(text.slice(at))) {
          // A bridge whose bus is cut or masked: the device that follows is not on this bus.
          this.#sink.diagnostic('damaged-number', { numbers: [text.slice(at, at + BUS_LENGTH)], text }, line.number);
          return true;
        }
        if (!behind) {
          this.#device(address, text.slice(at), bus, line);
          return true;
        }
        bridge = address;
        this.#sink.fact(deviceFact(address, { class: 'PCI bridge', parent: bus.bridge }), line.number);
        bus = { column: -1, bus: `${bus.bus.split(':')[0]}:${behind[1]}`, bridge };
        at += behind[0].length;
      } else return isAny;
      isAny = true;
      // Dashes, then a mark if there are several devices, then the first of them.
      const dashes = /^-+/.exec(text.slice(at))?.[0].length ?? 0;
      if (dashes === 0) return true;
      at += dashes;
      if (/^[+\\]-/.test(text.slice(at))) {
        bus = { ...bus, column: at };
        this.#buses.push(bus);
        at += 2;
      }
      if (text.charAt(at) === '-') at++;
    }
    return isAny;
  }

  #device(address: string, label: string, { bridge }: Bus, line: DumpLine): void {
    const { name, ids } = splitName(label);
    this.#sink.fact(deviceFact(address, { name, ids, parent: bridge }), line.number);
  }
}

export const LSPCI_TREE: LineParser = {
  open: (_source: DumpSource, sink) => new LspciTreeReader(sink),
};
