// The schemas of a session's contents. Only code that reads session files needs them; the types are in events.ts.
// In memory every address is a bigint; in a file it is a lower-case hex string (see read.ts and write.ts).
import * as v from 'valibot';
import { iova, isIova } from '../iova/iova.ts';

/** An address, length or register of up to 64 bits, written as a hex string. */
const address = v.pipe(
  v.string('expected a hex string such as "0xfee00000"'),
  v.regex(/^0x[0-9a-f]+$/i, 'expected a hex string such as "0xfee00000"'),
  v.transform((text) => BigInt(text)),
  v.check(isIova, 'larger than 64 bits'),
  v.transform(iova),
);
const text = v.string();
const count = v.pipe(v.number(), v.integer(), v.minValue(0));
const bounds = v.pipe(
  v.tuple([address, address]),
  v.transform(([start, last]) => [start, last] as const),
);
const span = { start: address, last: address };
/** Where a fact was read: file or host, and its first line there, counted from 1. */
const provenance = { source: v.optional(text), line: v.optional(count) };

export const HEADER = v.looseObject({
  format: v.literal('iova-trace', 'expected "format":"iova-trace"'),
  version: v.literal(1, 'only version 1 of the format is known'),
  model: v.optional(text),
  page_size: v.optional(address),
  huge_page_size: v.optional(address),
  kernel: v.optional(text),
  /** RLIMIT_MEMLOCK in bytes, of a process without CAP_IPC_LOCK; no limit if absent. */
  memlock: v.optional(address),
  source: v.optional(text),
  title: v.optional(text),
});
function fact<const K extends string, const E extends v.ObjectEntries>(kind: K, entries: E) {
  return v.looseObject({ kind: v.literal(kind), ...entries, ...provenance });
}

/** A fact about a range, inclusive. That `start` is not above `last` is checked in event-line.ts. */
function rangeFact<const K extends string, const E extends v.ObjectEntries>(kind: K, entries: E) {
  return fact(kind, { ...span, ...entries });
}

/**
 * What kind of memory is mapped; RAM if absent. An unknown word is kept and counts as RAM.
 * `present`: how many bytes from the start of the range exist, only with `tail-hole` and `past-eof`.
 */
const backing = { memory: v.optional(text), present: v.optional(address) };

const mapping = {
  paddr: v.optional(address),
  vaddr: v.optional(address),
  device: v.optional(text),
  domain: v.optional(text),
  time: v.optional(v.number()),
  origin: v.optional(text),
};

