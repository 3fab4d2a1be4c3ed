// The arguments of QEMU, as a list of words, to a guest's definition.
//
//   -machine, -M  [type=]NAME,KEY=VALUE…   accel, memory-backend, what moves memory (MOVES_MEMORY), iommu=smmuv3
//   -m            [size=]SIZE,slots=N,maxmem=SIZE          MiB without a unit
//   -cpu          MODEL,KEY=VALUE…         vendor, phys-bits, host-phys-bits, host-phys-bits-limit
//   -object       memory-backend-(ram|file|memfd), iommufd   as key=value or JSON
//   -device       vfio-pci, virtual IOMMUs, VGA adapters      as key=value or JSON
//   -global       DRIVER.PROPERTY=VALUE, or driver=,property=,value=
//                 of several -cpu only the last counts, with all its keys
//   -name, -accel, -enable-kvm, -mem-path, -numa, -vga, -nodefaults, -readconfig
//
// All other options are skipped with the value that follows them: what follows an option and does not begin with a dash.
// Options given more than once: the last wins, key by key (qemu-options.hx of QEMU 1.4 to 10.1).
import { normalizePciAddress, PCI_ADDRESS_PATTERN } from '../../fields/pci-address.ts';
import { vendorByName } from './cpu-models.ts';
import type { Backend, GuestDraft } from './draft.ts';
import { isOn, type QemuProperties, qemuProperties } from './qemu-options.ts';
import { qemuSize } from './sizes.ts';

const MIB = 1n << 20n;

/** Options of machines that move memory, or decide whether it moves. */
const MOVES_MEMORY: ReadonlySet<string> = new Set([
  'max-ram-below-4g',
  'highmem',
  'highmem-ecam',
  'highmem-mmio',
  'highmem-redists',
  'compact-highmem',
]);
/** Those that move memory in ways that no layout here accounts for. */
const NOT_MODELLED = /^(?:sgx-epc|cxl|cxl-fmw|highmem-mmio-size)(?:\.|$)/;
/** Options of machines that are known to leave memory where it is. */
const LEAVES_MEMORY = new RegExp(
  `^(?:${[
    'type|accel|kernel[_-]irqchip|kvm[_-]shadow[_-]mem|kernel|initrd|append|dtb|dumpdtb|phandle[_-]start|dt[_-]compatible',
    'dump-guest-core|mem-merge|usb|firmware|iommu|graphics|memory-backend|memory-encryption|confidential-guest-support',
    'suppress-vmdesc|enforce-config-section|igd-passthru|hmat|nvdimm(?:-persistence)?|boot(?:\\..*)?|smp(?:\\..*)?',
    'memory(?:\\..*)?|aux-ram-share|vmport|smm|acpi|hpet|hpet-enabled|pic|pit|rtc|i8042|sata|smbus|fd-bootchk|x-oem-id',
    'x-oem-table-id|oem-id|oem-table-id|default-bus-bypass-iommu|pflash[01]|smbios-entry-point-type|bus-lock-ratelimit',
    'secure|virtualization|gic-version|its|tcg-its|ras|mte|acpi-vtd|dtb-randomness|dtb-kaslr-seed|second-ns-uart',
    'aia|aia-guests|aclint|iommu-sys|spcr|loadparm|aes-key-wrap|dea-key-wrap|cap-.*|ic-mode|pcspk-audiodev|audiodev',
    'microvm.*|x-option-roms|isa-serial|auto-kernel-cmdline|option-roms|ioapic2|pcie|noreboot|xen-.*|version|south-bridge',
    'x-south-bridge|acpi-pcihp.*|kvm-type|viommu',
  ].join('|')})$`,
);

/** Devices that show a picture at 0xa0000. */
const VGA_DEVICE =
  /^(?:VGA|cirrus-vga|qxl-vga|vmware-svga|virtio-vga(?:-gl|-rutabaga)?|isa-vga|isa-cirrus-vga|ati-vga|vhost-user-vga)$/;

const IOMMU_DEVICES: Readonly<Record<string, string>> = {
  'intel-iommu': 'intel',
  'amd-iommu': 'amd',
  'virtio-iommu': 'virtio',
  'virtio-iommu-pci': 'virtio',
  'virtio-iommu-pci-transitional': 'virtio',
  'virtio-iommu-pci-non-transitional': 'virtio',
  'arm-smmuv3': 'smmu-v3',
  smmuv3: 'smmu-v3',
  'riscv-iommu-pci': 'riscv',
};

