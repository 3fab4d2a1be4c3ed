// Programs that builds and tests need besides Node, and the Debian packages that have them.
import { spawnSync } from 'node:child_process';
import { findProgram, installPackages } from './debian.mjs';

const PACKAGES = {
  make: 'make',
  cc: 'gcc',
  'musl-gcc': 'musl-tools',
  'aarch64-linux-gnu-gcc': 'gcc-aarch64-linux-gnu',
  'qemu-aarch64': 'qemu-user',
  shellcheck: 'shellcheck',
};

/** The C library with its headers that a compiler needs: Debian installs the compiler without it. */
const LIBRARIES = { cc: 'libc6-dev', 'musl-gcc': 'musl-dev', 'aarch64-linux-gnu-gcc': 'libc6-dev-arm64-cross' };

/** True if a program is on the PATH and, for a compiler, finds the headers of its C library. */
export function isUsable(name) {
  if (!findProgram(name)) return false;
  return !(name in LIBRARIES) || spawnSync(name, ['-E', '-'], { input: '#include <fcntl.h>\n' }).status === 0;
}

/** Debian's packages for programs. */
export function packagesFor(names) {
  return [...new Set(names.flatMap((name) => [PACKAGES[name], ...(LIBRARIES[name] ? [LIBRARIES[name]] : [])]))];
}

/** The programs that are missing or unusable, after an attempt to install them. */
export function missingPrograms(names) {
  const missing = names.filter((name) => !isUsable(name));
  if (missing.length === 0) return [];
  return installPackages(packagesFor(missing)) ? missing.filter((name) => !isUsable(name)) : missing;
}

/** One line: what is missing, and the command that installs it. */
export function howToGet(names) {
  return `${names.join(', ')} not found. On Debian: sudo apt install ${packagesFor(names).join(' ')}`;
}
