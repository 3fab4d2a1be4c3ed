// Installs Debian packages where that is possible without asking: on Debian (or the like), as root.
import { spawnSync } from 'node:child_process';

/** True where packages can be installed without asking for a password. */
export function canInstall() {
  return process.getuid?.() === 0 && spawnSync('apt-get', ['--version']).status === 0;
}

/** Returns whether the packages were installed. Waits while another process installs. apt's messages go to stderr. */
export function installPackages(packages) {
  if (!canInstall()) return false;
  console.error(`Installing with apt-get: ${packages.join(' ')}`);
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const apt = (...args) =>
    // One at a time: apt itself waits only for some of its locks.
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
