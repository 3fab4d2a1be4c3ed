// Which host of the case a new source belongs to. It joins an existing host unless something contradicts.
import { contradictionOf, contradicts } from './contradiction.ts';
import type { HostProfile } from './profile.ts';

/** What joining needs to know about a host of the case. */
export interface HostCandidate {
  readonly id: string;
  readonly name: string;
  readonly profile: HostProfile;
}

export interface JoinDecision {
  /** The host that the source joins; undefined: it becomes a host of its own. */
  readonly hostId: string | undefined;
  readonly outcome: 'joined' | 'new-host' | 'first';
  /** Why, as a sentence. */
  readonly reason: string;
  /** True if it may be the same host at another time. */
  readonly isMoment: boolean;
}

/** How strongly a source belongs to a host, with the reason; 0 if merely nothing contradicts. */
function affinity(source: HostProfile, host: HostProfile): { readonly weight: number; readonly reason: string } {
  const name = [...source.names].find(([short]) => host.names.has(short));
  if (name) return { weight: 6, reason: `same host name ${name[1]}` };
  const folder = [...source.folders.keys()].find((path) => host.folders.has(path));
  if (folder !== undefined) return { weight: 5, reason: `same folder ${folder}` };
  const register = [...source.registers.keys()].find((what) => host.registers.has(what));
  const member = [...source.groupOfDevice.keys()].find((device) => host.groupOfDevice.has(device));
  if (member !== undefined) return { weight: 4, reason: `${member} is in the same group` };
  if (register !== undefined) return { weight: 3, reason: `same ${register}` };
  const device = [...source.namedDevices].find((named) => host.groupOfDevice.has(named));
  if (device !== undefined) return { weight: 2, reason: `it names ${device}, which this host has` };
  const named = [...host.namedDevices].find((other) => source.groupOfDevice.has(other));
  if (named !== undefined) return { weight: 2, reason: `an error of this host names ${named}` };
  const group = [...source.namedGroups.keys()].find((other) => host.groups.has(other) || host.regions.has(other));
  if (group !== undefined) return { weight: 1, reason: `it names group ${group}, which this host has` };
  return { weight: 0, reason: 'nothing contradicts' };
}

/** Maximum number of hosts that a source is compared with if it joins none: a fleet has thousands of identical ones. */
const COMPARED_MAX = 100;

/**
 * Decides which host a source joins. `hosts`: those of the case, the most recently opened or changed one last; a source that
 * could belong to several joins that one.
 */
export function chooseHost(source: HostProfile, hosts: readonly HostCandidate[]): JoinDecision {
  const weighed = <T extends { readonly host: HostCandidate }>(one: T) => ({
    ...one,
    ...affinity(source, one.host.profile),
  });
  if (hosts.length === 0) {
    return { hostId: undefined, outcome: 'first', reason: 'It is the first source.', isMoment: false };
  }
  const latestFirst = hosts.toReversed();
  const fitting = latestFirst.filter((host) => !contradicts(source, host.profile)).map((host) => weighed({ host }));
  if (fitting.length > 0) {
    const best = fitting.reduce((a, b) => (b.weight > a.weight ? b : a));
    const reason = `It joined ${best.host.name}: ${best.reason}.`;
    return { hostId: best.host.id, outcome: 'joined', reason, isMoment: false };
  }
  // The host that it is most like says why it is another one.
  const [first, ...others] = latestFirst
    .slice(0, COMPARED_MAX)
    .map((host) => weighed({ host, contradiction: contradictionOf(source, host.profile) }));
  const nearest = others.reduce((a, b) => (a && b.weight > a.weight ? b : a), first);
  const contradiction = nearest?.contradiction;
  const isMoment = contradiction?.kind === 'contents' || (contradiction?.kind !== 'name' && nearest?.weight === 6);
  const reason = `It contradicts ${nearest?.host.name}: ${contradiction?.message}.`;
  return {
    hostId: undefined,
    outcome: 'new-host',
    reason: isMoment ? `${reason} It is another host, or the same host at another time.` : reason,
    isMoment,
  };
}
