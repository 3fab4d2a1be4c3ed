// Guest layouts against a real QEMU: it sets a machine up, does not start it, and tells where its memory is. Each takes a
// tenth of a second. Needs qemu-system-x86_64 and qemu-system-aarch64 of version 7.1 or later.
import { spawnSync } from 'node:child_process';
import { expect, test } from '@playwright/test';
import { layoutOf } from '../../src/analysis/guest/guest-memory.ts';
import { parseGuestText } from '../../src/analysis/guest/guest-text.ts';
import { isGuestMemory } from '../../src/analysis/guest/layout.ts';
import { hex } from '../../src/iova/format.ts';
import { range } from '../../src/iova/range.ts';
import { rangeSet, subtract } from '../../src/iova/range-set.ts';

interface Asked {
  readonly arch: 'x86_64' | 'aarch64';
  readonly machine: string;
  /** As after `-m`. */
  readonly memory: string;
  readonly cpu: string;
  /** PCI hole of the host bridge. */
  readonly hole?: string;
  readonly vga?: boolean;
}

/** RAM as QEMU reports it, `start-last` in hex, or that it refuses. The machine's firmware is left out. */
function asked({ arch, machine, memory, cpu, hole, vga }: Asked): readonly string[] | 'refused' {
  const [size = ''] = memory.split(',');
  const bridge = machine.includes('q35') ? 'q35-pcihost' : 'i440FX-pcihost';
  const result = spawnSync(
    `qemu-system-${arch}`,
    [
      ...['-S', '-accel', 'tcg', '-nodefaults', '-display', 'none', '-monitor', 'stdio'],
      ...['-object', `memory-backend-ram,id=ram,size=${size},reserve=off`],
      ...['-machine', machine.startsWith('microvm') ? machine : `${machine},memory-backend=ram`],
      ...['-m', memory, '-cpu', cpu],
      ...(hole === undefined ? [] : ['-global', `${bridge}.pci-hole64-size=${hole}`]),
      ...(vga === true ? ['-device', 'VGA'] : []),
    ],
    { input: 'info mtree -f\nquit\n', encoding: 'utf8', timeout: 60_000, maxBuffer: 1 << 26 },
  );
  if (result.error) throw result.error;
  if (/phys-bits too low|Addressing limited to|expects size less than|not user-configurable/.test(result.stderr))
    return 'refused';
  const view = result.stdout.split('FlatView #').find((text) => text.includes('AS "memory"'));
  if (result.status !== 0 || view === undefined) throw new Error(`${result.stderr}${result.stdout.slice(-500)}`);
  const ram = [...view.matchAll(/^ +([0-9a-f]{16})-([0-9a-f]{16}) \(prio -?\d+, ram\): (?!pc\.bios)/gm)].map(
    ([, start, last]) => range(BigInt(`0x${start}`), BigInt(`0x${last}`)),
  );
  return subtract(rangeSet(ram), FIRMWARE).map(({ start, last }) => `${hex(start)}-${hex(last)}`);
}

const FIRMWARE = [range(0xc_0000n, 0xf_ffffn)];

/** What this project says. */
function said({ arch, machine, memory, cpu, hole, vga }: Asked): readonly string[] | 'refused' {
  const [size, ...room] = memory.split(',');
  const [model, ...properties] = cpu.split(',');
  const parsed = parseGuestText(
    [
      `${machine}:${size}`,
      ...room,
      `cpu=${model}`,
      ...properties,
      ...['accel=tcg', `arch=${arch}`],
      ...(hole === undefined ? [] : [`pci-hole64-size=${hole}`]),
      ...(vga === true ? [] : ['vga=none']),
    ].join(','),
  );
  if (!parsed.ok) throw new Error(parsed.message);
  const result = layoutOf(parsed.definition);
  if (!result.ok || result.memory.refusal !== undefined) return 'refused';
  const ram = result.memory.ranges.filter(({ type, name }) => isGuestMemory(type) && name !== 'pc.bios');
  return subtract(rangeSet(ram), FIRMWARE).map(({ start, last }) => `${hex(start)}-${hex(last)}`);
}

const X86_CPUS = [
  'qemu64',
  'qemu64,phys-bits=48',
  'qemu64,phys-bits=32',
  'qemu64,phys-bits=48,vendor=GenuineIntel',
  'EPYC,phys-bits=48',
  'Skylake-Server,phys-bits=48',
  'Dhyana,phys-bits=48',
  'max,phys-bits=41',
  'pentium3',
  'n270',
  'qemu32,phys-bits=36',
];
const x86 = (machine: string, memory: string, cpu = 'qemu64,phys-bits=48', more: Partial<Asked> = {}): Asked => ({
  arch: 'x86_64',
  machine,
  memory,
  cpu,
  ...more,
});
const arm = (machine: string, memory: string, cpu = 'max'): Asked => ({ arch: 'aarch64', machine, memory, cpu });

const MATRIX: readonly Asked[] = [
  ...['pc-q35-7.2', 'pc-q35-7.0', 'pc-i440fx-7.2', 'pc-i440fx-2.0', 'pc-i440fx-1.7'].flatMap((machine) =>
    ['700M', '2815M', '2816M', '3G', '3583M', '3584M', '5000M', '978G', '979G', '1009G', '1010G', '2T'].map((memory) =>
      x86(machine, memory),
    ),
  ),
  ...['q35', 'pc'].flatMap((machine) => X86_CPUS.map((cpu) => x86(machine, '1010G', cpu))),
  ...['q35', 'pc'].flatMap((machine) =>
    ['0', '512K', '1G', '1536M', '2G', '2304M', '2816M', '3G', '3300M', '3584M', '3800M', '4G', '5G'].flatMap((limit) =>
      ['1G', '2560M', '3200M', '3400M', '3968M', '8G'].map((memory) =>
        x86(`${machine},max-ram-below-4g=${limit}`, memory),
      ),
    ),
  ),
  ...['0', '2G', '40G', '41G', '64G', '1T'].flatMap((hole) => [
    x86('q35', '970G', undefined, { hole }),
    x86('pc', '970G', undefined, { hole }),
  ]),
  ...['930G', '975G', '976G', '977G', '978G', '1000G'].flatMap((maxmem) =>
    [0, 2, 40, 100].map((slots) => x86('q35', `900G,slots=${slots || 1},maxmem=${maxmem}`)),
  ),
  x86('q35', '8G', undefined, { vga: true }),
  x86('pc', '512M', undefined, { vga: true }),
  ...['1G', '3071M', '3072M', '3328M', '8G'].map((memory) => x86('microvm', memory)),
  ...['virt', 'virt-4.2', 'virt,highmem=off'].flatMap((machine) =>
    ['1G', '3G', '3073M', '8G', '255G', '1T'].map((memory) => arm(machine, memory)),
  ),
  ...['cortex-a15', 'cortex-a57', 'cortex-a76', 'neoverse-n1'].flatMap((cpu) =>
    ['255G', '1023G', '2T'].map((memory) => arm('virt', memory, cpu)),
  ),
];

test('every layout is that of QEMU', () => {
  test.setTimeout(600_000);
  const wrong = MATRIX.flatMap((entry) => {
    const [theirs, ours] = [asked(entry), said(entry)];
    return String(theirs) === String(ours) ? [] : [{ ...entry, theirs, ours }];
  });
  expect(wrong).toEqual([]);
  expect(MATRIX.length).toBeGreaterThan(250);
});
