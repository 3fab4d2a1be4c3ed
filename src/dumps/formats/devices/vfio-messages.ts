// Why a device could not be given to a guest at all, before any address: messages of QEMU, libvirt and the kernel.
//
//   ["vfio " device ": "] "failed to open /dev/vfio/" group ": " error       QEMU; also "could not open"
//   "vfio " device ": no iommu_group found: " error | "… failed to get iommu_group" …
//   "vfio " device ": error getting device from group " group ": " error
//   "Verify all devices in group " group " are bound to vfio-<bus> or pci-stub and not already in use"
//   "lease ensure all devices within the iommu_group are bound to their vfio bus driver"
//   "vfio " device ": error bind device fd " n " to iommufd " n ": " error | "… open /dev/(iommu|vfio/vfio|vfio/devices/vfioN): " error
//   "vfio " device ": device is already attached"
//   "PCI device " device " is in use" [" by driver " name ", domain " name]   libvirt
//   "host doesn't support passthrough of host PCI devices" | "Device " device " is behind a switch lacking ACS" …
//   "vfio-pci: probe of " device " failed with error " n | "vfio-pci " device ": probe with driver vfio-pci failed with error " n
//
// "group N is not viable" is read with QEMU's other errors (qemu/errors.ts). (hw/vfio of QEMU 1.3 to 10.1; libvirt 1.0 to 11;
// really_probe in drivers/base/dd.c, Linux 3.6 to 6.12.)

import { errorOf } from '../../fields/errno.ts';
import { normalizeDevice, PCI_ADDRESS_PATTERN } from '../../fields/pci-address.ts';
import type { DumpLine, DumpSource, FactSink, LineParser, LineReader, Lookahead } from '../../format.ts';
import { type Message, readMessage } from '../message-table.ts';

const DEVICE = `(${PCI_ADDRESS_PATTERN})`;
const ERROR = '([A-Z][\\w /,-]{1,60})';

const deviceOf = (text: string | undefined) => (text === undefined ? undefined : normalizeDevice(text));

