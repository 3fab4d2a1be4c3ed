import { describe, expect, test } from 'vitest';
import type { SessionEvent } from '../../session/events.ts';
import { group, reserved, width } from '../testing/facts.ts';
import { contradictionOf } from './contradiction.ts';
import { chooseHost } from './join.ts';
import { mergeProfiles, profileOf } from './profile.ts';

const of = (...events: SessionEvent[]) => profileOf(events);
const named = (name: string): SessionEvent => ({ kind: 'host', name });
const between = (source: SessionEvent[], host: SessionEvent[]) => contradictionOf(of(...source), of(...host));

describe('sources that cannot be of one host', () => {
  test.each<[string, SessionEvent[], SessionEvent[], string]>([
    ['name', [named('birch')], [named('maple')], 'its host name is birch, not maple'],
    ['groups', [group('1', ['0000:01:00.0'])], [group('1', ['0000:02:00.0'])], 'its group 1 has 0000:01:00.0'],
    ['groups', [group('2', ['0000:01:00.0'])], [group('1', ['0000:01:00.0'])], 'in group 2, not in group 1'],
    ['register', [width(39)], [width(48)], 'the address width of dmar0 is 39, not 48 bits'],
    [
      'contents',
      [reserved(0n, 0xfffn, 'msi')],
      [reserved(0n, 0xfffn, 'direct')],
      'the reserved regions of group 1 differ',
    ],
    [
      'architecture',
      [{ kind: 'host', arch: 'aarch64' }],
      [{ kind: 'host', arch: 'x86_64' }],
      'its architecture is arm',
    ],
    [
      'architecture',
      [{ kind: 'iommu', name: 'ivhd0', driver: 'amd' }],
      [{ kind: 'iommu', name: 'dmar0', driver: 'intel' }],
      'its IOMMU is from AMD, not Intel',
    ],
  ])('%s', (kind, source, host, message) => {
    expect(between(source, host)).toEqual({ kind, message: expect.stringContaining(message) });
  });

  test.each<[string, SessionEvent[], SessionEvent[]]>([
    ['a name with its domain', [named('maple.example.org')], [named('MAPLE')]],
    ['a name that any machine has', [named('localhost')], [named('maple')]],
    ['another function of the same device', [group('1', ['0000:01:00.1'])], [group('1', ['0000:01:00.0'])]],
    ['some of the devices', [group('1', ['0000:01:00.0'])], [group('1', ['0000:01:00.0', '0000:02:00.0'])]],
    ['regions of other groups', [reserved(0n, 0xfffn, 'msi', '1')], [reserved(0n, 0xfffn, 'direct', '2')]],
    ['the same registers', [width(39)], [width(39)]],
    ['nothing in common', [named('maple')], [width(39)]],
  ])('but not: %s', (_, source, host) => {
    expect(between(source, host)).toBeUndefined();
  });

  test('two folders with the same files, unless the host names are the same', () => {
    const folder = (name: string, events: SessionEvent[] = []) => profileOf(events, { folder: name, texts: ['dmesg'] });
    expect(contradictionOf(folder('east'), folder('west'))).toMatchObject({ kind: 'folder' });
    expect(contradictionOf(folder('east'), folder('east'))).toBeUndefined();
    expect(contradictionOf(folder('east', [named('maple')]), folder('west', [named('maple')]))).toBeUndefined();
  });
});

describe('the host that a source joins', () => {
  const host = (id: string, ...events: SessionEvent[]) => ({ id, name: id, profile: of(...events) });
  const maple = host('maple', named('maple'), group('1', ['0000:01:00.0']));
  const birch = host('birch', named('birch'), group('1', ['0000:02:00.0']));

  test('is the one that it names, or whose devices it names, else the one opened last', () => {
    const chosen = (...events: SessionEvent[]) => chooseHost(of(...events), [maple, birch]);
    expect(chosen(named('maple'))).toMatchObject({ hostId: 'maple', outcome: 'joined' });
    expect(chosen(group('1', ['0000:01:00.0']))).toMatchObject({ hostId: 'maple' });
    expect(chosen({ kind: 'ineligible', device: '0000:01:00.0', reason: 'x' })).toMatchObject({ hostId: 'maple' });
    expect(chosen(width(39))).toMatchObject({ hostId: 'birch', reason: 'It joined birch: nothing contradicts.' });
    expect(chosen(named('oak'))).toMatchObject({ hostId: undefined, outcome: 'new-host', isMoment: false });
    expect(chooseHost(of(), [])).toMatchObject({ hostId: undefined, outcome: 'first' });
  });

  test('with other regions, it may be the same host at another time', () => {
    const known = host('maple', reserved(0n, 0xfffn, 'msi'));
    const decision = chooseHost(of(reserved(0n, 0xfffn, 'direct')), [known]);
    expect(decision).toMatchObject({ outcome: 'new-host', isMoment: true });
    expect(decision.reason).toMatch(/^It contradicts maple: the reserved regions of group 1 differ\./);
  });

  test('profiles of several sources are one', () => {
    const all = mergeProfiles([maple.profile, of(width(39)), of(group('1', ['0000:01:00.1']))]);
    expect([...(all.groups.get('1') ?? [])]).toEqual(['0000:01:00.0', '0000:01:00.1']);
    expect([...all.names.values(), ...all.registers.keys()]).toEqual(['maple', 'address width of dmar0']);
  });
});
