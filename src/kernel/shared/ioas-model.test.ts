import { describe, expect, it } from 'vitest';
import { IommufdModel } from '../iommufd/model.ts';
import { IommufdRfcModel } from '../iommufd-rfc/model.ts';
import type { Outcome } from '../model.ts';
import { Script } from '../testing/run.ts';
import { DEFAULT_HUGE_PAGE_SIZE, DEFAULT_PAGE_SIZE } from './platform-ranges.ts';

const SIZES = { page: DEFAULT_PAGE_SIZE, hugePage: DEFAULT_HUGE_PAGE_SIZE };
const invalidOf = (outcome: Outcome) => (outcome.ok ? undefined : outcome.invalid);

describe.each([
  ['iommufd', () => new IommufdModel(SIZES)],
  ['iommufd-rfc', () => new IommufdRfcModel(SIZES)],
])('dispatch of %s', (_name, make) => {
  it.each<[string, (s: Script) => Outcome, string]>([
    ['map', (s) => s.map(0n, 1n, 0n, 'r', 'x'), "no IOAS 'x'"],
    ['unmap', (s) => s.unmap(0n, 1n, 'x'), "no IOAS 'x'"],
    ['reserve', (s) => s.reserve(0n, 1n, 'x'), "no IOAS 'x'"],
    ['attach', (s) => s.attach('d', { ioas: 'x' }), "no IOAS 'x'"],
    ['detach', (s) => s.detach('d'), "no attached device 'd'"],
    ['pin', (s) => s.pin('acc', 'p', 0n, 1n), "no access 'acc'"],
    ['unpin', (s) => s.unpin('acc', 'p'), "no access 'acc'"],
  ])('%s names what does not exist', (_op, run, message) => {
    const script = new Script(make());
    script.alloc();
    expect(invalidOf(run(script))).toEqual({ code: 'unknown-object', message });
  });

  it('names what already exists', () => {
    const script = new Script(make());
    script.alloc();
    script.attach('d');
    script.access('acc');
    expect(invalidOf(script.alloc())?.message).toBe("an IOAS 'a' already exists");
    expect(invalidOf(script.attach('d'))?.message).toBe("an attached device 'd' already exists");
    expect(invalidOf(script.access('acc'))?.message).toBe("an access 'acc' already exists");
  });

  it('accepts regions and apertures of one byte, and no reversed ones', () => {
    const script = new Script(make());
    script.alloc();
    expect(script.attach('one', { aperture: [5n, 5n], regions: [[7n, 7n, 'msi']] }).ok).toBe(true);
    expect(invalidOf(script.attach('two', { aperture: [6n, 5n] }))?.code).toBe('bad-argument');
    expect(invalidOf(script.attach('three', { regions: [[8n, 7n, 'msi']] }))?.code).toBe('bad-argument');
    expect(script.detach('one').ok).toBe(true);
    expect(invalidOf(script.detach('one'))?.message).toBe("no attached device 'one'");
  });
});
