// How messages name a device.
import { busDeviceFunction, pciAddress } from '../../dumps/fields/pci-address.ts';
import type { Host, HostDevice } from '../host/host.ts';
import { joinNames } from './conflict.ts';

/** What is known about devices, by address. */
export type DeviceInfos = ReadonlyMap<string, Pick<HostDevice, 'name' | 'class' | 'driver' | 'parent'>>;

/** The requester id of a PCI address: bus, device, function. `undefined` for other names. */
export function requesterId(device: string): number | undefined {
  const [, bus = '', slot = '', fn = ''] = /^[0-9a-f]{4}:([0-9a-f]{2}):([0-9a-f]{2})\.([0-7])$/.exec(device) ?? [];
  if (bus === '') return undefined;
  return (Number.parseInt(bus, 16) << 8) | (Number.parseInt(slot, 16) << 3) | Number(fn);
}

function isBridge(kind: string | undefined): boolean {
  return /^PCIe? bridge/i.test(kind ?? '');
}

/** The devices below a bridge, except other bridges. */
function behindBridge(bridge: string, infos: DeviceInfos): string[] {
  return [...infos].flatMap(([device, { parent, class: kind }]) => {
    if (parent !== bridge) return [];
    return isBridge(kind) ? behindBridge(device, infos) : [device];
  });
}

/**
 * The device of a fault, for use in a sentence. A stream id is resolved with the IORT or the devices of the host's groups; a
 * bridge's id means one of the devices behind it.
 */
export function faultDeviceLabel(
  { groups, streamIds = [] }: Pick<Host, 'groups' | 'streamIds'>,
  device: string | undefined,
  infos: DeviceInfos,
): string {
  if (device === undefined) return 'A device';
  // IOMMU drivers of systems on chips report their own name, and at most the stream.
  const [, iommu, stream] = /^([\w.@-]+\.(?:iommu|sysmmu|mmu|dart))(?: stream (\d+))?$/.exec(device) ?? [];
  if (iommu !== undefined) {
    return stream === undefined
      ? `A device behind ${iommu} (the device tree names it)`
      : `Stream ${stream} of ${iommu} (the device tree names the device)`;
  }
  const [, digits] = /^sid:0x([0-9a-f]+)$/.exec(device) ?? [];
  if (digits === undefined) {
    if (!isBridge(infos.get(device)?.class)) return device;
    const behind = behindBridge(device, infos);
    return behind.length === 0
      ? `${device} (a PCI bridge: a device behind it)`
      : `${device} (a PCI bridge, whose id stands for ${behind.length > 1 ? 'one of ' : ''}${joinNames(behind)} behind it)`;
  }
  const id = Number.parseInt(digits, 16);
  const mapped = streamIds.find(({ stream, count }) => id >= stream && id < stream + count);
  if (mapped) {
    const named = pciAddress(mapped.segment, mapped.requester + id - mapped.stream);
    return `${named} (stream id 0x${digits}, according to the IORT)`;
  }
  const owner = groups.flatMap(({ devices }) => devices).find((name) => requesterId(name) === id);
  if (owner !== undefined) return `Stream id 0x${digits} (probably ${owner}, which has this requester id)`;
  const guess = id >= 0x100 && id <= 0xffff ? `${busDeviceFunction(id)} if it is a requester id; ` : '';
  return `Stream id 0x${digits} (${guess}the IORT table or the device tree names the device)`;
}
