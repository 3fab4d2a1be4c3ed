// Which company's CPU a guest has, by QEMU's names of CPU models (target/i386/cpu.c, QEMU 2.0 to 10.1). Memory moves by it:
// see src/analysis/guest/pc.ts.

export type CpuVendor = 'amd' | 'intel' | 'hygon' | 'zhaoxin';

const BY_STRING: Readonly<Record<string, CpuVendor>> = {
  authenticamd: 'amd',
  amd: 'amd',
  genuineintel: 'intel',
  intel: 'intel',
  hygongenuine: 'hygon',
  hygon: 'hygon',
  centaurhauls: 'zhaoxin',
  '  shanghai  ': 'zhaoxin',
  zhaoxin: 'zhaoxin',
};

/** A vendor by the string of CPUID or its common name: `AuthenticAMD`, `Intel`. */
export function vendorByName(text: string): CpuVendor | undefined {
  return BY_STRING[text.toLowerCase()] ?? BY_STRING[text.trim().toLowerCase()];
}

/** By how a model's name begins, in lower case; the first that fits counts. */
const BY_MODEL: readonly (readonly [start: string, vendor: CpuVendor])[] = [
  ['qemu64', 'amd'],
  ['phenom', 'amd'],
  ['athlon', 'amd'],
  ['opteron', 'amd'],
  ['epyc', 'amd'],
  ['dhyana', 'hygon'],
  ['yongfeng', 'zhaoxin'],
  ['qemu32', 'intel'],
  ['kvm64', 'intel'],
  ['kvm32', 'intel'],
  ['486', 'intel'],
  ['pentium', 'intel'],
  ['coreduo', 'intel'],
  ['core2duo', 'intel'],
  ['n270', 'intel'],
  ['conroe', 'intel'],
  ['penryn', 'intel'],
  ['nehalem', 'intel'],
  ['westmere', 'intel'],
  ['sandybridge', 'intel'],
  ['ivybridge', 'intel'],
  ['haswell', 'intel'],
  ['broadwell', 'intel'],
  ['skylake', 'intel'],
  ['cascadelake', 'intel'],
  ['cooperlake', 'intel'],
  ['icelake', 'intel'],
  ['sapphirerapids', 'intel'],
  ['graniterapids', 'intel'],
  ['diamondrapids', 'intel'],
  ['sierraforest', 'intel'],
  ['clearwaterforest', 'intel'],
  ['denverton', 'intel'],
  ['snowridge', 'intel'],
  ['knightsmill', 'intel'],
];

/**
 * The vendor that a model has by itself; undefined for `host`, `max` and models that are not known. KVM gives every
 * model the vendor of the host, unless the definition sets one: for models made to run anywhere (`qemu64`, `kvm64`) that
 * says nothing then, see `isGenericModel`.
 */
export function vendorOfModel(model: string): CpuVendor | undefined {
  const name = model.toLowerCase();
  return BY_MODEL.find(([start]) => name.startsWith(start))?.[1];
}

/** True for models that stand for no particular CPU: with KVM their vendor is that of the host. */
export function isGenericModel(model: string): boolean {
  return /^(?:qemu(?:32|64)|kvm(?:32|64)|host|max|base|486|x86-64-v\d)/i.test(model);
}

/** CPU models of 32 bits, and whether they have PSE36: then addresses have 36 bits, else 32. */
const X86_32: readonly (readonly [model: RegExp, bits: number])[] = [
  [/^(?:pentium[23]|athlon|kvm32)(?:-v\d+)?$/, 36],
  [/^(?:486|pentium|n270|coreduo|qemu32)(?:-v\d+)?$|^base$/, 32],
];

/**
 * Address bits of x86 models that have 32-bit registers; undefined for all others. They are fixed: QEMU refuses to start
 * such a model with `phys-bits` (x86_cpu_realizefn, asked of QEMU 7.2).
 */
export function bitsOf32BitModel(model: string): number | undefined {
  return X86_32.find(([names]) => names.test(model.toLowerCase()))?.[1];
}

/** Address bits of ARM models that QEMU 7.2 emulates, as it reports them itself (id_aa64mmfr0 or LPAE). */
const ARM_BITS: Readonly<Record<string, number>> = {
  'cortex-a7': 40,
  'cortex-a15': 40,
  'cortex-a35': 40,
  'cortex-a53': 40,
  'cortex-a57': 44,
  'cortex-a72': 44,
  'cortex-a76': 40,
  a64fx: 40,
  'neoverse-n1': 48,
  max: 52,
};

/** Address bits of an emulated ARM CPU; undefined if they are not known. */
export function bitsOfArmModel(model: string): number | undefined {
  const name = model.toLowerCase();
  return Object.hasOwn(ARM_BITS, name) ? ARM_BITS[name] : undefined;
}
