// How fast text is read to facts: a made-up trace in which every line is an event of an IOMMU, the trace of a host, of which
// one line in twenty is, and a journal in which few are of interest. The text is the same in every run.

import { openInputs } from '../src/dumps/input/open.ts';
import { isFact } from '../src/session/events.ts';
import { numbers } from './numbers.ts';

/** Distinct text; what is read beyond it repeats it. */
const BLOCK_BYTES = 4 * 2 ** 20;
const CHUNK_BYTES = 2 ** 16;

const padded = (value: number) => (value * 0x1000).toString(16).padStart(16, '0');

function traceLine(next: () => number, i: number): string {
  const time = `${Math.floor(i / 1000)}.${String((i % 1000) * 997).padStart(6, '0')}`;
  const start = next() % 2 ** 28;
  const pages = 1 + (next() % 512);
  const ends = `iova=0x${padded(start)} - 0x${padded(start + pages)}`;
  const size = pages * 4096;
  const event =
    i % 3 === 2
      ? `unmap: IOMMU: ${ends} size=${size} unmapped_size=${size}`
      : `map: IOMMU: ${ends} paddr=0x${padded(next())} size=${size}`;
  return `        qemu-kvm-4575    [00${i % 8}] ....... ${time.padStart(12)}: ${event}`;
}

const TASKS = [
  ...['qemu-system-x86-4575', 'CPU 0/KVM-4580', 'CPU 1/KVM-4581', '<idle>-0', 'kworker/0:1H-231', 'vhost-4575-4590'],
  ...['irq/31-nvme0q1-220', 'ksoftirqd/2-28', 'rcu_preempt-14', 'sshd-2211'],
];

const EVENTS: readonly ((next: () => number) => string)[] = [
  (next) =>
    `sched_switch: prev_comm=swapper/${next() % 8} prev_pid=0 prev_prio=120 prev_state=R ==> next_comm=CPU ${next() % 4}/KVM next_pid=${next() % 32768} next_prio=120`,
  (next) => `sched_wakeup: comm=CPU ${next() % 4}/KVM pid=${next() % 32768} prio=120 target_cpu=00${next() % 8}`,
  (next) => `irq_handler_entry: irq=${next() % 64} name=nvme0q${next() % 8}`,
  (next) => `kvm_exit: vcpu ${next() % 4} reason HLT rip 0x${padded(next())} info1 0x0 info2 0x0 intr_info 0x0`,
  (next) => `kvm_entry: vcpu ${next() % 4}, rip 0x${padded(next())}`,
  (next) => `softirq_entry: vec=${next() % 10} [action=NET_RX]`,
  (next) => `block_rq_complete: 259,0 WS () ${next()} + ${next() % 256} [0]`,
  (next) =>
    `mm_page_alloc: page=${padded(next())} pfn=0x${next().toString(16)} order=0 gfp_flags=GFP_HIGHUSER|__GFP_COMP`,
];

function hostTraceLine(next: () => number, i: number): string {
  if (i % 20 === 19) return traceLine(next, i);
  const [, name = '', pid = ''] = /^(.*)-(\d+)$/.exec(TASKS[next() % TASKS.length] ?? '') ?? [];
  const time = `${Math.floor(i / 1000)}.${String((i % 1000) * 997).padStart(6, '0')}`.padStart(12);
  const event = EVENTS[i % EVENTS.length]?.(next) ?? '';
  return `${name.padStart(16)}-${pid.padEnd(7)} [00${i % 8}] d..2. ${time}: ${event}`;
}

const MESSAGES: readonly ((next: () => number) => string)[] = [
  (next) => `pci 0000:${(next() % 256).toString(16).padStart(2, '0')}:00.0: PME# supported from D0 D3hot D3cold`,
  () => 'EXT4-fs (nvme0n1p2): mounted filesystem with ordered data mode. Quota mode: none.',
  (next) => `audit: type=1400 audit(${next()}.123:${next() % 1000}): apparmor="STATUS" operation="profile_load"`,
  (next) => `IPv6: ADDRCONF(NETDEV_CHANGE): eth${next() % 8}: link becomes ready`,
  (next) => `usb 1-${next() % 8}: new high-speed USB device number ${next() % 128} using xhci_hcd`,
  (next) => `perf: interrupt took too long (${next() % 10_000} > 2500), lowering kernel.perf_event_max_sample_rate`,
];

function journalLine(next: () => number, i: number): string {
  const clock = [Math.floor(i / 3600) % 24, Math.floor(i / 60) % 60, i % 60].map((n) => String(n).padStart(2, '0'));
  const stamp = `${Math.floor(i / 100)}.${String(next() % 1_000_000).padStart(6, '0')}`.padStart(12);
  const message =
    i % 50 === 49
      ? `DMAR: [DMA Read NO_PASID] Request device [02:00.0] fault addr 0x${(next() * 0x1000).toString(16)} [fault reason 0x06] PTE Read access is not set`
      : (MESSAGES[i % MESSAGES.length]?.(next) ?? '');
  return `Jan  3 ${clock.join(':')} maple kernel: [${stamp}] ${message}`;
}

function block(line: (next: () => number, i: number) => string): Uint8Array {
  const next = numbers(0x2545f491);
  const lines: string[] = [];
  let length = 0;
  for (let i = 0; length < BLOCK_BYTES; i++) {
    const text = `${line(next, i)}\n`;
    lines.push(text);
    length += text.length;
  }
  return new TextEncoder().encode(lines.join(''));
}

const NOT_COUNTED: ReadonlySet<string> = new Set(['diagnostic', 'host']);

const TEXTS = { 'read-ftrace': traceLine, 'read-host-trace': hostTraceLine, 'read-journal': journalLine };

/** Reads at least `bytes` of each text; one result a text, for one line of JSON. `n` is in bytes, a MB has 10^6. */
export async function measureReading(bytes: number, impl: string, report: (line: object) => void): Promise<void> {
  for (const [bench, line] of Object.entries(TEXTS)) {
    const text = block(line);
    const rounds = Math.max(1, Math.ceil(bytes / text.length));
    const read = async (times: number) => {
      let facts = 0;
      await openInputs(
        [
          {
            name: bench,
            async *stream() {
              for (let round = 0; round < times; round++) {
                for (let at = 0; at < text.length; at += CHUNK_BYTES) yield text.subarray(at, at + CHUNK_BYTES);
              }
            },
          },
        ],
        {
          onEvents: (batch) => {
            // The name of the host is one fact, however often the text is repeated.
            for (const event of batch) if (isFact(event) && !NOT_COUNTED.has(event.kind)) facts++;
          },
        },
      );
      return facts;
    };
    const once = await read(1);
    const begin = performance.now();
    const facts = await read(rounds);
    const seconds = (performance.now() - begin) / 1000;
    if (once === 0 || facts !== once * rounds) throw new Error(`${bench}: ${facts} facts in ${rounds} times ${once}`);
    const n = rounds * text.length;
    report({ bench, n, impl, mb_per_s: Number((n / 1e6 / seconds).toPrecision(3)), facts });
  }
}
