// The allocator of the kernel's DMA API: how it found an address, and where it puts the next buffers of a host's devices.
import { commonSpace } from '../../analysis/space/common-space.ts';
import { allocatorStepText, type NextDma, nextDmaIn } from '../../analysis/space/next-dma.ts';
import { DmaIommuModel } from '../../kernel/dma-iommu/model.ts';
import { isOperation } from '../../session/events.ts';
import type { EngineDocument } from '../documents/document.ts';
import { type Documents, selectedHosts } from '../picture/spaces.ts';
import type { Params } from '../protocol/methods.ts';
import { type EngineResult, failure, success } from '../protocol/result.ts';

/** What the allocator did for the operation before `position`, a sentence a step; empty for other events and models. */
export function allocatorSteps({ session, states }: EngineDocument, position: number): readonly string[] {
  const event = session.events[position - 1];
  if (!states || !event || !isOperation(event)) return [];
  const model = states.modelAt(position - 1);
  return model instanceof DmaIommuModel ? model.stepsOf(event).map(allocatorStepText) : [];
}

/** Where the next buffers of a device go, on each selected host that has it. */
export function nextDma(
  documents: Documents,
  { device, bits, size, selectedGroups }: Params<'nextDma'>,
): EngineResult<readonly NextDma[]> {
  const hosts = selectedHosts(documents, new Set(selectedGroups)).filter(({ document }) => document.kind === 'host');
  const found = hosts.flatMap(({ document: { host }, space }) => {
    if (device === undefined) return [space];
    const groups = host.groups.filter(({ devices }) => devices.includes(device));
    return groups.length > 0 || host.devices.has(device) ? [commonSpace(host, groups)] : [];
  });
  if (device !== undefined && found.length === 0) return failure('unusable', `no selected host has a device ${device}`);
  return success(found.flatMap((space) => nextDmaIn(space, { device, bits, size }) ?? []));
}
