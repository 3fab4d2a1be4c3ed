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
