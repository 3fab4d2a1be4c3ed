// Adds the names of devices to a text. A file of its own, because only answers need it (devices.ts is part of the first load).
import { type Described, deviceKind, titled } from './devices.ts';

/** A PCI address that is not part of a path, a longer number or a name. */
const ADDRESS = /(?<![\w:./-])(?:[0-9a-f]{4,8}:)?[0-9a-f]{2}:[0-9a-f]{2}\.[0-7](?![\w/]|[:.]\w|-\d)/g;

/**
 * Adds the names of devices: `0000:0b:00.0 is …` becomes `0000:0b:00.0 NVIDIA GA104 (vfio-pci) is …`. Each device is named where
 * it is first mentioned, unless its name is already there. Devices about which nothing is known are left as they are.
 */
export function withDeviceNames(text: string, devices: ReadonlyMap<string, Described>): string {
  if (devices.size === 0) return text;
  const named = new Set<string>();
  return text.replace(ADDRESS, (address: string, at: number) => {
    const device = /^[0-9a-f]{4,8}:[0-9a-f]{2}:/.test(address) ? address : `0000:${address}`;
    const about = devices.get(device);
    if (!about || named.has(device)) return address;
    named.add(device);
    const label = titled(address, about);
    const kind = deviceKind(about);
    // Every assigned device has this driver, so by itself it says nothing about the device.
    if (kind === undefined && about.driver === 'vfio-pci') return address;
    // The name may also be only a class or a driver.
    const isNamed = text.startsWith(label, at) || (kind !== undefined && text.startsWith(`${address} ${kind}`, at));
    return isNamed ? address : label;
  });
}
