// The address widths of a host's processor: of physical addresses, and of virtual ones. They are not those of its IOMMU.
//
//   "address sizes" ":" n "bits physical," n "bits virtual"       /proc/cpuinfo, once for each processor
//   "Address sizes:" n "bits physical," n "bits virtual"          lscpu
//
// (show_cpuinfo in arch/x86/kernel/cpu/proc.c; util-linux 2.32 and newer.)
import type { DumpLine, DumpSource, FactSink, LineParser, LineReader } from '../format.ts';

const SIZES = /^\s{0,16}address sizes\s{0,40}: {0,60}(\d{2}) bits physical, (\d{2}) bits virtual$/i;
/** Lines of the same output that say which processor it is. */
const OTHER =
  /^\s{0,16}(?:processor|vendor_id|cpu family|model|model name|stepping|microcode|cpu MHz|cache size|physical id|siblings|core id|cpu cores|apicid|initial apicid|fpu|fpu_exception|cpuid level|wp|bugs|bogomips|clflush size|cache_alignment|TLB size)\s{0,24}\t\s{0,4}: ?/;

class CpuReader implements LineReader {
  readonly #sink: FactSink;
  /** Processors of one host have equal widths: each pair once. */
  readonly #seen = new Set<string>();

  constructor(sink: FactSink) {
    this.#sink = sink;
  }

  line(line: DumpLine): number {
    if (line.elision || line.prompt) return 0;
    const [, physical, virtual] = SIZES.exec(line.text) ?? [];
    const [cpuPhysical, cpuVirtual] = [Number(physical), Number(virtual)];
    if (cpuPhysical >= 32 && cpuPhysical <= 64 && cpuVirtual >= 32 && cpuVirtual <= 64) {
      const key = `${cpuPhysical} ${cpuVirtual}`;
      this.#sink.recognized();
      if (this.#seen.has(key)) return 1;
      this.#seen.add(key);
      this.#sink.fact({ kind: 'host', cpu_physical_bits: cpuPhysical, cpu_virtual_bits: cpuVirtual }, line.number);
      return 1;
    }
    return OTHER.test(line.text) ? 1 : 0;
  }
}

export const CPU: LineParser = { open: (_source: DumpSource, sink) => new CpuReader(sink) };
