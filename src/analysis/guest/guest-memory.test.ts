import { describe, expect, test } from 'vitest';
import { iova } from '../../iova/iova.ts';
import type { Fact } from '../../session/events.ts';
import { type GuestDefinition, guestFromFacts, layoutOf } from './guest-memory.ts';
import { parseGuestText } from './guest-text.ts';

const GIB = 1n << 30n;

function read(text: string): GuestDefinition {
  const parsed = parseGuestText(text);
  if (!parsed.ok) throw new Error(parsed.message);
  return parsed.definition;
}

function memoryOf(text: string, vendor?: string) {
  const result = layoutOf(read(text), { vendor });
  if (!result.ok) throw new Error(`${result.code}: ${result.message}`);
  return result.memory;
}

/** Where the highest RAM starts, in GiB. */
const top = (text: string, vendor?: string) =>
  (memoryOf(text, vendor).ranges.findLast(({ type }) => type === 'ram')?.start ?? 0n) / GIB;
const codes = (text: string, vendor?: string) => memoryOf(text, vendor).notes.map(({ code }) => code);

describe('layoutOf', () => {
  test('the vendor decides whether RAM moves to 1 TiB, from machine version 7.1 on', () => {
    expect(top('pc-q35-7.2:1010G,vendor=amd,phys-bits=48')).toBe(1024n);
    expect(top('pc-q35-7.0:1010G,vendor=amd,phys-bits=48')).toBe(4n);
    expect(top('pc-q35-7.2:1010G,vendor=intel,phys-bits=48')).toBe(4n);
    expect(top('pc-q35-7.2:1010G,cpu=qemu64,phys-bits=48')).toBe(1024n);
    expect(top('pc-q35-7.2:1010G,cpu=EPYC-Milan,phys-bits=48')).toBe(1024n);
    expect(top('pc-q35-7.2:1010G,cpu=Cascadelake-Server,phys-bits=48')).toBe(4n);
  });

  test('KVM gives a model that stands for no particular CPU the vendor of the host', () => {
    expect(top('pc-q35-7.2:1010G,cpu=host,accel=kvm', 'amd')).toBe(1024n);
    expect(top('pc-q35-7.2:1010G,cpu=host,accel=kvm', 'intel')).toBe(4n);
    expect(top('pc-q35-7.2:1010G,cpu=qemu64,accel=kvm', 'intel')).toBe(4n);
    expect(top('pc-q35-7.2:1010G,cpu=x86-64-v2-AES,accel=kvm', 'amd')).toBe(1024n);
    expect(top('pc-q35-7.2:1010G', 'amd')).toBe(1024n);
    expect(codes('pc-q35-7.2:1010G,cpu=host,accel=kvm')).toEqual(['vendor-assumed']);
    expect(codes('pc-q35-7.0:1010G,cpu=host,accel=kvm')).toEqual([]);
  });

  test('versions of distributions, aliases, and versions that are too new', () => {
    expect(top('pc-q35-rhel9.2.0:1010G,vendor=amd')).toBe(1024n);
    expect(top('pc-q35-rhel8.6.0:1010G,vendor=amd')).toBe(4n);
    expect(top('pc-q35-jammy:1010G,vendor=amd')).toBe(4n);
    expect(top('pc-q35-noble-v2:1010G,vendor=amd')).toBe(1024n);
    expect(top('pc-q35-8.1+pve0:1010G,vendor=amd')).toBe(1024n);
    expect(top('q35:1010G,vendor=amd,version=6.2.0')).toBe(4n);
    expect(codes('q35:1010G,vendor=amd,version=7.2.0')).toEqual([]);
    expect(codes('q35:1010G,vendor=amd')).toEqual(['machine-version-assumed']);
    expect(codes('pc-q35-99.0:1010G,vendor=amd')).toEqual(['machine-version-assumed']);
  });

  test('room for hotplug is no guest memory, and counts when RAM has to move', () => {
    const memory = memoryOf('pc-q35-7.2:8G,vendor=intel,slots=2,maxmem=16G');
    expect(memory.ranges.at(-1)).toEqual({
      start: 10n * GIB,
      last: 20n * GIB - 1n,
      name: 'room for hotplug',
      type: 'hotplug',
    });
    expect(memory.lastUsed).toBe(52n * GIB - 1n);
    expect(memory.notes.map(({ code }) => code)).toEqual(['room-for-hotplug']);
    expect(top('pc-q35-7.2:900G,vendor=amd,slots=2,maxmem=975G')).toBe(4n);
    expect(top('pc-q35-7.2:900G,vendor=amd,slots=2,maxmem=978G')).toBe(1024n);
  });

  test('a machine from a definition has pieces where its RAM moves', () => {
    const { machine } = memoryOf('pc-q35-7.2:16G,vendor=amd,pci-hole64-size=64G');
    expect(machine.pieces).toEqual([1n, 0xb000_0000n, 946n * GIB + 1n]);
    expect(memoryOf('pc-q35-7.2:16G,vendor=amd,max-ram-below-4g=1G').machine.pieces).toEqual([1n, 977n * GIB + 1n]);
    expect(memoryOf('pc-i440fx-7.2:16G,vendor=intel,max-ram-below-4g=4G').machine.pieces).toEqual([1n, 4n * GIB]);
    expect(memoryOf('pc-i440fx-1.7:16G,vendor=intel').machine.pieces).toEqual([1n]);
  });

  test.each([
    ['pc-q35-7.2:1010G,vendor=amd,phys-bits=40', /needs 42 address bits .* has 40/],
    ['pc-q35-7.2:64G,cpu=max,accel=tcg,phys-bits=36', /needs 37 address bits/],
    ['q35:1G,cpu=pentium3,pci-hole64-size=512G,accel=tcg', /needs 40 address bits .* has 36/],
    ['pc-i440fx-6.2:1G,cpu=n270,phys-bits=40', /phys-bits cannot be set for n270/],
    ['microvm:1G,cpu=qemu32,phys-bits=32', /phys-bits cannot be set for qemu32/],
    ['virt-3.1:2T,cpu=cortex-a76,accel=tcg,arch=aarch64,version=7.2', /needs 42 address bits .* has 40/],
    ['virt:1023G,accel=tcg,arch=aarch64,maxmem=1087G,slots=1', /needs 41 address bits .* has 40/],
    ['virt-7.2:4G,highmem=off', /needs 33 address bits .*highmem=off has 32/],
    ['virt-7.2:1T,phys-bits=40', /needs 41 address bits/],
  ])('%s is refused', (text, refusal) => {
    expect(memoryOf(text).refusal).toMatch(refusal);
  });

  test.each([
    'pc:1011G,cpu=n270,accel=tcg,vendor=amd',
    'virt:2T,cpu=cortex-a57,accel=tcg,arch=aarch64',
    'virt:2T,cpu=max,accel=tcg,arch=aarch64',
    'virt:2T,cpu=cortex-x99,accel=tcg,arch=aarch64',
    'virt:2T,cpu=host,accel=kvm,arch=aarch64',
  ])('%s is not', (text) => {
    expect(memoryOf(text).refusal).toBeUndefined();
  });

  test('programs before 7.1 start it in spite of its width', () => {
    expect(memoryOf('pc-q35-6.2:1010G,vendor=amd,phys-bits=40,version=6.2.0').refusal).toBeUndefined();
    expect(memoryOf('virt-6.2:2T,cpu=cortex-a57,accel=tcg,arch=aarch64,version=6.2.0').refusal).toBeUndefined();
  });

  test('virt of RISC-V, s390, and the other monitors', () => {
    expect(memoryOf('virt:8G,arch=riscv64').ranges.find(({ type }) => type === 'ram')?.start).toBe(2n * GIB);
    expect(memoryOf('s390-ccw-virtio-7.2:8G').ranges).toHaveLength(1);
    expect(memoryOf('cloud-hypervisor:8G').ranges.map(({ start, last }) => [start, last])).toEqual([
      [0n, 3n * GIB - 1n],
      [4n * GIB, 9n * GIB - 1n],
    ]);
    expect(memoryOf('crosvm:4G').ranges.map(({ start, last }) => [start, last])).toEqual([
      [0n, 0xcfff_ffffn],
      [4n * GIB, 0x1_2fff_ffffn],
    ]);
    expect(memoryOf('crosvm:4G,arch=aarch64').ranges.map(({ start }) => start)).toEqual([2n * GIB]);
    expect(codes('crosvm:4G')).toEqual(['layout-from-documentation']);
  });

  test('an unknown machine has the nearest layout, said, or none', () => {
    expect(codes('acme-q35-custom:4G,vendor=intel')).toEqual(['machine-unknown', 'machine-version-assumed']);
    expect(layoutOf(read('mainframe:4G'))).toMatchObject({ ok: false, code: 'machine-unknown' });
    expect(layoutOf({ monitor: 'qemu', machine: 'q35' })).toMatchObject({ ok: false, code: 'ram-unknown' });
    expect(layoutOf(read('q35:15E'))).toMatchObject({ ok: true });
    expect(layoutOf({ ...read('q35:1G'), ram: iova((1n << 64n) - 1n) })).toMatchObject({
      ok: false,
      code: 'too-large',
    });
    expect(layoutOf(read('pc:1G,max-ram-below-4g=5G'))).toMatchObject({ ok: false, code: 'bad-option' });
  });

  test('options that it cannot account for are said', () => {
    expect(codes('virt-7.2,gic-version=3:4G')).toEqual([]);
    expect(codes('pc-q35-7.2:4G,vendor=intel,sgx-epc.0.memdev=x')).toEqual(['option-not-modelled']);
    const odd = { ...read('pc-q35-7.2:4G,vendor=intel'), options: { 'pci-hole64-size': 'large' } };
    expect(layoutOf(odd)).toMatchObject({ memory: { notes: [{ code: 'option-not-understood' }] } });
  });
});

