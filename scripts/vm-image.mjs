// Makes what the virtual machines of the tests boot: Debian's kernel, unpacked, and a small file system with busybox, the
// probe and a program that holds devices. Cached in dist/vm. The machine's own apt is not changed.
import { execFileSync, spawnSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildProbe } from './build-probe.mjs';
import { findProgram, installPackages } from './debian.mjs';
import { howToGet, missingPrograms } from './programs.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const guest = join(root, 'e2e', 'vm', 'guest');
const store = join(root, 'dist', 'vm');

/** What each kind of machine needs on the host. */
const ARCHES = {
  // Programs of the guest are built against the machine's C library, which has the kernel's headers; musl's has not.
  amd64: { qemu: 'qemu-system-x86_64', package: 'qemu-system-x86', cc: 'cc', probe: 'iovascope-probe' },
  arm64: {
    qemu: 'qemu-system-aarch64',
    package: 'qemu-system-arm',
    cc: 'aarch64-linux-gnu-gcc',
    probe: 'iovascope-probe-arm64',
  },
};
const TOOLS = { cpio: 'cpio', 'dpkg-deb': 'dpkg', xz: 'xz-utils', 'apt-get': 'apt' };
const MODULES = ['irqbypass', 'virtio-iommu', 'vfio', 'vfio_iommu_type1', 'vfio-pci-core', 'vfio-pci'];
/** Programs that hold devices, in e2e/vm/guest. */
const PROGRAMS = ['hold', 'hold-iommufd'];
const KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg';
const SUITES = [
  'http://deb.debian.org/debian bookworm main',
  'http://deb.debian.org/debian-security bookworm-security main',
];

function require(programs) {
  const missing = Object.keys(programs).filter((name) => !findProgram(name));
  if (missing.length === 0) return;
  const packages = [...new Set(missing.map((name) => programs[name]))];
  if (installPackages(packages) && missing.every((name) => findProgram(name))) return;
  throw new Error(
    `Missing for the virtual machines: ${missing.join(', ')}. Get them with: sudo apt install ${packages.join(' ')}`,
  );
}

function run(command, args, options = {}) {
  return execFileSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'], ...options });
}

/** apt with lists, sources and cache of its own, for packages of another architecture too. */
export function apt(arch) {
  const folder = join(store, `apt-${arch}`);
  mkdirSync(join(folder, 'lists', 'partial'), { recursive: true });
  mkdirSync(join(folder, 'cache', 'archives', 'partial'), { recursive: true });
  const signed = existsSync(KEYRING) ? `[signed-by=${KEYRING}] ` : '';
  writeFileSync(join(folder, 'sources.list'), SUITES.map((suite) => `deb ${signed}${suite}\n`).join(''));
  const options = {
    'Dir::State': folder,
    'Dir::State::lists': join(folder, 'lists'),
    'Dir::State::status': '/dev/null',
    'Dir::Cache': join(folder, 'cache'),
    'Dir::Etc::SourceList': join(folder, 'sources.list'),
    'Dir::Etc::SourceParts': '-',
    'APT::Architecture': arch,
    'APT::Architectures': arch,
    'APT::Sandbox::User': 'root',
    'Acquire::Languages': 'none',
  };
  const args = Object.entries(options).flatMap(([name, value]) => ['-o', `${name}=${value}`]);
  return {
    update: () => run('apt-get', [...args, '-qq', 'update']),
    search: (pattern) =>
      run('apt-cache', [...args, 'search', '--names-only', pattern])
        .split('\n')
        .map((line) => line.split(' ')[0])
        .filter(Boolean),
    download(name, to) {
      mkdirSync(to, { recursive: true });
      run('apt-get', [...args, '-qq', 'download', name], { cwd: to });
      const [file] = readdirSync(to).filter((entry) => entry.startsWith(`${name}_`));
      return join(to, file);
    },
  };
}

/** Unpacks the parts of a package whose paths match. */
function unpack(deb, to, patterns) {
  mkdirSync(to, { recursive: true });
  const script = `deb=$1 to=$2; shift 2; dpkg-deb --fsys-tarfile "$deb" | tar -x -C "$to" --wildcards "$@"`;
  const { status } = spawnSync('bash', ['-o', 'pipefail', '-c', script, 'unpack', deb, to, ...patterns], {
    stdio: ['ignore', 'ignore', 'ignore'],
  });
  // tar complains of patterns that match nothing: a kernel may have a module built in.
  if (status !== 0 && readdirSync(to).length === 0) throw new Error(`${deb} cannot be unpacked`);
}

