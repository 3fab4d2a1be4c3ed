// Where the allocator of the kernel's DMA API puts the next buffers of a host's devices.
import { commonSpace } from '../../analysis/space/common-space.ts';
import { type NextDma, nextDmaIn } from '../../analysis/space/next-dma.ts';
import { type Documents, selectedHosts } from '../picture/spaces.ts';
import type { Params } from '../protocol/methods.ts';
import { type EngineResult, failure, success } from '../protocol/result.ts';

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
