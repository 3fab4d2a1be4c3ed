// The trace events of the kernel's DMA API, which name the device, since Linux 6.12:
//
//   [prefix] [time ":"] ["dma:"] event ":" device …
//   dma_map_page, dma_map_phys, dma_map_resource:
//       "dir=" word "dma_addr=" hex "size=" decimal "phys_addr=" hex "attrs=" [words]
//   dma_unmap_page, dma_unmap_phys, dma_unmap_resource:
//       "dir=" word "dma_addr=" hex "size=" decimal "attrs=" [words]
//   dma_alloc, dma_alloc_pages, dma_alloc_sgt:
//       ["dir=" word] "dma_addr=" hex "size=" decimal ["virt_addr=" pointer | "phys_addrs=" list] "flags=" words "attrs=" [words]
//   dma_free, dma_free_pages, dma_free_sgt:
//       ["dir=" word] "dma_addr=" hex "size=" decimal ["virt_addr=" pointer | "phys_addrs=" list] ["attrs=" [words]]
//   dma_map_sg:
//       "dir=" word ["nents=" n "/" n "ents=" n "/" n ["[TRUNCATED]"]] "dma_addrs=" list "sizes=" list "phys_addrs=" list "attrs=" …
//   dma_unmap_sg:
//       "dir=" word "phys_addrs=" list "attrs=" …              no addresses of the device: those of the list's map
//   dma_map_sg_err, dma_alloc_sgt_err                          failures
//   dma_sync_…                                                 change no mapping
//   list = "{" ["0x" hex {"," "0x" hex}] "}"
//
// Addresses have no prefix. An address of all ones, or 0 with a null pointer, is a mapping that failed.
// (include/trace/events/dma.h, Linux 6.12 and newer.)
import type { FactOf } from '../../../session/events.ts';
import type { DumpLine, DumpSource, FactSink, LineParser, LineReader, Lookahead } from '../../format.ts';
import { joinWrapped } from '../../text/wrapped.ts';
import { type DmaEvent, type DmaRange, readDmaEvent } from './dma-event-parser.ts';
import { DMA_SHORTCUT } from './dma-shortcut.ts';

/** Scatter lists that are remembered for their unmap; beyond that the oldest are forgotten. */
const LISTS_MAX = 65_536;
/** An event that looks like one of the DMA API. */
const MARK = /(?:^|[\s:])dma_(?:map|unmap|alloc|free)[a-z_]{0,20}: {1,4}\S{1,128} {1,4}(?:dir|dma_addrs?)=/;

class DmaEventReader implements LineReader {
  readonly #sink: FactSink;
  /** The mapped scatter lists, the oldest first, by device and memory. */
  readonly #lists = new Map<string, readonly DmaRange[]>();
  /** Devices whose addresses are those of memory: reported once for each. */
  readonly #untranslated = new Set<string>();

  constructor(sink: FactSink) {
    this.#sink = sink;
  }

  line(line: DumpLine, ahead: Lookahead): number {
    if (line.prompt || line.elision || !line.text.includes('dma_')) return 0;
    const event = readDmaEvent(line.text, true);
    if (event) return this.#emit(event, line, 1);
    const joined = joinWrapped(line, ahead, 3, (text) => readDmaEvent(text, true));
    if (joined) return this.#emit(joined.value, line, joined.lines);
    // The end of the line may have been left out.
    const cut = readDmaEvent(line.text, false);
    if (cut) return this.#emit(cut, line, 1);
    if (!MARK.test(line.text)) return 0;
    this.#sink.diagnostic('damaged-event', { what: 'trace event', text: line.text }, line.number);
    return 1;
  }

  #emit(event: DmaEvent, line: DumpLine, lines: number): number {
    switch (event.kind) {
      case 'map':
        this.#map(event, line);
        break;
      case 'unmap':
        for (const range of event.ranges) this.#unmap(event, range, line);
        break;
      case 'unmap-list':
        this.#unmapList(event, line);
        break;
      case 'failed':
        this.#sink.diagnostic('dma-map-failed', { device: event.device, size: event.size }, line.number);
        break;
      case 'empty':
        this.#sink.diagnostic('empty-range', { what: event.op, start: event.start }, line.number);
        break;
      case 'damaged':
        this.#sink.diagnostic(
          'damaged-event',
          { what: 'trace event', text: line.text, reason: event.reason },
          line.number,
        );
        break;
      case 'other':
        this.#sink.recognized();
        break;
    }
    return lines;
  }

  #map({ device, time, ranges, list, isCut }: DmaEvent & { readonly kind: 'map' | 'unmap' }, line: DumpLine): void {
    for (const { start, last, paddr } of ranges) {
      const fact: FactOf<'map'> = { kind: 'map', start, last, device, origin: 'ftrace' };
      if (paddr !== undefined) fact.paddr = paddr;
      if (time !== undefined) fact.time = time;
      this.#sink.fact(fact, line.number);
      if (paddr === start && !this.#untranslated.has(device)) {
        this.#untranslated.add(device);
        this.#sink.diagnostic('dma-untranslated', { device }, line.number);
      }
    }
    if (isCut) this.#sink.diagnostic('dma-list-cut', { device }, line.number);
    if (list === undefined) return;
    const key = `${device} ${list}`;
    this.#lists.delete(key);
    this.#lists.set(key, ranges);
    if (this.#lists.size <= LISTS_MAX) return;
    for (const oldest of this.#lists.keys()) {
      this.#lists.delete(oldest);
      break;
    }
  }

  #unmap(
    { device, time }: { readonly device: string; readonly time: number | undefined },
    { start, last }: DmaRange,
    line: DumpLine,
  ): void {
    const fact: FactOf<'unmap'> = { kind: 'unmap', start, last, device, origin: 'ftrace' };
    if (time !== undefined) fact.time = time;
    this.#sink.fact(fact, line.number);
  }

  #unmapList(event: DmaEvent & { readonly kind: 'unmap-list' }, line: DumpLine): void {
    const key = `${event.device} ${event.list}`;
    const ranges = this.#lists.get(key);
    if (!ranges) {
      this.#sink.diagnostic('dma-unmap-without-map', { device: event.device }, line.number);
      return;
    }
    this.#lists.delete(key);
    for (const range of ranges) this.#unmap(event, range, line);
  }
}

export const DMA_EVENTS: LineParser = {
  shortcut: DMA_SHORTCUT,
  open: (_source: DumpSource, sink) => new DmaEventReader(sink),
};
