import { describe, expect, test } from 'vitest';
import { hex } from '../../iova/format.ts';
import { iova } from '../../iova/iova.ts';
import { range } from '../../iova/range.ts';
import type { FactOf, SessionEvent } from '../../session/events.ts';
import { apertureLimits } from '../space/aperture-limit.ts';
import { MSI, onlyConflict, guest as tried, width } from '../testing/facts.ts';
import { buildHost } from './build-host.ts';
import { underKernel } from './iommu-aperture.ts';

const R = (digits: string) => iova(BigInt(`0x${digits}`));
const about = (fact: Partial<FactOf<'host'>>): SessionEvent => ({ kind: 'host', source: 'log', line: 1, ...fact });

function vtd(cap: string, ecap?: string): SessionEvent {
  // As sources have it: the width is MGAW of cap.
  const bits = Number((R(cap) >> 16n) & 0x3fn) + 1;
  return width(bits, { cap: R(cap), ...(ecap === undefined ? {} : { ecap: R(ecap) }) });
}

function apertures(kernel: string | undefined, ...events: SessionEvent[]) {
  const own = kernel === undefined ? [] : [about({ kernel })];
  return buildHost('h', 'host', [...own, ...events]).apertures;
}

function lastOf(kernel: string | undefined, ...events: SessionEvent[]): string | undefined {
  const [only, ...more] = apertures(kernel, ...events);
  expect(more).toEqual([]);
  expect(only?.start ?? 0n).toBe(0n);
  return only && hex(only.last);
}

/** Ice Lake and newer: both stages, 48 bits of second stage, no five-level first stage. */
const SERVER = ['9ed008c40780466', '3ee9e86f050df'] as const;
const FIVE_LEVELS = `${'1'}${'0'.repeat(15)}`;

describe('Intel', () => {
  test.each<[name: string, cap: string, ecap: string | undefined, kernel: string | undefined, last: string]>([
    ['a server with both stages, before about 6.13', ...SERVER, '6.12.117', '0xffffffffffff'],
    ['the same, 6.1', ...SERVER, '6.1.0-18-amd64', '0xffffffffffff'],
    ['the same, 6.13', ...SERVER, '6.13.1', '0x7fffffffffff'],
    ['the same, 7.3', ...SERVER, '7.3.4', '0x7fffffffffff'],
    ['the same, the kernel unknown: the newest', ...SERVER, undefined, '0x7fffffffffff'],
    ['only first stage (QEMU), 6.1', 'd2008c222f0686', '880000f00f4a', '6.1.192', '0x7fffffffffff'],
    ['only first stage (QEMU), 7.3', 'd2008c222f0686', '880000f00f4a', '7.3.4', '0x7fffffffffff'],
    ['only second stage in scalable mode', 'd2008c222f0686', '480080f00f4a', '6.12', '0xffffffffffff'],
    ['no scalable mode, 39 bits', 'd2008c22260286', 'f00f4a', '7.3', '0x7fffffffff'],
    ['no scalable mode: SAGAW, not MGAW', '9ed008c40780466', 'f050df', '7.3', '0xffffffffffff'],
    ['MGAW below the level', 'd2008c40660462', 'f050da', '6.1', '0x7fffffffff'],
    ['ecap unknown', '9ed008c40780466', undefined, '7.3', '0xffffffffffff'],
  ])('%s', (_name, cap, ecap, kernel, last) => {
    expect(lastOf(kernel, vtd(cap, ecap))).toBe(last);
  });

  test('five levels: 57 bits of second stage, 56 of first stage', () => {
    // SAGAW 48 and 57, MGAW 57, and first-stage tables of five levels.
    const cap = (R(FIVE_LEVELS) | R('9ed008c40780c66')).toString(16);
    expect(lastOf('6.12', vtd(cap, SERVER[1]))).toBe('0x1ffffffffffffff');
    expect(lastOf('7.3', vtd(cap, SERVER[1]))).toBe('0xffffffffffffff');
    // Both stages have to have the level: without five of the first stage it is 48 bits.
    expect(lastOf('6.12', vtd('9ed008c40780c66', SERVER[1]))).toBe('0xffffffffffff');
    // 39-bit levels alone are no level of the first stage.
    expect(lastOf('6.12', vtd('9ed008c40780266', SERVER[1]))).toBe('0x7fffffffff');
  });

  test('scalable mode that is off on the command line', () => {
    const off = about({ options: 'intel_iommu=on,sm_off' });
    expect(lastOf('7.3', vtd(...SERVER), off)).toBe('0xffffffffffff');
    expect(lastOf('7.3', vtd(...SERVER), about({ options: '' }))).toBe('0x7fffffffffff');
  });

  test('what is assumed is said', () => {
    const assumed = (kernel: string | undefined, ...events: SessionEvent[]) =>
      apertures(kernel, ...events)[0]?.derivation?.assumed;
    expect(assumed(undefined, vtd(...SERVER))).toBe(
      'the kernel is not in these dumps (before about Linux 6.13: 48 bits); scalable mode is assumed to be on (with intel_iommu=sm_off: 48 bits)',
    );
    expect(assumed('7.3', vtd(...SERVER))).toMatch(/^scalable mode is assumed/);
    expect(assumed('7.3', vtd(...SERVER), about({ options: 'intel_iommu=on' }))).toBeUndefined();
    expect(assumed('6.12', vtd(...SERVER))).toBeUndefined();
    expect(assumed('6.12', vtd('9ed008c40780466'))).toMatch(/ecap is not in these dumps/);
  });

  test('a width that is not MGAW is what a source says', () => {
    const cap = R(SERVER[0]);
    expect(lastOf('7.3', width(46, { cap }))).toBe('0x3fffffffffff');
    expect(lastOf('7.3', width(46))).toBe('0x3fffffffffff');
  });

  test('the width of the host does not count beside registers', () => {
    expect(lastOf('6.12', vtd(...SERVER), about({ address_width: 46 }))).toBe('0xffffffffffff');
  });

  test('two units, and a register that another source adds', () => {
    const second: SessionEvent = { ...width(39, { name: 'dmar1' }), cap: R('d2008c22260286') } as SessionEvent;
    expect(apertures('6.12', vtd(...SERVER), second).map(({ message }) => message)).toEqual([
      'dmar0, 48 bits',
      'dmar1, 39 bits',
    ]);
    const early = width(57);
    expect(lastOf('6.12', early, vtd(...SERVER))).toBe('0xffffffffffff');
  });
});

