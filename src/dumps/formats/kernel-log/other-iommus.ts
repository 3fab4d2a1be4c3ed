// Faults of IOMMUs of systems on chips in kernel logs. `iommu` is the name of the IOMMU, such as ff650800.iommu; the
// devices behind it are in the device tree.
//
//   "rk_iommu" iommu ": Page fault at 0x" hex "of type" ("read" | "write")
//   "apple-dart" iommu ": translation fault: status:" hex "stream:" n "code:" hex "(" reason ") at 0x" hex
//   "apple-dart" iommu ": DART [pagesize" hex "," … "AS" bits "->" bits "] initialized"       at the start: input, output
//   "mtk-iommu" iommu ": fault type=" hex "iova=" hex "pa=" hex ["master=" …] "larb=" n "port=" n "layer=" n access
//   ["exynos-sysmmu"] iommu ": " [device ": "] "[" access "]" reason "occurred at 0x" hex
//                                                        the device is missing in some kernels, the access in old ones
//   "sun50i-iommu" iommu ": Page fault for 0x" hex "(" master ", dir:" ("read" | "write") ")"
//   "ipmmu-vmsa" iommu ": Unhandled fault: status 0x" hex "iova 0x" hex
//   "omap-iommu" iommu ": " … "errs:0x" hex "da:0x" hex …
//   "tegra-mc" controller ": " client ": " ["secure"] access "@0x" hex ": EMEM address decode error (SMMU translation error …)"
//                                                        without the SMMU in parentheses the address is one of memory
//
// (Drivers of these names in drivers/iommu, and drivers/memory/tegra/mc.c, Linux 3.16 to 6.12.)
import { rangeOfBits } from '../../../iova/range.ts';
import { parseHexAddress } from '../../fields/address.ts';
import { type FaultAccess, faultAccess } from '../../fields/fault-access.ts';
import type { DumpLine, DumpSource, FactSink, LineParser, LineReader, Lookahead } from '../../format.ts';
import { type Fault, type FaultLine, FaultLineReader } from './fault-line.ts';

const HEX = '(0x[0-9a-f]{1,64})';
/** The IOMMU, as the kernel names devices that the device tree has. */
const IOMMU = '(?<iommu>[\\w.@-]{3,60})';

interface Found {
  readonly driver: string;
  readonly address: string | undefined;
  readonly iommu: string | undefined;
  readonly access?: FaultAccess | undefined;
  readonly reason: string;
  /** Of several devices behind the IOMMU. */
  readonly stream?: string | undefined;
}

function faultOf({ driver, address: digits, iommu, access, reason, stream }: Found): Fault | undefined {
  const address = parseHexAddress(digits);
  if (address === undefined || iommu === undefined) return undefined;
  return {
    kind: 'fault',
    address,
    device: stream === undefined ? iommu : `${iommu} stream ${stream}`,
    ...(access === undefined ? {} : { access }),
    reason,
    driver,
  };
}

const accessOf = (word: string | undefined): FaultAccess | undefined =>
  word === undefined ? undefined : faultAccess(/^w/i.test(word));

const ROCKCHIP: FaultLine = {
  start: /\b[\w.@-]{3,60}: Page fault at\b/,
  pattern: new RegExp(`${IOMMU}: Page fault at ${HEX} of type (read|write)(?!\\w)`),
  read: ({ 2: address, 3: access, groups }) =>
    faultOf({ driver: 'rockchip', address, iommu: groups?.iommu, access: accessOf(access), reason: 'page fault' }),
};

const APPLE: FaultLine = {
  start: /\b[\w.@-]{3,60}: translation fault: status:/,
  pattern: new RegExp(
    `${IOMMU}: translation fault: status:0x[0-9a-f]{1,8} stream:(\\d{1,5}) code:0x[0-9a-f]{1,8} \\(([^()]{1,40})\\) at ${HEX}(?!\\w)`,
  ),
  read: ({ 2: stream, 3: reason = '', 4: address, groups }) =>
    faultOf({ driver: 'apple-dart', address, iommu: groups?.iommu, reason, stream }),
};

const MEDIATEK: FaultLine = {
  start: /\b[\w.@-]{3,60}: fault type=\s?0x/,
  pattern: new RegExp(
    `${IOMMU}: fault type= ?(0x[0-9a-f]{1,8}) iova= ?${HEX} pa= ?0x[0-9a-f]{1,64} (?:master= ?0x[0-9a-f]{1,8} ?\\()?(larb= ?\\d{1,3} port= ?\\d{1,3})\\)? layer= ?\\d{1,3} (read|write)(?!\\w)`,
  ),
  read: ({ 2: type = '', 3: address, 4: port = '', 5: access, groups }) =>
    faultOf({
      driver: 'mediatek',
      address,
      iommu: groups?.iommu,
      access: accessOf(access),
      reason: `fault type ${type}, ${port}`,
    }),
};