describe('guestFromFacts', () => {
  const machine = (fields: Partial<Extract<Fact, { kind: 'machine' }>>): Fact => ({
    kind: 'machine',
    monitor: 'qemu',
    machine: 'pc-q35-7.2',
    ...fields,
  });

  test('facts of one name are one guest; the vendor is that of the host', () => {
    const guests = guestFromFacts([
      machine({ name: 'a', ram: iova(1010n * GIB), source: 'a.xml', line: 1 }),
      machine({ name: 'b', ram: iova(GIB) }),
      machine({ name: 'a', cpu: 'host', accelerator: 'kvm', source: 'a.log', line: 3 }),
      { kind: 'iommu', name: 'ivhd0', driver: 'amd' },
    ]);
    expect(guests.map(({ facts }) => facts.length)).toEqual([2, 1]);
    const [first] = guests;
    expect(first?.memory).toMatchObject({ ok: true, memory: { title: 'a: pc-q35-7.2, 1010 GiB', notes: [] } });
    expect(first?.definition).toEqual({
      name: 'a',
      monitor: 'qemu',
      machine: 'pc-q35-7.2',
      ram: 1010n * GIB,
      cpu: 'host',
      accelerator: 'kvm',
    });
    expect(first?.memory.ok === true && first.memory.memory.ranges.at(-1)?.start).toBe(1024n * GIB);
  });

  test('guests without a name stay apart', () => {
    expect(guestFromFacts([machine({ ram: iova(GIB) }), machine({ ram: iova(GIB) })])).toHaveLength(2);
  });
});

