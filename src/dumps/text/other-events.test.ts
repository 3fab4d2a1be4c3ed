// Events of a trace that are skipped change nothing: neither what is found around them nor what is counted.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { beforeAll, expect, test } from 'vitest';
import type { DumpFormat } from '../format.ts';
import { openInputs } from '../input/open.ts';
import { FORMATS } from '../registry.ts';
import { FUZZ_TIMEOUT, fuzzRuns, inputOf, withParsers } from '../testing/read.ts';
import { OtherEvents } from './other-events.ts';
import { loadForLongTexts } from './shapes.ts';

beforeAll(loadForLongTexts);

const ROOT = fileURLToPath(new URL('../fixtures/', import.meta.url));
const LINES = readdirSync(ROOT, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.txt'))
  .flatMap((name) => readFileSync(join(ROOT, name), 'utf8').split('\n'));
/** Without the fast way of traces. */
const LONG_WAY = withParsers(({ open }) => ({ open }));

async function read(text: string, formats: readonly DumpFormat[], chunk?: number) {
  const facts: unknown[] = [];
  const { sources } = await openInputs([inputOf('x', text, chunk)], {
    formats,
    onEvents: (batch) => facts.push(...batch),
  });
  return { facts, sources };
}

const task = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.constantFrom('  qemu-kvm-4575   ', '  CPU 1/KVM-31  ', '     <idle>-0    ', '  <...>-17  '),
  },
  {
    weight: 4,
    arbitrary: fc.constantFrom('qemu-system-x86-9 ', 'kworker/0:1H-231 ', ' abc-12 ', ' 0x12 msi-1 ', ' a b-1 '),
  },
  {
    weight: 2,
    arbitrary: fc.constantFrom(' # x-1 ', ' root@oak:~# x-1 ', '> x-1 ', 'Jan  3 12:00:01 oak y-1 ', ' "x-1 ', '=x-1 '),
  },
  { weight: 1, arbitrary: fc.constantFrom(...LINES).map((line) => line.slice(0, 20)) },
);
const content = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.constantFrom(
      ...['sched_switch: prev_comm=swapper/0 prev_pid=0 prev_state=R ==> next_comm=qemu-system-x86 next_pid=9'],
      ...['kvm_entry: vcpu 0, rip 0xffffffffd00c2978', 'kvm_exit: vcpu 1 reason HLT rip 0xfff info1 0x0', 'x: y=0x12'],
      ...['softirq_exit: vec=1 [action=RCU]', 'kmalloc: call_site=__alloc_skb+0x860/0x2f0 gfp_flags=A|__GFP_ZERO'],
      ...['irq_handler_entry: irq=24 name=vfio-msix[0](0000:03:00.0)', 'foo', 'foo:', 'timer_start: a', 'b: 0x1000 '],
    ),
  },
  {
    weight: 4,
    arbitrary: fc.constantFrom(
      'map: IOMMU: iova=0x1000 - 0x2000 paddr=0x5000 size=4096',
      'unmap: IOMMU: iova=0x1000 - 0x2000 size=4096 unmapped_size=4096',
      'map: IOMMU: iova=0x1000 - 0x20',
      'dma_map_page: 0000:03:00.0 dir=TO_DEVICE dma_addr=1000 size=4096 phys_addr=2000 attrs=',
    ),
  },
  {
    weight: 3,
    arbitrary: fc.constantFrom(
      ...[
        'r: 0xfee00000 0xfeefffff',
        'r: 0x00000000fee00000 0x00000000feefffff msi',
        'r: 0x00000000fee0',
        'x: 0x12** y',
      ],
      ...[
        'x: 0x1234,5678',
        'x: 0x7cd8...',
        'x=3D0x1 y=20',
        'x: <b>y</b>',
        'x: a // b',
        'x: kvm -m 4G',
        'x: `y`',
        'x |',
      ],
      ...['m: qemu-system-x86_64 -m 4G -machine q35', 'm: kvm_x: y', 'x: y              ', 'x: "_HOSTNAME":"oak"'],
    ),
  },
  { weight: 2, arbitrary: fc.constantFrom(...LINES) },
);
const event = fc
  .tuple(task, fc.constantFrom('[000] ', '[12] ', '[x] '), fc.constantFrom('..... ', 'd..2. ', ''), content)
  .map(([before, cpu, flags, text]) => `${before}${cpu}${flags}12.000250: ${text}\n`);
const line = fc.oneof(
  { weight: 12, arbitrary: event },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      ...['\n', '0000 msi\n', '0xfeefffff msi\n', 'msi\n', '4096\n', '...\n', '\u00e9\n', '\r', '=\n'],
    ),
  },
  { weight: 1, arbitrary: fc.constantFrom(...LINES).map((text) => `${text}\n`) },
);

test('what is found among events is as it is without skipping them', { timeout: FUZZ_TIMEOUT }, async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(line, { maxLength: 40 }), fc.integer({ min: 1, max: 3000 }), async (lines, chunk) => {
      const text = lines.join('');
      const long = await read(text, LONG_WAY);
      expect(await read(text, FORMATS)).toEqual(long);
      expect(await read(text, FORMATS, chunk)).toEqual(long);
    }),
    fuzzRuns(150),
  );
});

test('events of a real host are skipped', () => {
  const prefix = {
    freeTextEnd: (bytes: Uint8Array) => bytes.indexOf(91),
    end: (bytes: Uint8Array, from: number) => bytes.indexOf(58, from) + 2,
  };
  const events = new OtherEvents(prefix, { isForeign: () => true, isDullEvent: () => true });
  const endOf = (text: string) => events.find(text, 0, text.length, new TextEncoder().encode(text));
  const start = '       CPU 1/KVM-4581    [002] d..2.  1200.000995: ';
  for (const text of ['kvm_entry: vcpu 3, rip 0xdc21ed1c', 'sched_switch: prev_comm=a ==> next_comm=<...>', 'a|b']) {
    expect(endOf(`${start}${text}  `)).toBe(start.length + text.length);
  }
  for (const text of ['a <b>x</b>', 'x=3D0x1=', 'a             ', 'x <<<< here']) expect(endOf(start + text)).toBe(-1);
  expect(endOf(`> x-1 ${start}a`)).toBe(-1);
});