const EXYNOS: FaultLine = {
  start: /sysmmu: (?:[\w.@-]{3,60}: )?(?:\[(?:READ|WRITE)\] )?[A-Z][A-Z0-9 -]{3,40} occurred at\b/,
  pattern: new RegExp(
    `(?<iommu>[\\w.@-]{0,50}sysmmu): (?:(?<master>[\\w.@-]{3,60}): )?(?:\\[(READ|WRITE)\\] )?([A-Z][A-Z0-9 -]{3,40}) occurred at ${HEX}(?: by [\\w.-]{1,60})?(?!\\w)`,
  ),
  read: ({ 3: access, 4: reason = '', 5: address, groups }) =>
    faultOf({
      driver: 'exynos',
      address,
      iommu: groups?.master ?? groups?.iommu,
      access: accessOf(access),
      reason: reason.toLowerCase(),
    }),
};

const ALLWINNER: FaultLine = {
  start: /\b[\w.@-]{3,60}: Page fault for\b/,
  pattern: new RegExp(`${IOMMU}: Page fault for ${HEX} \\(([\\w ]{1,40}), dir: ?(read|write)\\)`, 'i'),
  read: ({ 2: address, 3: master = '', 4: access, groups }) =>
    faultOf({
      driver: 'sun50i',
      address,
      iommu: groups?.iommu,
      access: accessOf(access),
      reason: `page fault, ${master.trim().replace(/\s+/g, ' ')}`,
    }),
};

const RENESAS: FaultLine = {
  start: /\b[\w.@-]{3,60}: (?:Unhandled fault: status|Translation fault on master|Access permission fault)/,
  pattern: new RegExp(`${IOMMU}: Unhandled fault: status (0x[0-9a-f]{1,8}) iova ${HEX}(?!\\w)`),
  read: ({ 2: status = '', 3: address, groups }) =>
    faultOf({ driver: 'ipmmu', address, iommu: groups?.iommu, reason: `fault, status ${status}` }),
};

const OMAP: FaultLine = {
  start: /\b[\w.@-]{3,60}: errs:0x[0-9a-f]{1,8} da:/,
  pattern: new RegExp(`${IOMMU}: errs:(0x[0-9a-f]{1,8}) da:${HEX} pgd:`),
  read: ({ 2: errors = '', 3: address, groups }) =>
    faultOf({ driver: 'omap', address, iommu: groups?.iommu, reason: `fault, errs ${errors}` }),
};

const TEGRA: FaultLine = {
  start: /tegra-mc [\w.@-]{3,60}: \S{1,40}: (?:secure )?(?:read|write) @\S{0,40}?:? ?(?:.{0,60} \(SMMU|$)/,
  pattern: new RegExp(
    `tegra-mc [\\w.@-]{3,60}: (?<iommu>\\S{1,40}): (?:secure )?(read|write) @ ?${HEX}: [A-Za-z][\\w /-]{2,60} \\((SMMU [\\w ]{2,40}?)(?: \\[[\\w-]{1,5}\\])?\\)`,
  ),
  read: ({ 2: access, 3: address, 4: reason = '', groups }) =>
    faultOf({ driver: 'tegra', address, iommu: groups?.iommu, access: accessOf(access), reason }),
};

const FAULTS: readonly FaultLine[] = [ROCKCHIP, APPLE, MEDIATEK, EXYNOS, ALLWINNER, RENESAS, OMAP, TEGRA];

/** An error of Tegra's memory controller. */
const MEMORY_ERROR = new RegExp(
  `tegra-mc [\\w.@-]{3,60}: (\\S{1,40}): (?:secure )?(read|write) @ ?${HEX}: ([A-Za-z][\\w /-]{2,60})(?: \\((?!SMMU )|$)`,
);

/** Older kernels do not print the widths. */
const DART =
  /apple-dart ([\w.@-]{3,60}): DART \[pagesize ([0-9a-f]{3,5}), [^\]]{0,120}?(?:AS (\d{2}) -> \d{2})?\] initialized/;

class OtherIommusReader implements LineReader {
  readonly #sink: FactSink;
  readonly #faults: LineReader;

  constructor(sink: FactSink) {
    this.#sink = sink;
    this.#faults = new FaultLineReader(FAULTS, sink);
  }

  line(line: DumpLine, ahead: Lookahead): number {
    if (line.elision || line.prompt) return 0;
    return this.#dart(line) || this.#faults.line(line, ahead) || this.#memory(line);
  }

  #memory(line: DumpLine): number {
    const [, client, access, digits, what = ''] = MEMORY_ERROR.exec(line.text) ?? [];
    const address = parseHexAddress(digits);
    if (client === undefined || address === undefined) return 0;
    this.#sink.recognized();
    const refused = { client: `a ${access} of ${client}`, what: what.trim(), address };
    this.#sink.diagnostic('memory-controller-error', refused, line.number);
    return 1;
  }

  #dart(line: DumpLine): number {
    const [, name, page, digits] = DART.exec(line.text) ?? [];
    const pageSize = parseHexAddress(page);
    if (name === undefined || pageSize === undefined) return 0;
    const bits = digits === undefined ? undefined : Number(digits);
    const width = bits === undefined ? {} : { address_width: bits };
    this.#sink.fact({ kind: 'iommu', name, driver: 'apple-dart', ...width }, line.number);
    if (bits !== undefined && bits <= 64) {
      const whole = rangeOfBits(bits);
      this.#sink.fact({ kind: 'aperture', ...whole, pgsize_bitmap: pageSize, iommu: name }, line.number);
    }
    return 1;
  }
}

export const KERNEL_LOG_OTHER_IOMMUS: LineParser = {
  open: (_source: DumpSource, sink) => new OtherIommusReader(sink),
};
