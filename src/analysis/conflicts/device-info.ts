// How messages call single devices.
import type { Host, HostDevice } from '../host/host.ts';

/** What is known of devices, by address. */
export type DeviceInfos = ReadonlyMap<string, Pick<HostDevice, 'name' | 'class' | 'driver'>>;

/** The requester id of a PCI address: bus, device, function. `undefined` for other names. */
export function requesterId(device: string): number | undefined {
  const [, bus = '', slot = '', fn = ''] = /^[0-9a-f]{4}:([0-9a-f]{2}):([0-9a-f]{2})\.([0-7])$/.exec(device) ?? [];
  if (bus === '') return undefined;
  return (Number.parseInt(bus, 16) << 8) | (Number.parseInt(slot, 16) << 3) | Number(fn);
}

/** The bus, device and function of a requester id: `31:00.2`. */
function addressOf(id: number): string {
  const part = (value: number) => value.toString(16).padStart(2, '0');
  return `${part(id >> 8)}:${part((id >> 3) & 0x1f)}.${id & 7}`;
}

/**
 * A device of a fault for a sentence. A stream id is resolved by the devices of the host's groups; a bridge's id stands for
 * the devices behind it.
 */
export function faultDeviceLabel(
  { groups }: Pick<Host, 'groups'>,
  device: string | undefined,
  infos: DeviceInfos,
): string {
  if (device === undefined) return 'A device';
  // IOMMUs of systems on chips name themselves, and at most the stream.
  const [, iommu, stream] = /^([\w.@-]+\.(?:iommu|sysmmu|mmu|dart))(?: stream (\d+))?$/.exec(device) ?? [];
  if (iommu !== undefined) {
    return stream === undefined
      ? `A device behind ${iommu} (the device tree names it)`
      : `Stream ${stream} of ${iommu} (the device tree names the device)`;
  }
  const [, digits] = /^sid:0x([0-9a-f]+)$/.exec(device) ?? [];
  if (digits === undefined) {
    const about = infos.get(device);
    return about?.class !== undefined && /^PCI(?:e)? bridge/i.test(about.class)
      ? `${device} (a PCI bridge: a device behind it)`
      : device;
  }
  const id = Number.parseInt(digits, 16);
  const owner = groups.flatMap(({ devices }) => devices).find((name) => requesterId(name) === id);
  if (owner !== undefined) return `Stream id 0x${digits} (probably ${owner}, which has this requester id)`;
  const guess = id >= 0x100 && id <= 0xffff ? `${addressOf(id)} if it is a requester id; ` : '';
  return `Stream id 0x${digits} (${guess}the IORT table or the device tree names the device)`;
}
