// Parses machine names into a layout and its version: `pc-q35-7.2`, `q35`, `pc-i440fx-rhel7.6.0`,
// `pc-q35-jammy`, `pc-q35-8.1+pve0`, `virt-9.0`.

/** Major and minor: 7.2. */
export type QemuVersion = readonly [major: number, minor: number];

export type MachineKind = 'q35' | 'pc' | 'virt' | 'microvm';

/** The newest version whose rules are known; used for a machine without a version. */
export const NEWEST: QemuVersion = [10, 1];

export interface MachineType {
  readonly kind: MachineKind;
  /** Undefined for an alias such as `q35`, and for a distribution's machine whose version is not known. */
  readonly version: QemuVersion | undefined;
}

export function isAtLeast([major, minor]: QemuVersion, wantedMajor: number, wantedMinor: number): boolean {
  return major > wantedMajor || (major === wantedMajor && minor >= wantedMinor);
}

/** Ubuntu's names of machine versions, and the QEMU version of that release. */
const UBUNTU: ReadonlyMap<string, QemuVersion> = new Map([
  ['trusty', [2, 0]],
  ['utopic', [2, 1]],
  ['vivid', [2, 2]],
  ['wily', [2, 3]],
  ['xenial', [2, 5]],
  ['yakkety', [2, 6]],
  ['zesty', [2, 8]],
  ['artful', [2, 10]],
  ['bionic', [2, 11]],
  ['cosmic', [2, 12]],
  ['disco', [3, 1]],
  ['eoan', [4, 0]],
  ['focal', [4, 2]],
  ['groovy', [5, 0]],
  ['hirsute', [5, 2]],
  ['impish', [6, 0]],
  ['jammy', [6, 2]],
  ['kinetic', [7, 0]],
  ['lunar', [7, 2]],
  ['mantic', [8, 0]],
  ['noble', [8, 2]],
  ['oracular', [9, 0]],
  ['plucky', [9, 2]],
  ['questing', [10, 1]],
]);

/** The QEMU rules that Red Hat's machines follow, by first version: the newest entry that is not above applies. */
const RED_HAT: readonly (readonly [rhel: QemuVersion, qemu: QemuVersion])[] = [
  [
    [6, 0],
    [1, 7],
  ],
  [
    [7, 0],
    [2, 0],
  ],
  [
    [7, 3],
    [2, 6],
  ],
  [
    [7, 6],
    [2, 12],
  ],
  [
    [8, 0],
    [3, 1],
  ],
  [
    [8, 4],
    [5, 2],
  ],
  [
    [9, 0],
    [7, 0],
  ],
  [
    [9, 2],
    [7, 1],
  ],
  [
    [9, 4],
    [8, 0],
  ],
  [
    [9, 6],
    [9, 0],
  ],
  [
    [10, 0],
    [9, 2],
  ],
];

function numbers(text: string): QemuVersion | undefined {
  const match = /^(\d{1,3})\.(\d{1,3})(?![\d])/.exec(text);
  return match ? [Number(match[1]), Number(match[2])] : undefined;
}

function versionOf(suffix: string): QemuVersion | undefined {
  const redHat = /^rhel(\d{1,2}\.\d{1,2})/.exec(suffix)?.[1];
  if (redHat !== undefined) {
    const [major, minor] = numbers(redHat) ?? [0, 0];
    return RED_HAT.findLast(([rhel]) => isAtLeast([major, minor], ...rhel))?.[1];
  }
  return numbers(suffix) ?? UBUNTU.get(suffix.replace(/-(?:hpb|v\d)$/, ''));
}

const NAME = /^(pc-q35|q35|pc-i440fx|i440fx|pc|virt|microvm|ubuntu-q35|ubuntu)(?:-([a-z0-9.+-]{1,40}))?$/;

/** Parses a machine's name without options. Undefined if its layout is unknown. */
export function machineType(name: string): MachineType | undefined {
  const match = NAME.exec(
    name
      .trim()
      .toLowerCase()
      .replace(/\+pve\d*$/, ''),
  );
  if (!match) return undefined;
  const [, base = '', suffix = ''] = match;
  const kind = base.endsWith('q35') ? 'q35' : base === 'virt' || base === 'microvm' ? base : 'pc';
  return { kind, version: versionOf(suffix) };
}

/** A program's version such as `7.2.22` or `8.1.5(Debian …)`; undefined if it does not begin with one. */
export function qemuVersion(text: string | undefined): QemuVersion | undefined {
  return text === undefined ? undefined : numbers(text.trim());
}
