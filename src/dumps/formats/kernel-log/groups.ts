// Devices that the kernel adds to IOMMU groups, whatever the IOMMU:
//
//   [driver] device ":" "Adding to iommu group" number          Linux 5.2 and newer
//   "iommu:" "Adding device" device "to group" number           before
//   "iommu:" "Default domain type:" type [ "(set via" … ")" ]     Linux 5.4 and newer: of groups without a type
//   "iommu:" "DMA domain TLB invalidation policy:" policy        recognized, no fact
//
// (iommu_group_add_device in drivers/iommu/iommu.c.)
import { DEVICE_NAME_PATTERN, normalizeLoggedDevice } from '../../fields/device-name.ts';
import { groupName } from '../../fields/sysfs-path.ts';
import type { DumpLine, DumpSource, FactSink, LineParser, LineReader, Lookahead } from '../../format.ts';
import { matchLongest } from '../../text/match-longest.ts';

const ADDED = new RegExp(
  `(?<![\\w.:@-])(${DEVICE_NAME_PATTERN}?): ?Adding to iommu group (\\d{1,9})(?![\\w.])|Adding device (${DEVICE_NAME_PATTERN}) to group (\\d{1,9})(?![\\w.])`,
);
const START = /Adding (?:to|device)\b|\bAdding$|[0-9a-f]\.[0-7]:$/;
const DIGITS = /^\d{1,3}$/;
const DEFAULT_TYPE = /iommu: Default domain type: ?([A-Za-z-]{1,40})/;
const POLICY = /iommu: DMA domain TLB invalidation policy: /;
/** What is left if the device was removed as the name of a program after a time stamp. */
const BARE = /^\s{0,8}Adding to iommu group \d/;

class KernelLogGroupsReader implements LineReader {
  readonly #sink: FactSink;

  constructor(sink: FactSink) {
    this.#sink = sink;
  }

  line(line: DumpLine, ahead: Lookahead): number {
    if (line.elision || line.prompt) return 0;
    const type = DEFAULT_TYPE.exec(line.text)?.[1];
    if (type !== undefined) {
      this.#sink.recognized();
      this.#sink.diagnostic('default-domain-type', { type }, line.number);
      return 1;
    }
    if (POLICY.test(line.text)) return 1;
    const whole = BARE.test(line.text) ? { ...line, text: line.raw.trimEnd() } : line;
    const found = matchLongest(whole, ahead, START, [ADDED], DIGITS);
    if (!found) return 0;
    const [, device = found.match[3], number = found.match[4]] = found.match;
    const group = groupName(number);
    if (device === undefined || group === undefined) return 0;
    this.#sink.group(group, { devices: [normalizeLoggedDevice(device)] }, line.number);
    return found.lines;
  }
}

export const KERNEL_LOG_GROUPS: LineParser = {
  open: (_source: DumpSource, sink) => new KernelLogGroupsReader(sink),
};