/** One schema for each kind of fact (docs/session-format.md). Fields that are not listed are kept as they are. */
export const FACTS = {
  host: fact('host', {
    name: v.optional(text),
    kernel: v.optional(text),
    arch: v.optional(text),
    address_width: v.optional(count),
    // Options of the kernel's command line about IOMMUs: `intel_iommu=on,sm_off iommu.strict=1`.
    options: v.optional(text),
    // Physical and virtual address bits of its CPU, not of its IOMMU.
    cpu_physical_bits: v.optional(count),
    cpu_virtual_bits: v.optional(count),
    // AMD: the extended features and the information field of the IVRS table.
    efr: v.optional(address),
    efr2: v.optional(address),
    ivinfo: v.optional(address),
    // ARM: how requester ids map to stream ids (IORT): segment, first requester id, number of ids, first stream id.
    stream_ids: v.optional(v.array(v.tuple([count, count, count, count]))),
    // In a file of several hosts: number of the host, from 1. Events up to the next fact with `part` belong to it.
    part: v.optional(count),
    // Of a fleet: names of the hosts that are like this one, and what differs between them that these facts do not show.
    alike: v.optional(v.array(text)),
    varies: v.optional(v.array(text)),
  }),
  /**
   * A note of the user about the case, or about a range. `space`: name of the model's address space that contains the range;
   * without it, the range is in the address space of the host whose facts surround the note.
   */
  note: fact('note', { text, start: v.optional(address), last: v.optional(address), space: v.optional(text) }),
  iommu: fact('iommu', {
    name: text,
    driver: text,
    address_width: v.optional(count),
    cap: v.optional(address),
    ecap: v.optional(address),
  }),
  group: fact('group', { group: text, type: v.optional(text), devices: v.array(text) }),
  reserved: rangeFact('reserved', {
    type: text,
    origin: v.optional(text),
    group: v.optional(text),
    device: v.optional(text),
  }),
  aperture: rangeFact('aperture', {
    pgsize_bitmap: v.optional(address),
    group: v.optional(text),
    iommu: v.optional(text),
    container: v.optional(text),
    // `manual`: entered by hand, in place of all that the sources say of the host.
    origin: v.optional(text),
  }),
  valid_range: rangeFact('valid_range', {
    container: v.optional(text),
    ioas: v.optional(text),
    // On a live host: the process that holds it, and what else the kernel answered.
    pid: v.optional(count),
    process: v.optional(text),
    guest: v.optional(text),
    mappings_left: v.optional(count),
    pgsize_bitmap: v.optional(address),
    alignment: v.optional(address),
  }),
  window: rangeFact('window', { name: text, depth: count, type: text }),
  bar: rangeFact('bar', {
    device: text,
    index: count,
    prefetchable: v.optional(v.boolean()),
    bits: v.optional(count),
  }),
  msi_message: fact('msi_message', {
    device: text,
    address,
    data: v.optional(address),
    enabled: v.optional(v.boolean()),
  }),
  /** What a PCI device is and which driver holds it. `ids` are `vendor:device` in lower-case hex; so is `subsystem`, or
   * it is a name if no ids were printed. */
  device: fact('device', {
    device: text,
    name: v.optional(text),
    class: v.optional(text),
    ids: v.optional(text),
    subsystem: v.optional(text),
    driver: v.optional(text),
    group: v.optional(text),
    iommu: v.optional(text),
    numa_node: v.optional(count),
    // The bridge above it.
    parent: v.optional(text),
    // Width of the addresses that the kernel's DMA API gives the device after those below 4 GiB ran out.
    dma_bits: v.optional(count),
  }),
  /**
   * A guest's own definition. Sizes are bytes; `options` are the settings that move memory, by QEMU's names, with their
   * values as given; `assigned` are PCI addresses on the host. `ram` is absent only if the definition was cut before it.
   */
  machine: fact('machine', {
    name: v.optional(text),
    monitor: text,
    machine: text,
    version: v.optional(text),
    cpu: v.optional(text),
    vendor: v.optional(text),
    ram: v.optional(address),
    max_ram: v.optional(address),
    slots: v.optional(count),
    phys_bits: v.optional(count),
    options: v.optional(v.record(text, text)),
    backend: v.optional(text),
    viommu: v.optional(v.looseObject({ kind: text, address_width: v.optional(count) })),
    assigned: v.optional(v.array(text)),
    iommufd: v.optional(v.boolean()),
    /** Format of the definition: `qemu`, `libvirt`, `proxmox`, `kubevirt`. Fixes use the same format. */
    form: v.optional(text),
    /** When it was started, as ISO 8601. */
    started: v.optional(text),
    /** Memory devices above the RAM: `dimm`, `nvdimm`, `virtio-mem` (`plugged`: bytes that are plugged in) …. */
    memory_devices: v.optional(
      v.array(v.looseObject({ kind: text, size: address, address: v.optional(address), plugged: v.optional(address) })),
    ),
    /** The limit of locked memory that the definition sets, in bytes. */
    memlock: v.optional(address),
    // The layout also depends on these: `kvm`, `tcg` …; `x86_64`, `aarch64`, `riscv64` ….
    accelerator: v.optional(text),
    arch: v.optional(text),
  }),
  guest: rangeFact('guest', { name: text, type: text, space: v.optional(text) }),
  map: rangeFact('map', mapping),
  unmap: rangeFact('unmap', { ...mapping, unmapped: v.optional(address) }),
  request: rangeFact('request', {
    op: v.picklist(['map', 'unmap']),
    api: v.picklist(['vfio', 'iommufd']),
    vaddr: v.optional(address),
    result: v.union([v.literal(0), text]),
    name: v.optional(text),
    device: v.optional(text),
    group: v.optional(text),
    ...backing,
  }),
  fault: fact('fault', {
    address,
    device: v.optional(text),
    access: v.optional(text),
    reason: v.optional(text),
    driver: v.optional(text),
    pasid: v.optional(v.union([count, text])),
    // Seconds, on the same clock as the times of mappings.
    time: v.optional(v.number()),
  }),
  /** On a live host: the event at this position in the session (counted from 1) no longer holds. */
  gone: fact('gone', { event: count, time: v.optional(v.number()) }),
  /** A person asks what would be without them: the reserved regions with these bounds, of one group or of all. */
  ignored: rangeFact('ignored', { type: text, group: v.optional(text), origin: v.optional(text) }),
  ineligible: fact('ineligible', { device: text, reason: text }),
  diagnostic: fact('diagnostic', {
    severity: v.picklist(['info', 'warning', 'error']),
    code: text,
    message: text,
  }),
};

export const expectation = v.looseObject({
  ret: v.union([v.number(), text]),
  iova: v.optional(address),
  unmapped: v.optional(address),
  alignment: v.optional(address),
  ranges: v.optional(v.array(bounds)),
  sw_msi_start: v.optional(address),
  argsz: v.optional(count),
  hex: v.optional(text),
  dma_addr: v.optional(address),
  num_iovas: v.optional(count),
});
function operation<const O extends string, const E extends v.ObjectEntries>(op: O, entries: E) {
  return v.looseObject({ op: v.literal(op), ...entries, expect: v.optional(expectation) });
}

