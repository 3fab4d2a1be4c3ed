// A node device of libvirt (`virsh nodedev-dumpxml`, https://libvirt.org/formatnode.html): a PCI device of the host.
import { normalizePciAddress } from '../../fields/pci-address.ts';
import type { FactSink } from '../../format.ts';
import { pciAddressOf } from '../guest/libvirt-address.ts';
import { className } from './class-names.ts';
import { deviceFact } from './device-fact.ts';

/** Takes the elements of one `device` in their order; `path` is joined by `/`, without `device` itself. */
export class NodeDevice {
  readonly #line: number | undefined;
  readonly #texts = new Map<string, string>();
  #isPci = false;
  #group: string | undefined;
  /** Of the group, this one included. */
  readonly #members: string[] = [];
  #node: number | undefined;
  #ids: { vendor?: string; product?: string } = {};

  constructor(line: number | undefined) {
    this.#line = line;
  }

  open(path: string, attributes: ReadonlyMap<string, string>): void {
    const id = attributes.get('id');
    if (path === 'capability') this.#isPci = attributes.get('type') === 'pci';
    else if (path === 'capability/iommuGroup') this.#group = attributes.get('number');
    else if (path === 'capability/iommuGroup/address') {
      const member = pciAddressOf(attributes);
      if (member !== undefined && this.#members.length < 100) this.#members.push(member);
    } else if (path === 'capability/vendor' && id !== undefined) this.#ids.vendor = id;
    else if (path === 'capability/product' && id !== undefined) this.#ids.product = id;
    else if (path === 'capability/numa') {
      const node = attributes.get('node');
      if (node !== undefined && /^\d{1,4}$/.test(node)) this.#node = Number(node);
    }
  }

  text(path: string, text: string): void {
    if (this.#texts.size < 100) this.#texts.set(path, text.trim());
  }

  doctype(): void {
    // Nothing of a device refers to entities.
  }

  finish(sink: FactSink): void {
    if (!this.#isPci) return;
    const number = (path: string, digits: number) => {
      const text = this.#texts.get(path);
      return text !== undefined && /^\d{1,8}$/.test(text) ? Number(text).toString(16).padStart(digits, '0') : undefined;
    };
    const at = `${number('capability/domain', 4)}:${number('capability/bus', 2)}:${number('capability/slot', 2)}.${number('capability/function', 1)}`;
    const device = normalizePciAddress(at);
    if (device === undefined) return;
    const code = /^0x([0-9a-f]{6})$/i.exec(this.#texts.get('capability/class') ?? '')?.[1];
    const vendor = this.#texts.get('capability/vendor');
    const product = this.#texts.get('capability/product');
    const name = [vendor, product].filter((part) => part !== undefined && part !== '').join(' ');
    const id = (text: string | undefined) => /^0x([0-9a-f]{4})$/i.exec(text ?? '')?.[1];
    const [vendorId, productId] = [id(this.#ids.vendor), id(this.#ids.product)];
    sink.fact(
      deviceFact(device, {
        name: name === '' ? undefined : name,
        class: code === undefined ? undefined : className(code),
        ids: vendorId === undefined || productId === undefined ? undefined : `${vendorId}:${productId}`,
        driver: this.#texts.get('driver/name'),
        group: this.#group,
        numa_node: this.#node,
      }),
      this.#line,
    );
    if (this.#group !== undefined && /^\d{1,9}$/.test(this.#group)) {
      sink.group(this.#group, { devices: [device, ...this.#members] }, this.#line);
    }
  }
}