function find(folder, test) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name));
}

/** The newest kernel of Debian 12: 6.12 where there is one, for virtio-iommu. */
function kernelFor(arch) {
  const folder = join(store, `kernel-${arch}`);
  if (!existsSync(join(folder, 'done'))) {
    rmSync(folder, { recursive: true, force: true });
    console.error(`Downloading Debian's kernel and busybox for ${arch} …`);
    const packages = apt(arch);
    packages.update();
    const version = (name) => name.match(/\d+/g).map(Number);
    const newest = packages
      .search(`^linux-image-[0-9.]+([+]deb12|-[0-9]+)-${arch}$`)
      .sort((a, b) => {
        const [x, y] = [version(a), version(b)];
        for (let i = 0; i < Math.max(x.length, y.length); i++)
          if ((x[i] ?? 0) !== (y[i] ?? 0)) return (x[i] ?? 0) - (y[i] ?? 0);
        return 0;
      })
      .at(-1);
    if (!newest) throw new Error(`Debian has no kernel for ${arch} here`);
    const debs = join(folder, 'debs');
    unpack(packages.download(newest, debs), join(folder, 'root'), [
      './boot/vmlinuz-*',
      ...MODULES.flatMap((name) => [`*/${name}.ko*`]),
    ]);
    unpack(packages.download('busybox-static', debs), join(folder, 'root'), ['*/busybox']);
    rmSync(debs, { recursive: true });
    writeFileSync(join(folder, 'done'), `${newest}\n`);
  }
  const files = join(folder, 'root');
  const [kernel] = find(files, (name) => name.startsWith('vmlinuz-'));
  const [busybox] = find(files, (name) => name === 'busybox');
  const modules = find(files, (name) =>
    MODULES.some((module) => name === `${module}.ko` || name === `${module}.ko.xz`),
  );
  return { kernel, busybox, modules };
}

function newest(files) {
  return Math.max(...files.map((file) => statSync(file).mtimeMs));
}

/** Paths of a kernel and a file system for a machine of an architecture, made if they are not there or stale. */
export async function vmImage(arch) {
  const { qemu, package: name, cc, probe } = ARCHES[arch];
  require({ ...TOOLS, [qemu]: name });
  const missing = missingPrograms([cc]);
  if (missing.length > 0) throw new Error(howToGet(missing));
  await buildProbe();
  const probeFile = join(root, 'dist', 'probe', probe);
  const { kernel, busybox, modules } = kernelFor(arch);
  const initrd = join(store, `initrd-${arch}.gz`);
  const sources = PROGRAMS.map((name) => join(guest, `${name}.c`));
  const inputs = [probeFile, join(guest, 'init'), ...sources, fileURLToPath(import.meta.url)];
  if (!existsSync(initrd) || statSync(initrd).mtimeMs < newest(inputs)) {
    const tree = join(store, `tree-${arch}-${process.pid}`);
    for (const folder of ['bin', 'modules']) mkdirSync(join(tree, folder), { recursive: true });
    copyFileSync(busybox, join(tree, 'bin', 'busybox'));
    copyFileSync(probeFile, join(tree, 'bin', 'iovascope-probe'));
    copyFileSync(join(guest, 'init'), join(tree, 'init'));
    for (const name of PROGRAMS) {
      run(cc, ['-static', '-O1', '-Wall', '-Werror', '-o', join(tree, 'bin', name), join(guest, `${name}.c`)]);
    }
    for (const file of modules) {
      const bytes = file.endsWith('.xz')
        ? execFileSync('xz', ['-dc', file], { maxBuffer: 1 << 28 })
        : readFileSync(file);
      writeFileSync(join(tree, 'modules', file.replace(/^.*\//, '').replace(/\.xz$/, '')), bytes);
    }
    for (const file of ['init', 'bin/busybox', 'bin/iovascope-probe']) chmodSync(join(tree, file), 0o755);
    const made = `${initrd}.${process.pid}`;
    run('bash', ['-o', 'pipefail', '-c', 'find . | cpio -o -H newc --quiet | gzip -1 > "$1"', 'pack', made], {
      cwd: tree,
    });
    renameSync(made, initrd);
    rmSync(tree, { recursive: true });
  }
  return { qemu, kernel, initrd };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const arch of Object.keys(ARCHES)) console.log(JSON.stringify(await vmImage(arch)));
}
