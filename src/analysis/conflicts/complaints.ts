// Problems that programs and kernels reported as text: passed on unchanged, with a fix if one is known.
import type { DiagnosticCode } from '../../dumps/diagnostics.ts';
import { remedyOf } from '../../dumps/remedies.ts';
import { formatSize } from '../../iova/format.ts';
import { bitLength } from '../../iova/iova.ts';
import type { Complaint, Host } from '../host/host.ts';
import type { CommonSpace } from '../space/common-space.ts';
import type { Conflict } from './conflict.ts';
import { hostWidth } from './guest-limits.ts';

const SUPPRESSED: DiagnosticCode = 'faults-suppressed';
/** Maximum number of listed complaints. */
const LISTED_MAX = 50;
/** Maximum length of a complaint in a title, in characters. */
const TITLE_MAX = 160;

const DEFAULT_REMEDY =
  "Check the lines around it, and add the host's reserved_regions and its kernel log from the same time.";

/** Complaints that only say that something failed: their cause is listed before them. */
const GENERAL: ReadonlySet<DiagnosticCode> = new Set<DiagnosticCode>([
  'dpdk-device-dma-failed',
  'dpdk-device-not-attached',
  'dpdk-dma-map-failed',
  'dpdk-dma-unmap-failed',
  'dpdk-region-not-mapped',
  'qemu-container-setup-failed',
  'qemu-dma-mapping-fatal',
  'qemu-error-unknown',
  'qemu-iommu-not-set',
  'qemu-map-failed',
  'qemu-no-peer-to-peer',
  'qemu-unmap-failed',
  'vfio-probe-failed',
  'vmm-dma-map-failed',
  'vmm-dma-unmap-failed',
]);

/** How vague general complaints are: the one with the lowest number is listed first. */
const VAGUENESS: Readonly<Partial<Record<DiagnosticCode, number>>> = {
  'dpdk-device-dma-failed': 0,
  'dpdk-device-not-attached': 3,
  'dpdk-region-not-mapped': 2,
  'qemu-container-setup-failed': 2,
  'qemu-dma-mapping-fatal': 3,
  'qemu-no-peer-to-peer': 2,
  'vfio-probe-failed': 2,
};

/** What the errno of a refused map means if the range was not printed. */
const ERRNOS: Readonly<Record<string, string>> = {
  EEXIST: 'part of the range is already mapped in the container; the log does not print the range',
  EADDRINUSE: 'part of the range is already mapped; the log does not print the range',
  EFAULT:
    'the memory could not be pinned: device memory (a BAR), or a memory backend without pages; not an address problem',
  EINVAL:
    'the range overlaps a reserved region, is beyond the width of the IOMMU, or is not aligned; the log does not print the range',
  ENOMEM: 'the locked-memory limit (RLIMIT_MEMLOCK) or the memory of the host is too small; not an address problem',
  ENOSPC: 'the container has reached its limit of mappings',
};

/** Additional explanations of some complaints. */
const MORE: Readonly<Partial<Record<DiagnosticCode, string>>> = {
  'memlock-limit': 'It is not an address problem.',
  'dpdk-iova-mode': 'IOVAs equal to virtual addresses need 47 address bits; physical ones do not.',
  'dpdk-iova-above-mask': 'With IOVAs equal to virtual addresses (0x7f… or --base-virtaddr) 47 bits are needed.',
  'qemu-late-reserved-regions':
    'A device that was plugged in brought reserved regions of its group, for example its MSI window: the guest may use these addresses for DMA.',
  'dpdk-partial-unmap': 'type1 removes only whole mappings.',
};

/** The first errno that a text names. */
export function errnoIn(text: string): string | undefined {
  return /\b(E[A-Z]{3,11})\b/.exec(text)?.[1];
}

/** DPDK's --base-virtaddr in the message: the lowest IOVA if IOVAs are virtual addresses. */
const BASE = /, IOVAs from (0x[0-9a-f]{1,16})/;

