// Installs Debian packages where that is possible without asking: on Debian (or the like), as root.
import { spawnSync } from 'node:child_process';

/** True if it was done. Waits while somebody else installs. What apt has to say goes to stderr. */
export function installPackages(packages) {
  if (process.getuid?.() !== 0 || spawnSync('apt-get', ['--version']).status !== 0) return false;
  console.error(`Installing with apt-get: ${packages.join(' ')}`);
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const apt = (...args) =>
    // One at a time: apt waits for some of its locks only.
    spawnSync('flock', ['/tmp/iovascope-apt.lock', 'apt-get', '-o', 'DPkg::Lock::Timeout=300', ...args], {
      stdio: ['ignore', 'ignore', 'inherit'],
      env,
    }).status === 0;
  return apt('update', '-qq') && apt('install', '-y', '-qq', '--no-install-recommends', ...packages);
}

/** The full path of a program on the PATH, or undefined. */
export function findProgram(name) {
  const { status, stdout } = spawnSync('sh', ['-c', 'command -v "$1"', 'sh', name], { encoding: 'utf8' });
  return status === 0 ? stdout.trim() : undefined;
}
