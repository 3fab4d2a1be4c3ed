// PCI devices and their drivers in kernel logs, and the kernel's command line.
//
//   "pci " ADDRESS ": [" ids "] type " hex " class 0x" 6hex …           found; type 01 is a bridge
//   driver " " ADDRESS ": " …                                          a driver's own message, behind a stamp of the log,
//                                                                   with an interface: "ixgbe 0000:5e:00.0 eth0: "
//   ["Kernel "] "Command line: " words | words                         the latter: /proc/cmdline
//   "DMAR: IOMMU disabled" | "AMD-Vi: AMD IOMMU disabled" …
//
// (pci_setup_device in drivers/pci/probe.c, dev_printk, intel_iommu_setup; Linux 3.2 to 6.12.)
import { normalizePciAddress, PCI_ADDRESS_PATTERN } from '../../fields/pci-address.ts';
import type { DumpLine, DumpSource, FactSink, LineParser, LineReader, Lookahead } from '../../format.ts';
import { type Message, readMessage } from '../message-table.ts';
import { className } from './class-names.ts';
import { deviceFact } from './device-fact.ts';

const FOUND = new RegExp(
  `^\\s{0,8}pci (${PCI_ADDRESS_PATTERN}): \\[([0-9a-f]{4}:[0-9a-f]{4})\\] type (?:0x)?([0-9a-f]{2}) class (?:0x)?([0-9a-f]{6})`,
  'i',
);
/** Drivers of networks add the interface, or that there is none yet. */
const DRIVER = new RegExp(
  `^\\s{0,8}([a-z][\\w-]{1,40}) (${PCI_ADDRESS_PATTERN})(?: (?:[a-z][\\w.:-]{0,15}|${PCI_ADDRESS_PATTERN})?(?: ?\\((?:uninitialized|unregistered net_device|unregistering|unregistered)\\))?)?: `,
);
/** Subsystems that print with a device's address in the same form. */
const NO_DRIVER =
  /^(?:pci|vfio|iommu|host|device|dev|group|error|warning|node|for|at|of|from|to|with|using|on|and|is)$/;
const STAMP = /\[ {0,10}\d{1,10}\.\d{1,9}\]|\bkernel: /;
const COMMAND_LINE = /(?:^|\b[Kk]ernel |[^\w])[Cc]ommand line: ?(\S.*)$/;
const PROC = /^\s{0,8}(?:BOOT_IMAGE=|initrd=|root=)\S{1,400}(?: \S|$)/;
/** Options that decide what an IOMMU does, and which devices vfio-pci takes. */
const OPTION =
  /^(?:intel_iommu|amd_iommu|amd_iommu_intr|iommu|iommu\.(?:passthrough|strict|forcedac)|arm-smmu(?:-v3)?\.\w+|vfio[-_]pci\.\w+|vfio_iommu_type1\.\w+|vfio\.\w+|pcie_acs_override|pci|intremap|kvm-(?:intel|amd)\.nested|video|rd\.driver\.(?:pre|blacklist)|modprobe\.blacklist|hugepages|default_hugepagesz|hugepagesz|efi)(?:=|$)/;
const OPTIONS_MAX = 40;
/** Those that decide what an IOMMU translates: they are kept as a fact. */
const IOMMU_OPTION = /^(?:intel_iommu|amd_iommu|amd_iommu_intr|iommu|iommu\.\w+|arm-smmu(?:-v3)?\.\w+|intremap)=/;
/** What a kernel is started with in any case, in some form: it tells a whole command line without such options. */
const ANY_KERNEL = /(?:^|\s)(?:BOOT_IMAGE|root|initrd|console)=/;

const MESSAGES: readonly Message[] = [
  {
    code: 'iommu-disabled',
    start: /IOMMU disabled|IOMMU is disabled/i,
    pattern: /^\s{0,8}(DMAR|AMD-Vi|Intel-IOMMU): .{0,40}?IOMMU (?:is )?disabled/i,
    read: ([, by = '']) => ({ by }),
  },
];

class KernelLogDevicesReader implements LineReader {
  readonly #sink: FactSink;
  /** The driver of each device, as told last. */
  readonly #drivers = new Map<string, string>();

  /** Of the last command line. */
  #options: string | undefined;

  constructor(sink: FactSink) {
    this.#sink = sink;
  }

  line(line: DumpLine, ahead: Lookahead): number {
    if (line.elision || line.prompt) return 0;
    return (
      this.#found(line) ||
      this.#commandLine(line) ||
      readMessage(MESSAGES, line, ahead, this.#sink) ||
      this.#driver(line)
    );
  }

  #found(line: DumpLine): number {
    const [, address = '', ids, type, code = ''] = FOUND.exec(line.text) ?? [];
    const device = normalizePciAddress(address);
    if (device === undefined) return 0;
    const name = type === '01' ? 'PCI bridge' : className(code);
    this.#sink.fact(deviceFact(device, { class: name, ids }), line.number);
    return 1;
  }

  /** Once for each driver that a device has. */
  #driver(line: DumpLine): number {
    const [, driver = '', address = ''] = DRIVER.exec(line.text) ?? [];
    if (driver === '' || NO_DRIVER.test(driver) || !STAMP.test(line.raw)) return 0;
    const device = normalizePciAddress(address);
    if (device === undefined || this.#drivers.get(device) === driver) return 0;
    if (this.#drivers.size >= DEVICES_MAX && !this.#drivers.has(device)) return 0;
    this.#drivers.set(device, driver);
    this.#sink.fact(deviceFact(device, { driver }), line.number);
    return 1;
  }

  #commandLine(line: DumpLine): number {
    const words = COMMAND_LINE.exec(line.text)?.[1] ?? (PROC.test(line.text) ? line.text : undefined);
    if (words === undefined) return 0;
    const options = words
      .split(/\s+/)
      .filter((word) => OPTION.test(word))
      .slice(0, OPTIONS_MAX);
    this.#sink.recognized();
    // The kernel prints it twice: as it came, and as it is used.
    const text = options.join(' ');
    if (text === this.#options) return 1;
    this.#options = text;
    const own = options.filter((option) => IOMMU_OPTION.test(option)).join(' ');
    if (own !== '' || ANY_KERNEL.test(words)) this.#sink.fact({ kind: 'host', options: own }, line.number);
    if (options.length === 0) return 1;
    this.#sink.diagnostic('kernel-options', { options }, line.number);
    const off = options.find((option) => /^(?:intel_iommu|amd_iommu|iommu)=(?:.*,)?off\b/.test(option));
    if (off !== undefined) this.#sink.diagnostic('iommu-disabled', { option: off }, line.number);
    const override = options.find((option) => option.startsWith('pcie_acs_override'));
    if (override !== undefined) this.#sink.diagnostic('acs-override', { option: override }, line.number);
    return 1;
  }
}

const DEVICES_MAX = 10_000;

export const KERNEL_LOG_DEVICES: LineParser = {
  open: (_source: DumpSource, sink) => new KernelLogDevicesReader(sink),
};