describe('parseGuestText', () => {
  test('options of QEMU may be before the colon; the last of several wins', () => {
    expect(read('pc-q35-7.2,max-ram-below-4g=1G:2G,max-ram-below-4g=2G,vendor=AuthenticAMD,maxmem=4G,slots=3')).toEqual(
      {
        monitor: 'qemu',
        machine: 'pc-q35-7.2',
        ram: 2n * GIB,
        max_ram: 4n * GIB,
        slots: 3,
        vendor: 'amd',
        options: { 'max-ram-below-4g': '2G' },
        assigned: [],
      },
    );
  });

  test.each([
    ['q35', /MACHINE:RAM/],
    [':4G', /MACHINE:RAM/],
    ['q35:much', /RAM "much"/],
    ['q35:0', /at least one byte/],
    ['q35:4G,vendor=acme', /vendor=acme: expected amd/],
    ['q35:4G,phys-bits=65', /1 to 64/],
    ['q35:4G,phys-bits=x', /expected a number/],
    ['q35:4G,maxmem=x', /maxmem=x/],
    ['q35:4G,pci-hole64-size=x', /pci-hole64-size=x/],
    ['q35:4G,=5', /NAME=VALUE/],
  ])('%s is no guest', (text, message) => {
    expect(parseGuestText(text)).toMatchObject({ ok: false, message: expect.stringMatching(message) });
  });
});
