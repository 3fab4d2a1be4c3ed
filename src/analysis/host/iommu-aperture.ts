// What the IOMMUs of a host can translate, derived from their registers and the kernel, which chooses the page tables.
import { rangeOfBits } from '../../iova/range.ts';
import { type DriverRules, driverRules } from '../../kernel/driver-changes.ts';
import { addressWidthOf, hasFiveLevelFirstStage, secondStageWidths, translationOf } from '../../uapi/vtd-capability.ts';
import { type Aperture, type Host, type Iommu, kernelOf } from './host.ts';

/** A number of address bits, and the reason for it. */
interface Width {
  readonly bits: number;
  readonly rule: string;
  readonly assumed?: string | undefined;
}

interface Circumstances {
  readonly rules: DriverRules;
  readonly options: string | undefined;
}

/** Bits of the first-stage tables: they map the lower half of a canonical address space. Measured on Linux 6.1 to 7.3. */
function firstStage(cap: bigint): number {
  const mgaw = addressWidthOf(cap);
  const bits = mgaw > 48 && hasFiveLevelFirstStage(cap) ? Math.min(57, mgaw) : Math.min(48, mgaw);
  return bits - 1;
}

/** Bits of the second-stage tables, for the widest level among `levels`. Source: Linux 6.12, iommu_calculate_max_sagaw. */
function secondStage(cap: bigint, levels: readonly number[]): number {
  return Math.min(addressWidthOf(cap), levels.at(-1) ?? addressWidthOf(cap));
}

/** What VT-d can translate. */
function intelWidth(cap: bigint, ecap: bigint | undefined, { rules, options }: Circumstances): Width {
  const levels = secondStageWidths(cap);
  const legacy = secondStage(cap, levels);
  const second = 'second-stage tables (MGAW and SAGAW of cap)';
  if (ecap === undefined) {
    return { bits: legacy, rule: second, assumed: 'ecap is not in these dumps, so second-stage tables are assumed' };
  }
  const translation = translationOf(ecap);
  const isOff = /\bsm_off\b/.test(options ?? '');
  if (!translation.scalable || !translation.firstStage || isOff) return { bits: legacy, rule: second };
  const scalable = (bits: number): string | undefined =>
    options === undefined && bits !== legacy
      ? `scalable mode is assumed to be on (with intel_iommu=sm_off: ${legacy} bits)`
      : undefined;
  const first = firstStage(cap);
  if (!translation.secondStage) {
    return { bits: first, rule: 'first-stage tables, the only ones in scalable mode', assumed: scalable(first) };
  }
  const firstLevels = hasFiveLevelFirstStage(cap) ? [48, 57] : [48];
  const common = levels.filter((level) => firstLevels.includes(level));
  const both = secondStage(cap, common.length > 0 ? common : levels);
  if (!rules.has('vtd-first-stage')) {
    return { bits: both, rule: 'second-stage tables, of a level that both stages have (before about Linux 6.13)' };
  }
  const unknown =
    rules.kernel !== undefined ? [] : [`the kernel is not in these dumps (before about Linux 6.13: ${both} bits)`];
  return {
    bits: first,
    rule: 'first-stage tables (since about Linux 6.13)',
    assumed: [...unknown, ...[scalable(first)].flatMap((text) => text ?? [])].join('; ') || undefined,
  };
}

/** Bits of AMD's page tables by HATS, bits 11:10 of the EFR; `undefined`: no translation. */
function widthOfHats(efr: bigint): number | undefined {
  const hats = Number((efr >> 10n) & 3n);
  return hats === 3 ? undefined : Math.min(64, (hats + 3) * 9 + 21);
}

/** AMD: true for the header of the IOMMU's PCI capability, which sysfs shows as `cap`. It is not a feature register. */
function isPciHeader(cap: bigint): boolean {
  return (cap & 0xffn) === 0xfn && cap <= 0xffff_ffffn;
}

/** What AMD-Vi can translate with its own (v1) page tables; `undefined` if unknown. */
function amdWidth(host: Pick<Host, 'iommus' | 'ivrs'>, { rules, options }: Circumstances): Width | undefined {
  // Other page tables (v2) were requested.
  if (/\bpgtbl_v2\b/.test(options ?? '')) return undefined;
  if (!rules.has('amd-width-of-ivrs')) return { bits: 64, rule: 'AMD v1 tables before Linux 6.17' };
  const register = host.iommus.find(
    ({ driver, cap }) => driver === 'amd' && cap !== undefined && !isPciHeader(cap),
  )?.cap;
  const efr = host.ivrs?.efr ?? register;
  const hats = efr === undefined ? undefined : widthOfHats(efr);
  if (hats === undefined) return undefined;
  const vaSize = Number(((host.ivrs?.ivinfo ?? 0n) >> 15n) & 0x7fn) || 64;
  const bits = rules.has('amd-va-size') ? Math.min(hats, vaSize) : hats;
  const assumed = [
    ...(rules.kernel !== undefined || bits === 64
      ? []
      : ['the kernel is not in these dumps (before Linux 6.17: 64 bits)']),
    ...(host.ivrs?.efr === undefined ? ['the IVRS table is assumed to have the features of the register'] : []),
  ];
  return { bits, rule: 'HATS of the IVRS table (since Linux 6.17)', assumed: assumed.join('; ') || undefined };
}

function apertureOf(name: string, { bits, rule, assumed }: Width, provenance: Aperture['provenance']): Aperture {
  return {
    ...rangeOfBits(bits),
    message: `${name}, ${bits} bits`,
    derivation: { rule, ...(assumed === undefined ? {} : { assumed }) },
    provenance,
  };
}

/** True if the width of an IOMMU can be derived from its registers: the width that a source states is then only MGAW. */
export function hasDerivedWidth({ driver, cap, addressWidth }: Omit<Iommu, 'provenance' | 'name'>): boolean {
  if (cap === undefined || driver !== 'intel') return false;
  return addressWidth === undefined || addressWidth === addressWidthOf(cap);
}

/** The apertures that can be derived from the IOMMUs of a host and the kernel whose rules answer. */
export function derivedApertures(host: Pick<Host, 'iommus' | 'about' | 'chosenKernel' | 'ivrs'>): readonly Aperture[] {
  const circumstances = { rules: driverRules(kernelOf(host)), options: host.about.options };
  const intel = host.iommus.flatMap((iommu): Aperture[] => {
    const { name, cap, ecap, provenance } = iommu;
    if (cap === undefined || !hasDerivedWidth(iommu)) return [];
    return [apertureOf(name, intelWidth(cap, ecap, circumstances), provenance)];
  });
  const amd = host.iommus.filter(({ driver }) => driver === 'amd');
  const isAmd = (amd.length > 0 || host.ivrs !== undefined) && amd.every((one) => one.addressWidth === undefined);
  const width = isAmd ? amdWidth(host, circumstances) : undefined;
  if (!width) return intel;
  const provenance = [...(host.ivrs?.provenance ?? []), ...amd.flatMap((one) => one.provenance.slice(0, 1))];
  return [...intel, apertureOf('AMD-Vi', width, provenance)];
}

/** The host under the rules of another kernel, or of its own (`undefined`). */
export function underKernel(host: Host, kernel: string | undefined): Host {
  if (host.chosenKernel === kernel) return host;
  const changed = { ...host, chosenKernel: kernel };
  const told = host.apertures.filter(({ derivation }) => derivation === undefined);
  return { ...changed, apertures: [...told, ...derivedApertures(changed)] };
}