/** What a program's name says of the guest: `qemu-system-aarch64`, `qemu-kvm`, `kvm`. */
export function describeProgram(name: string, draft: GuestDraft): void {
  const arch = /qemu-system-([a-z0-9_]+)/.exec(name)?.[1];
  if (arch !== undefined) draft.arch = arch;
  draft.accelerator = arch === undefined ? 'kvm' : 'tcg';
}

/** Reads the words after the program's name. Nothing throws; what is not understood becomes a problem of the draft. */
export class QemuArguments {
  readonly #draft: GuestDraft;
  readonly #backends = new Map<string, Backend>();
  readonly #backendSizes = new Map<string, bigint>();
  readonly #memoryDevices: { readonly driver: string; readonly properties: QemuProperties }[] = [];
  /** Of the machine or of a NUMA node: the backend that is the guest's RAM. */
  #ramBackend: string | undefined;
  #hasVga = false;
  #vga: string | undefined;
  #isBare = false;
  #maxRam: bigint | undefined;
  #memPath: Backend | undefined;
  /** Options with a value that could not be read. */
  readonly #unresolved = new Set<string>();
  /** An option is at the end that has no value. */
  isCut = false;
  /** There is an option that says something of the guest. */
  isAnyUnderstood = false;

  constructor(draft: GuestDraft) {
    this.#draft = draft;
  }

  /** `isWhole`: nothing is missing, so that what is not said is QEMU's default. */
  read(words: readonly string[], isWhole: boolean): void {
    for (let i = 0; i < words.length; ) {
      const word = words[i++] ?? '';
      const name = /^--?([A-Za-z][\w-]*)$/.exec(word)?.[1];
      if (name === undefined) continue;
      const next = words[i];
      const value = next !== undefined && !/^--?[A-Za-z]/.test(next) ? next : undefined;
      if (value !== undefined) i++;
      this.#option(name, value, i >= words.length);
    }
    this.#finish(isWhole && !this.isCut);
  }

