// Fixes as text to copy: the option or the element to change, in the format of the guest's definition.
import type { GuestDefinition } from '../guest/guest-memory.ts';
import { GIB, MIB } from '../guest/layout.ts';
import type { Remedy } from './conflict.ts';

/** The format of a text: for a program's command line, or for the file that defines a guest. */
export type FixForm = 'qemu' | 'libvirt' | 'proxmox' | 'kubevirt' | 'cloud-hypervisor' | 'crosvm' | 'shell' | 'systemd';

/** The formats of guest definitions. */
const DEFINITION_FORMS: ReadonlySet<string> = new Set<FixForm>([
  'qemu',
  'libvirt',
  'proxmox',
  'kubevirt',
  'cloud-hypervisor',
  'crosvm',
]);

type Form = Pick<GuestDefinition, 'form' | 'monitor' | 'machine' | 'cpu' | 'viommu' | 'arch' | 'name'>;

/** The format of a guest's definition; QEMU's if unknown. */
export function formOf(definition: Pick<Form, 'form' | 'monitor'> | undefined): FixForm {
  const form = definition?.form ?? definition?.monitor ?? 'qemu';
  return DEFINITION_FORMS.has(form) ? (form as FixForm) : 'qemu';
}

type Text = Pick<Remedy, 'form' | 'copy'>;

/** The text for a format, if there is one. */
function textFor(definition: Form | undefined, texts: Readonly<Partial<Record<FixForm, string>>>): Text {
  const form = formOf(definition);
  const copy = texts[form];
  return copy === undefined ? {} : { form, copy };
}

/** A QEMU option as a libvirt element and as a Proxmox line. */
function passedOn(option: string, value: string): Readonly<Record<'qemu' | 'libvirt' | 'proxmox', string>> {
  return {
    qemu: `${option} ${value}`,
    libvirt: [
      "<qemu:commandline xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'>",
      `  <qemu:arg value='${option}'/>`,
      `  <qemu:arg value='${value}'/>`,
      '</qemu:commandline>',
    ].join('\n'),
    proxmox: `args: ${option} ${value}`,
  };
}

/** The RAM of the guest, in bytes: rounded down to MiB. */
export function ramText(definition: Form | undefined, ram: bigint): Text {
  const mib = ram / MIB;
  return textFor(definition, {
    qemu: `-m ${mib}M`,
    libvirt: `<memory unit='MiB'>${mib}</memory>\n<currentMemory unit='MiB'>${mib}</currentMemory>`,
    proxmox: `memory: ${mib}`,
    kubevirt: `memory:\n  guest: ${mib}Mi`,
    'cloud-hypervisor': `--memory size=${mib}M`,
    crosvm: `--mem ${mib}`,
  });
}

/** A width of the guest's physical addresses, at most that of the host. */
export function physBitsText(definition: Form | undefined, bits: number): Text {
  const cpu = definition?.cpu ?? 'host';
  const limit =
    cpu === 'host' || cpu === 'max' ? `host-phys-bits=on,host-phys-bits-limit=${bits}` : `phys-bits=${bits}`;
  return textFor(definition, {
    qemu: `-cpu ${cpu},${limit}`,
    libvirt: `<maxphysaddr mode='emulate' bits='${bits}'/>`,
    proxmox: `cpu: ${cpu},phys-bits=${bits}`,
    'cloud-hypervisor': `--cpus max_phys_bits=${bits}`,
  });
}

/** The width of the host's CPU for the guest. */
export function hostPhysBitsText(definition: Form | undefined): Text {
  const cpu = definition?.cpu ?? 'host';
  return textFor(definition, {
    qemu: `-cpu ${cpu},host-phys-bits=on`,
    libvirt: "<maxphysaddr mode='passthrough'/>",
    proxmox: `cpu: ${cpu},phys-bits=host`,
  });
}

