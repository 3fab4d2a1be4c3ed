import { beforeAll, describe, expect, test } from 'vitest';
import { loadLaterDiagnostics } from '../../dumps/diagnostics.ts';
import { iova } from '../../iova/iova.ts';
import { range } from '../../iova/range.ts';
import type { Fact } from '../../session/events.ts';
import { guestFromFacts } from '../guest/guest-memory.ts';
import { guestInQuestion, guestTitle } from './guest.ts';

// As the dumps that such facts come from do.
beforeAll(loadLaterDiagnostics);

const guest = (name: string, assigned: string[], more: object = {}): Fact => ({
  kind: 'machine',
  name,
  monitor: 'qemu',
  machine: 'pc-q35-7.2',
  ram: iova(1n << 30n),
  assigned,
  source: 'all.log',
  ...more,
});
const refused = (device?: string, source = 'all.log'): Fact => ({
  kind: 'request',
  op: 'map',
  api: 'vfio',
  ...range(0n, 0xfffn),
  result: '-EINVAL',
  source,
  ...(device === undefined ? {} : { device }),
});
function chosen(facts: readonly Fact[], device?: string) {
  const found = guestInQuestion(guestFromFacts(facts), facts, device);
  return found && [guestTitle(found.guest), found.origin, found.others];
}
const A = guest('a', ['0000:0b:00.0']);
const B = guest('b', ['0000:0c:00.0']);

describe('the guest in question', () => {
  test('none and one', () => {
    expect(chosen([])).toBeUndefined();
    expect(chosen([A])).toEqual(['a', 'only', []]);
  });

  test('the one with the device of the failing request, wherever it was defined', () => {
    expect(chosen([A, B, refused('0000:0b:00.0', 'other.log')])).toEqual(['a', 'error', ['b']]);
    expect(chosen([A, B, refused('0000:0c:00.0')])).toEqual(['b', 'error', ['a']]);
  });

  test('without a device, the one whose command line is above the error', () => {
    expect(chosen([A, refused(), B])).toEqual(['a', 'error', ['b']]);
    expect(chosen([A, B, refused()])).toEqual(['b', 'error', ['a']]);
  });

  test('two guests of one device: the one above the error', () => {
    expect(chosen([A, guest('c', ['0000:0b:00.0']), refused('0000:0b:00.0')])).toEqual(['c', 'error', ['a']]);
  });

  test('a message names a device too; what a kernel says is about no guest', () => {
    const message = (code: string, text: string): Fact => ({
      kind: 'diagnostic',
      severity: 'error',
      code,
      message: text,
      source: 'all.log',
    });
    expect(chosen([A, B, message('vfio-device-without-group', 'the device 0000:0b:00.0 has no IOMMU group')])).toEqual([
      'a',
      'error',
      ['b'],
    ]);
    expect(chosen([A, B, message('iommu-disabled', 'the IOMMU is disabled')])).toEqual(['a', 'first', ['b']]);
  });

  test('without an error the device to assign decides, else the first with an assigned device', () => {
    expect(chosen([A, B], '0000:0c:00.0')).toEqual(['b', 'device', ['a']]);
    expect(chosen([guest('plain', []), B])).toEqual(['b', 'first', ['plain']]);
    expect(chosen([guest('p', []), guest('q', [])])).toEqual(['p', 'first', ['q']]);
  });

  test('of several starts in one log the last one counts', () => {
    const [only] = guestFromFacts([
      guest('a', ['0000:0b:00.0'], { phys_bits: 39 }),
      guest('a', ['0000:0c:00.0'], { line: 9 }),
    ]);
    expect(only?.definition.assigned).toEqual(['0000:0c:00.0']);
    expect(only?.definition.phys_bits).toBeUndefined();
  });
});