const MESSAGES: readonly Message[] = [
  {
    code: 'vfio-group-not-opened',
    start:
      /(?:ailed to|ould not|error opening|annot) ?(?:open)? ?['"]?\/dev\/vfio\/(?!devices|vfio)|open ['"]?\/dev\/vfio\/\d/i,
    pattern: new RegExp(
      `(?:(?:${DEVICE}: |host=${DEVICE}(?![\\w.])\\S{0,200}: vfio: )[\\w :,]{0,30}?)?open(?:ing)? ['"]?/dev/vfio/(?:noiommu-)?(\\d{1,9})['"]?: ?${ERROR}`,
    ),
    read: ([, device, host, group = '', why]) => ({
      device: deviceOf(device ?? host),
      group,
      error: errorOf(undefined, why),
    }),
  },
  {
    code: 'vfio-device-without-group',
    start: /no iommu_group\b|failed to get iommu_group|iommu_group not found/,
    pattern: new RegExp(
      `(?:${DEVICE}: ?)?(?:error:? )?(?:no iommu_group(?: found| for device)|failed to get iommu_group|iommu_group not found)`,
    ),
    read: ([, device]) => ({ device: deviceOf(device) }),
  },
  {
    code: 'vfio-device-not-handed-out',
    start: /getting device(?: \S{1,40})? from group/,
    pattern: new RegExp(
      `(?:${DEVICE}: ?)?error getting device (?:${DEVICE} )?from group (\\d{1,9})(?!\\w|[…*?#]|\\.\\.)(?:: ?${ERROR})?`,
    ),
    read: ([, before, device = before, group = '', why]) => ({
      device: deviceOf(device),
      group,
      error: errorOf(undefined, why),
    }),
  },
  {
    code: 'iommufd-device-not-bound',
    start: /error bind device fd/,
    pattern: new RegExp(`(?:${DEVICE}: ?)?error bind device fd[ =]?\\d{1,9} to iommufd[ =]?\\d{1,9}(?:: ?${ERROR})?`),
    read: ([, device, why]) => ({ device: deviceOf(device), error: errorOf(undefined, why) }),
  },
  {
    code: 'vfio-file-not-opened',
    start: /open ['"]?\/dev\/(?:vfio\/(?:devices|vfio\b)|iommu\b)/i,
    pattern: new RegExp(`open ['"]?(/dev/(?:vfio/devices/vfio\\d{1,6}|vfio/vfio|iommu))['"]?: ?${ERROR}`),
    read: ([, file = '', why]) => ({ file, error: errorOf(undefined, why) }),
  },
  {
    code: 'vfio-device-attached-twice',
    start: /is already attached/,
    pattern: new RegExp(`(?:vfio:? )(?:error: )?(?:device )?${DEVICE}:? (?:device )?is already attached`),
    read: ([, device]) => ({ device: deviceOf(device) }),
  },
  {
    code: 'device-in-use',
    start: /PCI device .{4,20} is in use/,
    pattern: new RegExp(`PCI device ${DEVICE} is in use(?: by driver ([\\w-]{1,40}), domain ([\\w.@:+-]{1,80}))?`),
    read: ([, device, driver, domain]) => ({ device: deviceOf(device), driver, domain }),
  },
  {
    code: 'host-without-passthrough',
    start: /host doesn't support .{0,12}passthrough/,
    pattern: /host doesn't support (?:VFIO PCI |legacy PCI )?passthrough(?: of host PCI devices)?/,
    read: () => ({}),
  },
  {
    code: 'device-not-isolated',
    start: /lacking ACS/,
    pattern: new RegExp(`Device ${DEVICE} is behind a switch lacking ACS`),
    read: ([, device]) => ({ device: deviceOf(device) }),
  },
  {
    code: 'vfio-probe-failed',
    start: /vfio-pci.{1,60}failed with error/,
    pattern: new RegExp(
      `vfio-pci:? (?:probe of )?${DEVICE}:? (?:probe with driver vfio-pci )?failed with error (-?\\d{1,4})`,
    ),
    read: ([, device, number]) => ({ device: deviceOf(device), error: errorOf(number) }),
  },
];

/** Advice that QEMU prints below its error, and what vfio-pci prints when it gets an id. */
const OTHER =
  /failed to get group \d{1,9}$|lease ensure all devices within the iommu_group are bound|Verify all devices in group \d{1,9} are bound|^\s{0,8}vfio_pci: add \[[0-9a-f]{4}:/;

const NOT_VIABLE = /not viable/;
/** QEMU's advice; alone it is all that was copied. */
const ADVICE =
  /lease ensure all devices within the iommu_group are bound|Verify all devices in group (\d{1,9}) are bound/;
/** Lines between the error and the advice: long ones are wrapped. */
const ADVICE_DISTANCE = 6;

class VfioMessagesReader implements LineReader {
  readonly #sink: FactSink;
  /** The last line with an error that the advice belongs to. */
  #failed = -100;

  constructor(sink: FactSink) {
    this.#sink = sink;
  }

  line(line: DumpLine, ahead: Lookahead): number {
    if (line.elision || line.prompt) return 0;
    const taken = readMessage(MESSAGES, line, ahead, this.#sink);
    if (taken > 0 || NOT_VIABLE.test(line.text)) this.#failed = line.index + Math.max(0, taken - 1);
    if (taken > 0 || !OTHER.test(line.text)) return taken;
    const advice = ADVICE.exec(line.text);
    if (advice && line.index - this.#failed > ADVICE_DISTANCE) {
      const [, group] = advice;
      if (group === undefined) this.#sink.diagnostic('vfio-devices-not-bound', {}, line.number);
      else this.#sink.diagnostic('qemu-group-not-viable', { device: undefined, group }, line.number);
      this.#failed = line.index;
    }
    this.#sink.recognized();
    return 1;
  }
}

export const VFIO_MESSAGES: LineParser = {
  open: (_source: DumpSource, sink) => new VfioMessagesReader(sink),
};