export const domain = v.looseObject({
  iommu: text,
  aperture: bounds,
  pgsize_bitmap: address,
  enforce_cache_coherency: v.optional(v.boolean()),
  /** As in facts of kind `iommu`; guessed from the name of the IOMMU if absent. */
  driver: v.optional(text),
  /** False if the IOMMU cannot track dirty pages. */
  dirty_tracking: v.optional(v.boolean()),
});
export const region = v.looseObject({ start: address, last: address, type: text });
/** Names of flags. An unknown flag is kept: kernels refuse it. */
const flags = v.array(text);
/** What a device is attached to: an IOAS, or a page table (hwpt) that was allocated before. */
const pageTable = { ioas: v.optional(text), hwpt: v.optional(text) };

/** One schema for each operation (docs/session-format.md); names and arguments follow the kernel's UAPI. */
export const OPERATIONS = {
  'ioas.alloc': operation('ioas.alloc', { ioas: text }),
  'ioas.destroy': operation('ioas.destroy', { ioas: text }),
  'ioas.map': operation('ioas.map', {
    ioas: text,
    flags,
    user_va: address,
    length: address,
    iova: v.optional(address),
    ...backing,
  }),
  /** Maps `length` bytes from offset `start` of the file that `fd` names. */
  'ioas.map_file': operation('ioas.map_file', {
    ioas: text,
    flags,
    fd: text,
    file_size: v.optional(address),
    start: address,
    length: address,
    iova: v.optional(address),
    ...backing,
  }),
  'ioas.copy': operation('ioas.copy', {
    dst: text,
    src: text,
    flags,
    length: address,
    src_iova: address,
    dst_iova: v.optional(address),
  }),
  'ioas.unmap': operation('ioas.unmap', { ioas: text, iova: address, length: address }),
  'ioas.iova_ranges': operation('ioas.iova_ranges', { ioas: text, capacity: v.optional(count) }),
  'ioas.allow_iovas': operation('ioas.allow_iovas', { ioas: text, ranges: v.array(bounds) }),
  'ioas.reserve': operation('ioas.reserve', { ioas: text, start: address, length: address }),
  'ioas.option_huge_pages': operation('ioas.option_huge_pages', { ioas: text, value: count }),
  'device.attach': operation('device.attach', {
    device: text,
    ...pageTable,
    // Group of the device: before Linux 6.5 the regions of the whole group count.
    group: v.optional(text),
    domain,
    reserved: v.array(region),
  }),
  'device.replace': operation('device.replace', { device: text, ...pageTable }),
  'device.detach': operation('device.detach', { device: text }),
  'hwpt.alloc': operation('hwpt.alloc', { hwpt: text, device: text, ioas: text, flags }),
  'hwpt.destroy': operation('hwpt.destroy', { hwpt: text }),
  'access.create': operation('access.create', { access: text, ioas: text }),
  'access.destroy': operation('access.destroy', { access: text }),
  'access.pin': operation('access.pin', {
    access: text,
    pin: text,
    iova: address,
    length: address,
    write: v.boolean(),
  }),
  'access.unpin': operation('access.unpin', { access: text, pin: text }),
  'container.open': operation('container.open', { container: text, model: v.picklist(['type1', 'type1v2']) }),
  'container.close': operation('container.close', { container: text }),
  'container.attach_group': operation('container.attach_group', {
    container: text,
    group: text,
    domain,
    reserved: v.array(region),
  }),
  'container.detach_group': operation('container.detach_group', { container: text, group: text }),
  'container.map_dma': operation('container.map_dma', {
    container: text,
    flags,
    vaddr: address,
    size: address,
    iova: address,
    ...backing,
  }),
  'container.unmap_dma': operation('container.unmap_dma', {
    container: text,
    flags,
    iova: address,
    size: address,
  }),
  'container.get_info': operation('container.get_info', { container: text, argsz: count }),
  'container.check_extension': operation('container.check_extension', { container: text, extension: count }),
  // Calls of drivers to the kernel's DMA API. `windows`: memory windows of the device's PCI host bridge.
  'dma.attach': operation('dma.attach', {
    device: text,
    domain: text,
    aperture: bounds,
    force_aperture: v.boolean(),
    pgsize_bitmap: address,
    pci: v.boolean(),
    forcedac: v.boolean(),
    bus_dma_limit: v.optional(address),
    windows: v.array(bounds),
    reserved: v.array(region),
  }),
  'dma.map': operation('dma.map', { device: text, phys: address, size: address, dma_mask: address }),
  'dma.unmap': operation('dma.unmap', { device: text, dma_addr: address, size: address }),
};

export function isFactKind(kind: string): kind is keyof typeof FACTS {
  return Object.hasOwn(FACTS, kind);
}

export function isOperationName(op: string): op is keyof typeof OPERATIONS {
  return Object.hasOwn(OPERATIONS, op);
}
