// The case as the page shows it.
import { deviceChoices } from '../../analysis/case/device.ts';
import { provenanceOf } from '../../analysis/host/host.ts';
import { RECORDED_KERNELS } from '../../kernel/versions.ts';
import { isFact } from '../../session/events.ts';
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

const kernels = new WeakMap<EngineDocument['host'], CaseNode['toldKernel']>();

/** What a host's sources say of its kernel: the first that names one. */
function toldKernel({ host, session }: EngineDocument): CaseNode['toldKernel'] {
  const version = host.about.kernel;
  if (version === undefined) return undefined;
  const known = kernels.get(host);
  if (known) return known;
  const fact = session.events.find((event) => isFact(event) && event.kind === 'host' && event.kernel === version);
  const told = { version, source: provenanceOf(fact && isFact(fact) ? fact : {}).source };
  kernels.set(host, told);
  return told;
}

export function caseNode(open: OpenCase): CaseNode {
  const documents = [...open.documents.values()];
  const hosts = documents.filter(({ kind }) => kind === 'host');
  const chosen = open.choices.kernel;
  const told = hosts.map(toldKernel).find((kernel) => kernel !== undefined);
  const version = chosen ?? told?.version;
  return {
    hosts: hosts.map(documentNode),
    sessions: documents.filter(({ kind }) => kind === 'session').map(documentNode),
    device: assignedNode(hosts),
    missing: hosts.flatMap(({ missing = [] }) => missing.map(({ message }) => message)),
    devices: hosts.flatMap(devicesOf),
    ...(version === undefined ? {} : { kernel: { version, isChosen: chosen !== undefined } }),
    ...(told === undefined ? {} : { toldKernel: told }),
    knownKernels: RECORDED_KERNELS,
    undo: open.undoLabel,
  };
}
