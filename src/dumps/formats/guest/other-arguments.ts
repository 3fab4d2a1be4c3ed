// The arguments of monitors other than QEMU, as lists of words, to a guest's definition.
//
//   cloud-hypervisor  --memory size=SIZE,hotplug_size=SIZE,hugepages=on,shared=on
//                     --memory-zone id=…,size=SIZE,file=…       their sum is the RAM if --memory has size=0
//                     --device path=/sys/bus/pci/devices/ADDRESS/,iommu=on
//                     --platform iommu_address_width=N          --cpus max_phys_bits=N
//   crosvm run        -m, --mem MIB | size=MIB                  --vfio /sys/bus/pci/devices/ADDRESS,iommu=viommu
//                     --hugepages                               --protected-vm and more move nothing
//
// (docs/memory.md, docs/vfio.md of Cloud Hypervisor 20 to 50; `crosvm run --help`, 2022 to 2025.)
import { normalizePciAddress, PCI_ADDRESS_PATTERN } from '../../fields/pci-address.ts';
import type { GuestDraft } from './draft.ts';
import { backendOfPath } from './qemu-arguments.ts';
import { isOn, qemuProperties } from './qemu-options.ts';
import { qemuSize } from './sizes.ts';

const MIB = 1n << 20n;
const NAMED = new RegExp(`(${PCI_ADDRESS_PATTERN})/?$`);

/**
 * Options with the values that follow them: `--memory size=1G`, `--memory=size=1G`; with `areLists` as many as follow,
 * `--device path=a path=b`, else one.
 */
function* options(words: readonly string[], areLists: boolean): Generator<readonly [name: string, value: string]> {
  let name = '';
  for (const word of words) {
    const match = /^--?([A-Za-z][\w-]*)(?:=(.*))?$/.exec(word);
    if (!match) {
      if (name !== '') yield [name, word];
      if (!areLists) name = '';
      continue;
    }
    const value = match[2];
    name = areLists || value === undefined ? (match[1] ?? '') : '';
    yield [match[1] ?? '', value ?? ''];
  }
}

function assign(draft: GuestDraft, path: string): void {
  const device = normalizePciAddress(NAMED.exec(path)?.[1] ?? '');
  if (device !== undefined) draft.assign(device);
  else draft.problem('guest-device-unresolved', { device: path });
}

/** Reads a size, or makes a problem of it. */
function sizeOf(draft: GuestDraft, option: string, text: string | undefined, unit = 1n): bigint | undefined {
  if (text === undefined) return undefined;
  const size = qemuSize(text, unit);
  if (size === undefined) {
    if (text.includes('$')) draft.problem('guest-option-unresolved', { option: `${option}=${text}` });
    else draft.problem('guest-option-invalid', { option: `${option}=${text}`, expected: 'a size such as 16G' });
  }
  return size;
}

/** The words after `cloud-hypervisor`. */
export function readCloudHypervisor(draft: GuestDraft, words: readonly string[], isWhole: boolean): void {
  draft.machine = 'cloud-hypervisor';
  draft.accelerator = 'kvm';
  let zones = 0n;
  for (const [name, value] of options(words, true)) {
    if (value === '') continue;
    const properties = qemuProperties(value, '') ?? new Map<string, string>();
    if (name === 'memory' || name === 'memory-zone') {
      const size = sizeOf(draft, `--${name} size`, properties.get('size'));
      if (name === 'memory') draft.ram = size ?? draft.ram;
      else zones += size ?? 0n;
      const hotplug = sizeOf(draft, `--${name} hotplug_size`, properties.get('hotplug_size'));
      if (hotplug !== undefined) draft.maxRam = (size ?? draft.ram ?? 0n) + hotplug;
      const file = properties.get('file');
      if (isOn(properties.get('hugepages'))) draft.backend = 'hugetlb';
      else if (file !== undefined) draft.backend = backendOfPath(file);
      else draft.backend ??= isOn(properties.get('shared')) ? 'memfd' : 'ram';
    } else if (name === 'device') {
      assign(draft, properties.get('path') ?? '');
      if (isOn(properties.get('iommu'))) draft.viommu ??= { kind: 'virtio' };
    } else if (name === 'platform') {
      const width = properties.get('iommu_address_width');
      if (width !== undefined && /^\d{1,2}$/.test(width)) {
        draft.viommu = { kind: 'virtio', address_width: Number(width) };
      }
    } else if (name === 'cpus') {
      const bits = properties.get('max_phys_bits');
      if (bits !== undefined && /^\d{1,2}$/.test(bits)) draft.physBits = Number(bits);
    }
  }
  if (zones > 0n && (draft.ram === undefined || draft.ram === 0n)) draft.ram = zones;
  if (isWhole && draft.ram === undefined) {
    draft.ram = 512n * MIB;
    draft.problem('guest-memory-default', { size: '512 MiB' });
  }
}

/** The words after `crosvm run`. */
export function readCrosvm(draft: GuestDraft, words: readonly string[], isWhole: boolean): void {
  draft.machine = 'crosvm';
  draft.accelerator = 'kvm';
  for (const [name, value] of options(words, false)) {
    if (name === 'hugepages') draft.backend = 'hugetlb';
    if (value === '') continue;
    if (name === 'm' || name === 'mem') {
      const size = qemuProperties(value, 'size')?.get('size');
      draft.ram = sizeOf(draft, `--${name}`, size, MIB) ?? draft.ram;
    } else if (name === 'vfio') {
      const [path = '', ...more] = value.split(',');
      if (path.startsWith('/')) assign(draft, path);
      if (more.includes('iommu=viommu')) draft.viommu = { kind: 'virtio' };
    } else if (name === 'name') draft.name ??= value;
  }
  if (isWhole && draft.ram === undefined) {
    draft.ram = 256n * MIB;
    draft.problem('guest-memory-default', { size: '256 MiB' });
  }
}