  #option(name: string, value: string | undefined, isLast: boolean): void {
    const draft = this.#draft;
    if (name === 'enable-kvm') draft.accelerator = 'kvm';
    else if (name === 'nodefaults') this.#isBare = true;
    const read = READERS[name];
    if (!read) return;
    if (value === undefined) {
      if (isLast) this.isCut = true;
      return;
    }
    if (value.includes('$')) {
      if (name !== 'name') draft.problem('guest-option-unresolved', { option: `-${name} ${value}` });
      this.#unresolved.add(name);
      if (!value.includes(',')) return;
    }
    this.isAnyUnderstood = true;
    read(this, value);
  }

  #finish(isWhole: boolean): void {
    const draft = this.#draft;
    const isOpen = (...names: readonly string[]) => names.some((name) => this.#unresolved.has(name));
    if (
      isWhole &&
      draft.machine === undefined &&
      !isOpen('machine', 'M') &&
      /^(?:x86_64|i386)$/.test(draft.arch ?? 'x86_64')
    ) {
      draft.machine = 'pc';
      draft.problem('guest-machine-default', { machine: 'pc' });
    }
    if (isWhole && draft.ram === undefined && !isOpen('m')) {
      draft.ram = 128n * MIB;
      draft.problem('guest-memory-default', { size: '128 MiB' });
    }
    if (this.#maxRam !== undefined) draft.maxRam = this.#maxRam;
    for (const device of this.#memoryDevices) this.#plug(device);
    draft.backend =
      (this.#ramBackend === undefined ? undefined : this.#backends.get(this.#ramBackend)) ??
      this.#memPath ??
      draft.backend;
    const hasNoVga = this.#vga === 'none' || (this.#isBare && this.#vga === undefined);
    if (isWhole && hasNoVga && !this.#hasVga) draft.option('vga', 'none');
  }

  machine(value: string): void {
    const draft = this.#draft;
    const properties = qemuProperties(value, 'type') ?? new Map<string, string>();
    const type = properties.get('type');
    if (type !== undefined) {
      if (type.includes('$')) draft.problem('guest-option-unresolved', { option: `-machine ${type}` });
      else draft.machine = type;
    }
    for (const [key, text] of properties) {
      if (text.includes('$')) continue;
      if (key === 'accel') draft.accelerator = text.split(':')[0];
      else if (key === 'memory-backend') this.#ramBackend = text;
      else if (key === 'iommu' && text === 'smmuv3') draft.viommu = { kind: 'smmu-v3' };
      else if (MOVES_MEMORY.has(key)) this.#moving(key, text, `-machine ${key}=${text}`);
      else if (NOT_MODELLED.test(key)) {
        draft.option(key, text);
        draft.problem('guest-option-not-modelled', { option: `-machine ${key}=${text}` });
      } else if (!LEAVES_MEMORY.test(key)) draft.problem('guest-option-unknown', { option: `-machine ${key}=${text}` });
    }
  }

  /** An option that moves memory; sizes must be sizes. */
  #moving(key: string, text: string, option: string): void {
    const draft = this.#draft;
    if (/size$|-4g$/.test(key) && qemuSize(text) === undefined) {
      draft.problem('guest-option-invalid', { option, expected: 'a size such as 2G' });
    } else draft.option(key, text);
  }

  memory(value: string): void {
    const draft = this.#draft;
    const properties = qemuProperties(value, 'size') ?? new Map<string, string>();
    const size = (key: string) => {
      const text = properties.get(key);
      if (text === undefined) return undefined;
      const bytes = text.includes('$') ? undefined : qemuSize(text, MIB);
      if (bytes === undefined) this.#unresolved.add('m');
      if (bytes === undefined && !text.includes('$')) {
        draft.problem('guest-option-invalid', { option: `-m ${key}=${text}`, expected: 'a size such as 16G' });
      }
      return bytes;
    };
    draft.ram = size('size') ?? draft.ram;
    this.#maxRam = size('maxmem') ?? this.#maxRam;
    const slots = properties.get('slots');
    if (slots !== undefined && /^\d{1,3}$/.test(slots)) draft.slots = Number(slots);
  }

  memPath(value: string): void {
    this.#memPath = backendOfPath(value);
  }

  cpu(value: string): void {
    const draft = this.#draft;
    const properties = qemuProperties(value, 'model') ?? new Map<string, string>();
    draft.resetCpu();
    const model = properties.get('model');
    if (model !== undefined && !model.includes('$')) draft.cpu = model;
    const vendor = properties.get('vendor');
    if (vendor !== undefined) draft.vendor = vendorByName(vendor) ?? vendor;
    const bits = properties.get('phys-bits');
    if (bits !== undefined) {
      const width = /^\d{1,2}$/.test(bits) ? Number(bits) : undefined;
      if (width === undefined || width > 64) {
        draft.problem('guest-option-invalid', { option: `-cpu phys-bits=${bits}`, expected: 'a number of bits' });
      } else if (width > 0) draft.physBits = width;
    }
    for (const key of ['host-phys-bits', 'host-phys-bits-limit']) {
      const text = properties.get(key);
      if (text !== undefined) draft.option(key, text);
    }
  }

  object(value: string): void {
    const properties = qemuProperties(value, 'qom-type');
    const type = properties?.get('qom-type');
    if (!properties || type === undefined) return;
    const backend = /^memory-backend-(ram|file|memfd|epc|shm)$/.exec(type)?.[1];
    const id = properties.get('id');
    if (backend === undefined || id === undefined) return;
    const isHuge = isOn(properties.get('hugetlb'));
    const path = properties.get('mem-path') ?? '';
    const kind =
      backend === 'file' ? backendOfPath(path) : isHuge ? 'hugetlb' : backend === 'memfd' ? 'memfd' : ('ram' as const);
    this.#backends.set(id, kind);
    const size = qemuSize(properties.get('size') ?? '');
    if (size !== undefined) this.#backendSizes.set(id, size);
  }

  /** A memory device; its backend may stand behind it. */
  #plug({ driver, properties }: { readonly driver: string; readonly properties: QemuProperties }): void {
    const kind = driver === 'pc-dimm' ? 'dimm' : driver.replace(/-pci$/, '');
    const size = this.#backendSizes.get(properties.get('memdev') ?? '');
    const address = qemuSize(properties.get('addr') ?? properties.get('memaddr') ?? '');
    const isAddress = kind === 'dimm' || kind === 'nvdimm' ? properties.has('addr') : properties.has('memaddr');
    if (size === undefined || size === 0n) {
      this.#draft.problem('guest-option-not-modelled', { option: `-device ${driver}` });
      return;
    }
    this.#draft.plug({
      kind,
      size,
      address: isAddress && address !== 0n ? address : undefined,
      plugged: kind === 'virtio-mem' ? (qemuSize(properties.get('requested-size') ?? '') ?? 0n) : undefined,
    });
  }

  numa(value: string): void {
    this.#ramBackend ??= qemuProperties(value, 'type')?.get('memdev');
  }

  accel(value: string): void {
    this.#draft.accelerator = qemuProperties(value, 'accel')?.get('accel') ?? this.#draft.accelerator;
  }

  guestName(value: string): void {
    const properties = qemuProperties(value, 'guest');
    const name = properties?.get('guest');
    if (name !== undefined && !name.includes('$')) this.#draft.name = name;
  }

  vgaKind(value: string): void {
    this.#vga = value;
  }

  readConfig(value: string): void {
    // Proxmox's own hold its USB controllers and PCI bridges.
    if (!/\/qemu-server\/(?:pve-)?[\w.-]+\.cfg$/.test(value)) {
      this.#draft.problem('guest-option-elsewhere', { option: `-readconfig ${value}` });
    }
  }

  global(value: string): void {
    const properties = qemuProperties(value, 'driver') ?? new Map<string, string>();
    const name = properties.has('property')
      ? `${properties.get('driver')}.${properties.get('property')}`
      : ([...properties.keys()][0] ?? '');
    const text = properties.get('value') ?? properties.get(name) ?? '';
    const option = `-global ${name}=${text}`;
    const [, driver = '', property = ''] = /^(.*)\.([^.]+)$/.exec(name) ?? [];
    if (property === 'pci-hole64-size') this.#moving(property, text, option);
    else if (property === 'phys-bits' && /^\d{1,2}$/.test(text)) this.#draft.physBits = Number(text);
    else if (/pcihost$|^mch$|^i440FX$|gpex/i.test(driver) && !QUIET_BRIDGE.test(property)) {
      this.#draft.problem('guest-option-unknown', { option });
    }
  }

  device(value: string): void {
    const draft = this.#draft;
    const properties = qemuProperties(value, 'driver');
    const driver = properties?.get('driver');
    if (!properties || driver === undefined) return;
    if (/^vfio-pci(?:-nohotplug)?$|^pci-assign$/.test(driver)) this.#assigned(properties);
    else if (VGA_DEVICE.test(driver)) this.#hasVga = true;
    else if (/^(?:pc-dimm|nvdimm|virtio-mem(?:-pci)?|virtio-pmem(?:-pci)?)$/.test(driver)) {
      this.#memoryDevices.push({ driver, properties });
    } else if (/^(?:cxl-type3|sgx-epc)$/.test(driver)) {
      draft.problem('guest-option-not-modelled', { option: `-device ${driver}` });
    }
    const kind = IOMMU_DEVICES[driver];
    if (kind === undefined) return;
    const bits = properties.get('aw-bits') ?? properties.get('x-aw-bits') ?? properties.get('oas');
    draft.viommu = bits !== undefined && /^\d{1,2}$/.test(bits) ? { kind, address_width: Number(bits) } : { kind };
  }

  #assigned(properties: QemuProperties): void {
    const draft = this.#draft;
    if (isOn(properties.get('x-vga'))) this.#hasVga = true;
    if (properties.get('iommufd') !== undefined) draft.iommufd = true;
    const host = properties.get('host');
    const path = properties.get('sysfsdev');
    if (host === undefined && path === undefined) return;
    const device = host === undefined ? lastPciAddress(path ?? '') : normalizePciAddress(host);
    if (device !== undefined) draft.assign(device);
    else if ((host ?? path ?? '').includes('$')) {
      draft.problem('guest-option-unresolved', { option: `-device vfio-pci,host=${host ?? path}` });
    } else draft.problem('guest-device-unresolved', { device: host ?? path ?? '' });
  }
}

