// The elements of a libvirt domain that matter here (https://libvirt.org/formatdomain.html), by their path below `domain`.
//
//   name, os/type (machine, arch), memory and maxMemory (unit, slots), cpu (mode, model, vendor, maxphysaddr bits)
//   memoryBacking (hugepages, source type), features, devices/hostdev and devices/interface type='hostdev' (source/address)
//   devices/iommu (model; driver aw_bits), devices/memory (model, target/size, requested, address), memtune/hard_limit,
//   devices/controller pcie-root (pcihole64)
//   devices/video/model, qemu:commandline/qemu:arg (words of QEMU, which count last)
//
// `memory` is all RAM at the start, plugged memory devices included; QEMU gets the rest as its RAM.
import type { FactSink } from '../../format.ts';
import { vendorByName } from './cpu-models.ts';
import { GuestDraft } from './draft.ts';
import { pciAddressOf } from './libvirt-address.ts';
import { QemuArguments } from './qemu-arguments.ts';
import { libvirtSize } from './sizes.ts';

const DOMAIN_TYPES: Readonly<Record<string, string>> = { kvm: 'kvm', qemu: 'tcg', hvf: 'hvf', xen: 'xen' };
const IOMMU_MODELS: Readonly<Record<string, string>> = {
  intel: 'intel',
  amd: 'amd',
  virtio: 'virtio',
  smmuv3: 'smmu-v3',
};
const ARGS_MAX = 1000;

/** An address in an attribute, hexadecimal with `0x` or decimal. */
function addressOf(text: string | undefined): bigint | undefined {
  return text !== undefined && /^(?:0x[0-9a-f]{1,16}|\d{1,20})$/i.test(text) ? BigInt(text) : undefined;
}

type Attributes = ReadonlyMap<string, string>;

/** Takes the elements of one domain in their order; `path` is joined by `/`, without `domain` itself. */
export class LibvirtDomain {
  readonly #draft = new GuestDraft('qemu');
  readonly #line: number | undefined;
  readonly #args: string[] = [];
  #memory: bigint | undefined;
  /** In memory devices. */
  #plugged = 0n;
  #unit: string | undefined;
  /** The memory device that is read. */
  #device:
    | { kind: string; size?: bigint | undefined; address?: bigint | undefined; plugged?: bigint | undefined }
    | undefined;
  #hostdev: string | undefined;
  #cpuMode: string | undefined;
  #videos = 0;
  #hasVideo = false;

  constructor(type: string | undefined, line: number | undefined) {
    this.#line = line;
    this.#draft.form = 'libvirt';
    this.#draft.accelerator = DOMAIN_TYPES[type ?? ''] ?? type;
  }

