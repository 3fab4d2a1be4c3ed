// Questions about the spaces of the picture: would a range fit, how is free space fragmented, which guests fit.

import { blockedOf } from '../../analysis/conflicts/guest.ts';
import type { GuestDefinition } from '../../analysis/guest/guest-memory.ts';
import { fittingSizes, MACHINES, type Machine, type MachineName, sizesLabel } from '../../analysis/guest/layouts.ts';
import { findPlaces, HoleCounter } from '../../analysis/space/fit.ts';
import { obstacleLabel, type SpaceObstacle } from '../../analysis/space/usable-ranges.ts';
import { rangeOfLength } from '../../iova/range.ts';
import { type RangeSet, union } from '../../iova/range-set.ts';
import { definedGuest, isMachineName, vendorOf } from '../picture/guests.ts';
import type { PictureSpace, SelectedHost } from '../picture/spaces.ts';
import type { Blocker, GuestSizes, SpaceFit, SpaceHoles } from '../protocol/answers.ts';
import type { Params } from '../protocol/methods.ts';
import { type EngineResult, failure, success } from '../protocol/result.ts';

/** Maximum number of places in one answer. */
const PLACES_MAX = 100;
const BLOCKERS_MAX = 50;

/** What counts as free in a space. */
function freeNote({ kind, answers }: PictureSpace): string {
  if (kind === 'model' && answers?.hasMappings) return 'neither reserved nor mapped';
  return answers?.hasMappings ? 'usable and not mapped' : 'usable';
}

/** "Would this fit?", for each address space of the picture whose usable ranges are known. */
export function fitIn(spaces: readonly PictureSpace[], question: Params<'fit'>): SpaceFit[] {
  const { size, at } = question;
  return spaces.flatMap(({ title, answers }): SpaceFit[] => {
    if (!answers) return [];
    const { places, blocked, ...answer } = findPlaces(answers.free, question);
    const wanted = at === undefined || blocked.length === 0 ? undefined : rangeOfLength(at, size);
    return [
      {
        ...answer,
        space: title,
        places: places.slice(0, PLACES_MAX),
        placesMore: Math.max(0, places.length - PLACES_MAX),
        blockers: wanted ? answers.obstaclesIn(wanted, BLOCKERS_MAX).map(blockerOf) : [],
      },
    ];
  });
}

function blockerOf(obstacle: SpaceObstacle): Blocker {
  return { start: obstacle.start, last: obstacle.last, message: obstacleLabel(obstacle) };
}

/** Statistics of the free space of each address space of the picture. */
export function holesIn(spaces: readonly PictureSpace[], alignments: readonly bigint[]): SpaceHoles[] {
  return spaces.flatMap((space): SpaceHoles[] => {
    if (!space.answers) return [];
    const counter = new HoleCounter(alignments);
    for (const hole of space.answers.free) counter.add(hole);
    return [{ ...counter.result, space: space.title, note: freeNote(space) }];
  });
}

/** The machine of a definition; otherwise a message that says what is wrong with it. */
function definedMachine(definition: GuestDefinition, hosts: readonly SelectedHost[]): Machine | string {
  const made = definedGuest(definition, vendorOf(hosts.map(({ document }) => document.host)));
  return made.ok ? (made.guest.machine?.machine ?? 'the guest has no machine') : made.message;
}

/** The RAM sizes of a machine, or of a defined guest, that fit on the selected hosts. */
export function guestSizes(
  hosts: readonly SelectedHost[],
  name: string,
  definition?: GuestDefinition,
): EngineResult<GuestSizes> {
  if (!definition && !isMachineName(name)) return failure('unusable', `"${name}" is not a known machine`);
  const machine = definition ? definedMachine(definition, hosts) : MACHINES[name as MachineName];
  if (typeof machine === 'string') return failure('unusable', machine);
  const blocked = hosts.map(({ space }) => blockedOf(space));
  const sizes = fittingSizes(
    machine,
    blocked.reduce<RangeSet>((all, one) => union(all, one), []),
  );
  return success({
    sizes,
    message: sizesLabel(sizes),
    hosts: hosts.map(({ space }, i) => ({
      title: space.host.title,
      message: sizesLabel(fittingSizes(machine, blocked[i] ?? [])),
    })),
    maxRam: machine.maxRam,
    isApertureKnown: hosts.every(({ space }) => space.apertures.length > 0),
  });
}