/** Properties of PCI host bridges that leave memory where it is. */
const QUIET_BRIDGE =
  /^(?:short_root_bus|x-pci-hole64-fix|x-config-reg-migration-enabled|extended-tseg-mbytes|smbase-smram|MCFG)$/;

/** The device at the end of a path in sysfs, or the parent of a mediated one. */
function lastPciAddress(path: string): string | undefined {
  const all = path.match(new RegExp(`(?<=/)${PCI_ADDRESS_PATTERN}(?=/|$)`, 'g'));
  return all ? normalizePciAddress(all.at(-1) ?? '') : undefined;
}

/** What files below a path are, as far as it tells. */
export function backendOfPath(path: string): Backend {
  return /huge/i.test(path) ? 'hugetlb' : 'file';
}

/** By the name of the option. */
const READERS: Readonly<Record<string, (reader: QemuArguments, value: string) => void>> = {
  machine: (reader, value) => reader.machine(value),
  M: (reader, value) => reader.machine(value),
  m: (reader, value) => reader.memory(value),
  'mem-path': (reader, value) => reader.memPath(value),
  cpu: (reader, value) => reader.cpu(value),
  object: (reader, value) => reader.object(value),
  numa: (reader, value) => reader.numa(value),
  accel: (reader, value) => reader.accel(value),
  name: (reader, value) => reader.guestName(value),
  vga: (reader, value) => reader.vgaKind(value),
  readconfig: (reader, value) => reader.readConfig(value),
  global: (reader, value) => reader.global(value),
  device: (reader, value) => reader.device(value),
};