  open(path: string, attributes: Attributes): void {
    const draft = this.#draft;
    this.#unit = attributes.get('unit');
    switch (path) {
      case 'maxMemory': {
        const slots = attributes.get('slots');
        if (slots !== undefined && /^\d{1,3}$/.test(slots)) draft.slots = Number(slots);
        return;
      }
      case 'os/type':
        draft.machine = attributes.get('machine');
        draft.arch = attributes.get('arch');
        return;
      case 'cpu':
        this.#cpuMode = attributes.get('mode');
        if (this.#cpuMode === 'host-passthrough') draft.cpu = 'host';
        else if (this.#cpuMode === 'host-model') draft.cpu = 'host-model';
        else if (this.#cpuMode === 'maximum') draft.cpu = 'max';
        return;
      case 'cpu/maxphysaddr':
        this.#physBits(attributes);
        return;
      case 'memoryBacking/hugepages':
        draft.backend = 'hugetlb';
        return;
      case 'memoryBacking/source':
        if (draft.backend === 'hugetlb') return;
        if (attributes.get('type') === 'memfd') draft.backend = 'memfd';
        else if (attributes.get('type') === 'file') draft.backend = 'file';
        else if (attributes.get('type') === 'anonymous') draft.backend = 'ram';
        return;
      case 'devices/hostdev':
      case 'devices/interface':
        this.#hostdev = attributes.get('type') === 'pci' || attributes.get('type') === 'hostdev' ? 'pci' : undefined;
        return;
      case 'devices/hostdev/source/address':
      case 'devices/interface/source/address':
        this.#assigned(attributes);
        return;
      case 'devices/hostdev/driver':
      case 'devices/hostdev/iommufd':
        if (attributes.get('iommufd') === 'yes' || attributes.get('enabled') === 'yes') draft.iommufd = true;
        return;
      case 'devices/iommu': {
        const model = attributes.get('model') ?? '';
        draft.viommu = { kind: IOMMU_MODELS[model] ?? model };
        return;
      }
      case 'devices/iommu/driver': {
        const bits = attributes.get('aw_bits');
        if (draft.viommu && bits !== undefined && /^\d{1,2}$/.test(bits)) {
          draft.viommu = { kind: draft.viommu.kind, address_width: Number(bits) };
        }
        return;
      }
      case 'devices/video/model':
        this.#videos++;
        if (/^(?:vga|cirrus|qxl|vmvga|virtio|bochs)$/.test(attributes.get('type') ?? '')) this.#hasVideo = true;
        return;
      case 'devices/memory':
        this.#flushMemory();
        this.#device = { kind: attributes.get('model') ?? 'dimm' };
        return;
      case 'devices/memory/address':
      case 'devices/memory/target/address':
        if (this.#device) this.#device.address ??= addressOf(attributes.get('base'));
        return;
      case 'metadata/kubevirt':
        draft.form = 'kubevirt';
        return;
      case 'qemu:commandline/qemu:arg': {
        const value = attributes.get('value');
        if (value !== undefined && this.#args.length < ARGS_MAX) this.#args.push(value);
      }
    }
  }

  /** The text of an element that has no elements in it. */
  text(path: string, text: string): void {
    const draft = this.#draft;
    const content = text.trim();
    switch (path) {
      case 'name':
        draft.name = content;
        return;
      case 'memory':
        this.#memory = this.#size(path, content);
        return;
      case 'maxMemory':
        draft.maxRam = this.#size(path, content);
        return;
      case 'cpu/model':
        if (draft.cpu === undefined || this.#cpuMode === 'custom') draft.cpu = content;
        return;
      case 'cpu/vendor':
        draft.vendor = vendorByName(content) ?? content;
        return;
      case 'devices/memory/target/size': {
        const size = this.#size(path, content);
        this.#plugged += size ?? 0n;
        if (this.#device) this.#device.size = size;
        return;
      }
      case 'devices/memory/target/requested':
      case 'devices/memory/target/current':
        if (this.#device) this.#device.plugged = this.#size(path, content);
        return;
      case 'memtune/hard_limit':
        draft.memlock = this.#size(path, content);
        return;
      case 'devices/controller/pcihole64': {
        const size = this.#size(path, content);
        if (size !== undefined && size > 0n) draft.option('pci-hole64-size', `${size >> 10n}K`);
      }
    }
  }

  #size(path: string, text: string): bigint | undefined {
    const size = libvirtSize(text, this.#unit);
    if (size === undefined) {
      const unit = this.#unit === undefined ? '' : ` unit='${this.#unit}'`;
      const option = `<${path.split('/').at(-1)}${unit}>${text}`;
      this.#draft.problem('guest-option-invalid', { option, expected: "a number, and a unit such as 'KiB' or 'GiB'" });
    }
    return size;
  }

  #physBits(attributes: Attributes): void {
    const bits = attributes.get('bits');
    if (attributes.get('mode') === 'emulate' && bits !== undefined && /^\d{1,2}$/.test(bits)) {
      this.#draft.physBits = Number(bits);
    } else if (attributes.get('mode') === 'passthrough') {
      this.#draft.option('host-phys-bits', 'on');
      const limit = attributes.get('limit');
      if (limit !== undefined) this.#draft.option('host-phys-bits-limit', limit);
    }
  }

  #assigned(attributes: Attributes): void {
    if (this.#hostdev !== 'pci') return;
    const device = pciAddressOf(attributes);
    if (device !== undefined) this.#draft.assign(device);
    else {
      const text = [...attributes].map(([key, value]) => `${key}='${value}'`).join(' ');
      this.#draft.problem('guest-device-unresolved', { device: `<address ${text}/>` });
    }
  }

  /** `isWhole`: the domain has its end. */
  finish(sink: FactSink, isWhole: boolean): void {
    const draft = this.#draft;
    this.#flushMemory();
    if (this.#memory !== undefined) {
      draft.ram = this.#memory > this.#plugged ? this.#memory - this.#plugged : this.#memory;
    }
    if (isWhole && draft.machine === undefined) {
      draft.machine = draft.arch === 'aarch64' ? 'virt' : 'pc';
      draft.problem('guest-machine-default', { machine: draft.machine });
    }
    if (isWhole && (this.#videos > 0 ? !this.#hasVideo : draft.arch === 'x86_64')) draft.option('vga', 'none');
    if (this.#args.length > 0) new QemuArguments(draft).read(this.#args, false);
    if (!isWhole) draft.problem('guest-definition-cut', { what: 'the XML of the guest' });
    draft.emit(sink, this.#line);
  }

  #flushMemory(): void {
    const device = this.#device;
    this.#device = undefined;
    if (!device) return;
    const { kind, size, address, plugged } = device;
    if (size === undefined || kind === 'sgx-epc') {
      this.#draft.problem('guest-option-not-modelled', { option: `<memory model='${kind}'>` });
    } else this.#draft.plug({ kind, size, address, plugged: kind === 'virtio-mem' ? (plugged ?? 0n) : undefined });
  }

  doctype(): void {
    this.#draft.problem('guest-xml-doctype', {});
  }
}
