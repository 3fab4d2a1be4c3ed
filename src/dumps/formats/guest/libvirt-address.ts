// PCI addresses in libvirt's XML.
import { normalizePciAddress } from '../../fields/pci-address.ts';

/** A PCI address in the attributes domain, bus, slot and function of libvirt. */
export function pciAddressOf(attributes: ReadonlyMap<string, string>): string | undefined {
  const part = (name: string, digits: number) => {
    const text = attributes.get(name);
    const match = text === undefined ? undefined : /^(?:0x([0-9a-f]{1,8})|(\d{1,8}))$/i.exec(text);
    if (!match) return undefined;
    const value = match[1] === undefined ? Number(match[2]) : Number.parseInt(match[1], 16);
    return value.toString(16).padStart(digits, '0');
  };
  const [bus, slot, fn] = [part('bus', 2), part('slot', 2), part('function', 1)];
  if (bus === undefined || slot === undefined || fn === undefined) return undefined;
  return normalizePciAddress(`${part('domain', 4) ?? '0000'}:${bus}:${slot}.${fn}`);
}