/** Limits the RAM below 4 GiB, in bytes. */
export function maxRamBelow4gText(definition: Form | undefined, size: bigint): Text {
  const value = size % GIB === 0n ? `${size / GIB}G` : `${size / MIB}M`;
  return textFor(definition, passedOn('-machine', `max-ram-below-4g=${value}`));
}

/** Another version of the machine, such as `7.1`. */
export function machineVersionText(definition: Form | undefined, version: string): Text {
  const chipset = /q35/.test(definition?.machine ?? 'q35') ? 'pc-q35' : 'pc-i440fx';
  const machine = `${chipset}-${version}`;
  return textFor(definition, {
    qemu: `-machine ${machine}`,
    libvirt: `<type arch='x86_64' machine='${machine}'>hvm</type>`,
    proxmox: `machine: ${machine}`,
  });
}

/** The width of the guest's own IOMMU. */
export function viommuText(definition: Form | undefined, bits: number): Text {
  const kind = definition?.viommu?.kind ?? 'intel';
  if (kind === 'virtio') {
    return textFor(definition, {
      ...passedOn('-global', `virtio-iommu-pci.aw-bits=${bits}`),
      'cloud-hypervisor': `--platform iommu_address_width=${bits}`,
    });
  }
  return textFor(definition, {
    ...passedOn('-global', `intel-iommu.aw-bits=${bits}`),
    qemu: `-device intel-iommu,aw-bits=${bits}`,
    libvirt: `<iommu model='intel'>\n  <driver aw_bits='${bits}'/>\n</iommu>`,
  });
}

/** How to raise the limit of locked memory. `limit`: the bytes that are needed; undefined if unknown. */
export function memlockTexts(definition: Form | undefined, limit: bigint | undefined): Remedy[] {
  const form = formOf(definition);
  const gib = limit === undefined ? undefined : (limit + GIB - 1n) / GIB;
  const libvirt: Remedy = {
    text:
      gib === undefined
        ? 'In libvirt, with the RAM and some room in GiB'
        : `Set the limit of locked memory to ${gib} GiB`,
    form: 'libvirt',
    copy: `<memtune>\n  <hard_limit unit='GiB'>${gib ?? '…'}</hard_limit>\n</memtune>`,
  };
  if (form === 'libvirt') return [libvirt];
  if (form === 'kubevirt')
    return [{ text: 'Update KubeVirt: its virt-handler raises RLIMIT_MEMLOCK for assigned devices' }];
  const kib = gib === undefined ? 'unlimited' : String(gib * (GIB >> 10n));
  const own: Remedy[] = [
    {
      text: `Raise RLIMIT_MEMLOCK of the VMM${gib === undefined ? ' above the RAM of its guest' : ` to ${gib} GiB`} (as root, in the shell that starts it)`,
      form: 'shell',
      copy: `ulimit -l ${kib}`,
    },
    {
      text: 'Or in its systemd unit',
      form: 'systemd',
      copy: `LimitMEMLOCK=${gib === undefined ? 'infinity' : `${gib}G`}`,
    },
  ];
  return definition === undefined
    ? [...own, { ...libvirt, text: `Or ${libvirt.text.charAt(0).toLowerCase()}${libvirt.text.slice(1)}` }]
    : own;
}

/** Memory that the kernel can pin, instead of a file on disk. */
export function memfdText(definition: Form | undefined): Text {
  return textFor(definition, {
    qemu: '-object memory-backend-memfd,id=mem0,size=…,share=on',
    libvirt: "<memoryBacking>\n  <source type='memfd'/>\n  <access mode='shared'/>\n</memoryBacking>",
    'cloud-hypervisor': '--memory shared=on,size=…',
  });
}

/** Reserves hugepages of 2 MiB for `ram` bytes. */
export function hugepagesText(ram: bigint): Text {
  return { form: 'shell', copy: `sysctl vm.nr_hugepages=${(ram + 2n * MIB - 1n) / (2n * MIB)}` };
}
