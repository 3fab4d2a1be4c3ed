// The case as the page shows it.
import { deviceChoices } from '../../analysis/case/device.ts';
import { provenanceOf } from '../../analysis/host/host.ts';
import { parseKernelVersion, RECORDED_KERNELS } from '../../kernel/versions.ts';
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

/** The list of a host's devices depends only on its facts, so it is cached until the host is rebuilt. */
const choices = new WeakMap<EngineDocument['host'], readonly CaseDevice[]>();

function devicesOf({ id, title, host }: EngineDocument): readonly CaseDevice[] {
  const known = choices.get(host);
  if (known) return known;
  const devices = deviceChoices(host).map((choice) => ({ ...choice, hostId: id, hostName: title }));
  choices.set(host, devices);
  return devices;
}

type ToldKernel = CaseNode['toldKernels'][number];

const kernels = new WeakMap<EngineDocument['host'], ToldKernel>();

/** The kernel of a host according to the first source that names one; of a session, that of its header. */
function toldKernel({ kind, host, session, title }: EngineDocument): ToldKernel | undefined {
  if (kind === 'session') {
    const { kernel } = session.header;
    return kernel === undefined || !parseKernelVersion(kernel) ? undefined : { version: kernel, source: title };
  }
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
  const sessions = documents.filter(({ kind }) => kind === 'session');
  const told = [...hosts, ...sessions].flatMap((document) => toldKernel(document) ?? []);
  const toldKernels = told.filter(({ version }, i) => told.findIndex((other) => other.version === version) === i);
  const version = chosen ?? toldKernels[0]?.version;
  return {
    hosts: hosts.map(documentNode),
    sessions: sessions.map(documentNode),
    device: assignedNode(hosts),
    missing: hosts.flatMap(({ missing = [] }) => missing.map(({ message }) => message)),
    devices: hosts.flatMap(devicesOf),
    ...(version === undefined ? {} : { kernel: { version, isChosen: chosen !== undefined } }),
    toldKernels,
    knownKernels: RECORDED_KERNELS,
    undo: open.undoLabel,
  };
}
