// The case as the page shows it.
import { deviceChoices } from '../../analysis/case/device.ts';
import type { EngineDocument } from '../documents/document.ts';
import { documentNode } from '../documents/document-node.ts';
import type { AssignedNode, CaseDevice, CaseNode } from '../protocol/case.ts';
import type { OpenCase } from './open-case.ts';

function assignedNode(hosts: readonly EngineDocument[]): AssignedNode | undefined {
  const host = hosts.find(({ assigned }) => assigned !== undefined);
  if (!host?.assigned) return undefined;
  const { device, groups, origin } = host.assigned;
  return { device, groups, origin, hostId: host.id };
}

/** What is listed of the devices of a host depends on its facts only: kept until the host is built again. */
const choices = new WeakMap<EngineDocument['host'], readonly CaseDevice[]>();

function devicesOf({ id, title, host }: EngineDocument): readonly CaseDevice[] {
  const known = choices.get(host);
  if (known) return known;
  const devices = deviceChoices(host).map((choice) => ({ ...choice, hostId: id, hostName: title }));
  choices.set(host, devices);
  return devices;
}

export function caseNode(open: OpenCase): CaseNode {
  const documents = [...open.documents.values()];
  const hosts = documents.filter(({ kind }) => kind === 'host');
  const chosen = open.choices.kernel;
  const told = hosts.find(({ host }) => host.about.kernel !== undefined)?.host.about.kernel;
  const version = chosen ?? told;
  return {
    hosts: hosts.map(documentNode),
    sessions: documents.filter(({ kind }) => kind === 'session').map(documentNode),
    device: assignedNode(hosts),
    missing: hosts.flatMap(({ missing = [] }) => missing.map(({ message }) => message)),
    devices: hosts.flatMap(devicesOf),
    ...(version === undefined ? {} : { kernel: { version, isChosen: chosen !== undefined } }),
    undo: open.undoLabel,
  };
}