describe('AMD', () => {
  const ivhd: SessionEvent = { kind: 'iommu', name: 'ivhd0', driver: 'amd', source: 'ivrs' };
  const efr = (hats: number) => about({ efr: iova((0x29d3n & ~0xc00n) | (BigInt(hats) << 10n)) });

  test.each<[name: string, kernel: string | undefined, hats: number, last: string | undefined]>([
    ['6.16, whatever it has', '6.16.12', 0, '0xffffffffffffffff'],
    ['6.12', '6.12', 2, '0xffffffffffffffff'],
    ['6.17, 48 bits', '6.17.13', 0, '0xffffffffffff'],
    ['6.17, 57 bits', '6.17.13', 1, '0x1ffffffffffffff'],
    ['7.3, 64 bits', '7.3.4', 2, '0xffffffffffffffff'],
    ['7.3, no translation', '7.3.4', 3, undefined],
    ['unknown: the newest', undefined, 0, '0xffffffffffff'],
  ])('%s', (_name, kernel, hats, last) => {
    expect(lastOf(kernel, ivhd, efr(hats))).toBe(last);
  });

  test('no features in the table: 48 bits, whatever the register has', () => {
    const register: SessionEvent = { kind: 'iommu', name: 'ivhd0', driver: 'amd', cap: iova(0x29d3n), source: 'sysfs' };
    expect(lastOf('7.3', register, about({ efr: iova(0n) }))).toBe('0xffffffffffff');
    const [assumed] = apertures('7.3', register);
    expect(hex(assumed?.last ?? 0n)).toBe('0xffffffffffffffff');
    expect(assumed?.derivation?.assumed).toMatch(/IVRS table is assumed/);
    expect(apertures('7.3', ivhd)).toEqual([]);
    // What sysfs calls cap: the header of the PCI capability.
    expect(apertures('7.3', { ...register, cap: iova(0x190b_640fn) } as SessionEvent)).toEqual([]);
    expect(lastOf('6.1', ivhd)).toBe('0xffffffffffffffff');
  });

  test('IVinfo limits it from 7.2 on', () => {
    const ivinfo = about({ efr: iova(0x800n), ivinfo: iova(40n << 15n) });
    expect(lastOf('6.18.15', ivhd, ivinfo)).toBe('0xffffffffffffffff');
    expect(lastOf('7.2', ivhd, ivinfo)).toBe('0xffffffffff');
    expect(lastOf('7.2', ivhd, about({ efr: iova(0x800n), ivinfo: iova(1n) }))).toBe('0xffffffffffffffff');
  });

  test('other page tables, and a width that a source says', () => {
    expect(apertures('6.12', ivhd, about({ options: 'amd_iommu=pgtbl_v2' }))).toEqual([]);
    expect(lastOf('6.12', width(48, { name: 'ivhd0', driver: 'amd' }), efr(2))).toBe('0xffffffffffff');
  });
});

describe('another kernel', () => {
  const host = buildHost('h', 'host', [about({ kernel: '6.12' }), vtd(...SERVER), width(46, { name: 'other' })]);

  test('changes what follows from it, and nothing that a source says', () => {
    const lasts = (kernel: string | undefined) => underKernel(host, kernel).apertures.map(({ last }) => hex(last));
    expect(lasts('7.3')).toEqual(['0x3fffffffffff', '0x7fffffffffff']);
    expect(lasts(undefined)).toEqual(['0x3fffffffffff', '0xffffffffffff']);
    expect(underKernel(underKernel(host, '7.3'), undefined).apertures).toEqual(host.apertures);
    expect(underKernel(host, undefined)).toBe(host);
    expect(underKernel(host, '7.3').about.kernel).toBe('6.12');
  });

  test('what is assumed about a limit is said with it', () => {
    const unknown = buildHost('h', 'host', [vtd(...SERVER)]);
    const [limit] = apertureLimits(unknown.apertures, range(1n << 48n, 1n << 48n));
    expect(limit).toMatchObject({ bits: 47, problem: 'needs 49 bits, the IOMMU has 47' });
    expect(limit?.assumed).toMatch(/^the kernel is not in these dumps/);
    // A second aperture that ends there and needs no assumption settles it.
    const settled = [...unknown.apertures, ...buildHost('h', 'host', [width(47, { name: 'x' })]).apertures];
    expect(apertureLimits(settled, range(1n << 48n, 1n << 48n))[0]?.assumed).toBeUndefined();
    const events = [MSI, vtd(...SERVER)];
    expect(onlyConflict(events, tried(1n << 48n, (1n << 48n) + 0xfffn)).message).toMatch(/Assumption: the kernel/);
  });
});