/** Why such memory cannot be mapped: its addresses are wider than the IOMMU's. Undefined if they are not. */
function baseReason(message: string, space: CommonSpace): string | undefined {
  const [, base] = BASE.exec(message) ?? [];
  if (base === undefined) return undefined;
  const needed = bitLength(BigInt(base));
  const { bits } = hostWidth(space) ?? {};
  if (bits !== undefined && needed <= bits) return undefined;
  const has = bits === undefined ? 'more than an IOMMU of 39 bits has' : `the IOMMU has ${bits}`;
  return `IOVAs equal to virtual addresses begin at ${base} (--base-virtaddr) and need ${needed} bits, ${has}`;
}

/** Width of the virtual addresses at which DPDK places memory: usually out of reach of an IOMMU with 39 bits. */
const VIRTUAL_ADDRESS_BITS = 47;

function narrowIommu(space: CommonSpace): string | undefined {
  const { bits } = hostWidth(space) ?? {};
  return bits === undefined || bits >= VIRTUAL_ADDRESS_BITS
    ? undefined
    : `The IOMMU has ${bits} address bits; IOVAs equal to virtual addresses need ${VIRTUAL_ADDRESS_BITS}, so start with --iova-mode=pa.`;
}

const PHYSICAL_IOVAS = 'Start with --iova-mode=pa, or with --base-virtaddr within the width of the IOMMU.';

/** Sizes in units: `4 MiB` for `4194304 bytes`. */
const withSizes = (text: string): string =>
  text.replace(/\b(\d{4,19}) bytes\b/g, (_, digits: string) => formatSize(BigInt(digits)));

function answerOf({ code, message }: Complaint, space: CommonSpace): string {
  const errno = errnoIn(message);
  const isMap = /map-failed|dma-failed/.test(code) && !code.includes('unmap');
  const tooLong = baseReason(message, space);
  const plain = message.replace(BASE, '');
  const isInvalid = isMap && errno === 'EINVAL';
  const base = isInvalid ? tooLong : undefined;
  const why = base ?? (isMap && errno !== undefined ? ERRNOS[errno] : undefined);
  const narrow = isInvalid && code.startsWith('dpdk-') ? narrowIommu(space) : undefined;
  const text = withSizes(plain.charAt(0).toUpperCase() + plain.slice(1));
  if (code === 'dpdk-iova-above-mask' && tooLong !== undefined) return `${text}: ${tooLong}. ${PHYSICAL_IOVAS}`;
  const more = base !== undefined ? PHYSICAL_IOVAS : (narrow ?? MORE[code]);
  const remedy = remedyOf(code);
  const first =
    why === undefined
      ? `${text}.`
      : `${text.replace(`: ${errno}`, ` (${errno})`).replace(/; (?:its range was|its bounds were) not printed$/, '')}: ${why}.`;
  return [first, more, remedy].filter(Boolean).join(' ');
}

/** How many messages about faults the kernel did not log. */
export function suppressedFaults({ complaints }: Pick<Host, 'complaints'>): number {
  return complaints
    .filter(({ code }) => code === SUPPRESSED)
    .reduce((sum, { message, provenance }) => sum + Number.parseInt(message, 10) * provenance.length, 0);
}

/** The host's complaints as conflicts, each once; suppressed faults are mentioned with the faults. */
export function complaintConflicts(space: CommonSpace): Conflict[] {
  return space.host.complaints
    .filter(({ code }) => code !== SUPPRESSED)
    .toSorted((a, b) => (VAGUENESS[a.code] ?? 1) - (VAGUENESS[b.code] ?? 1))
    .slice(0, LISTED_MAX)
    .map((complaint): Conflict => {
      const { code, severity, message, provenance } = complaint;
      const remedy = remedyOf(code);
      return {
        id: `complaint ${code} ${message}`,
        rule: code,
        severity: severity === 'error' ? 'fatal' : 'warning',
        title: message.length > TITLE_MAX ? `${message.slice(0, TITLE_MAX)}…` : message,
        message: 'Reported by the program or the kernel, not verified.',
        remedy: remedy ?? DEFAULT_REMEDY,
        marks: [],
        provenance,
        answer: answerOf(complaint, space),
        ...(remedy === undefined ? {} : { remedies: [{ text: remedy.replace(/\.$/, '') }] }),
        ...(GENERAL.has(code) ? { follows: true } : {}),
      };
    });
}
