// npm run vm:kernel -- --check: boots the built kernel in virtual machines and asks the probe there, over its stdin and
// stdout, for what Debian's kernel cannot show: address spaces of an iommufd, and Intel's page tables.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const RUN = join(fileURLToPath(import.meta.url), '..', 'vm-run.mjs');
/** Milliseconds for a machine to boot and its programs to hold their devices. */
const WITHIN = 120_000;
const AGAIN_AFTER = 1_000;

const BELOW_MSI = '0x0-0xfedfffff';
const WHOLE = '0x0-0xffffffffffffffff';
/** What the kernel would map for a device in each machine: its aperture without the reserved regions. */
const USABLE = {
  'vtd-39': [BELOW_MSI, '0xfef00000-0x7fffffffff'],
  'vtd-48': [BELOW_MSI, '0xfef00000-0xffffffffffff'],
  'amd-vi': [BELOW_MSI, '0xfef00000-0xfcffffffff', '0x10000000000-0xffffffffffffffff'],
  'virtio-iommu': [BELOW_MSI, '0xfef00000-0xffffffffffffffff'],
};
/** What hold.c and hold-iommufd.c have mapped; the latter has one read-only range. */
const MAPPED = ['0x0-0x9ffff', '0xc0000-0xdffff', '0x10000000-0x103fffff', '0x100000000-0x1001fffff'];
const READ_ONLY = '0xc0000-0xdffff';

const hex = (address) => `0x${address.toString(16)}`;

/** The addresses that facts cover, as ranges that do not touch each other. */
function covered(facts) {
  const ranges = facts
    .map(({ start, last }) => [BigInt(start), BigInt(last)])
    .sort((a, b) => (a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : 0));
  const merged = [];
  for (const [start, last] of ranges) {
    const open = merged.at(-1);
    if (open && start <= open[1] + 1n) open[1] = last > open[1] ? last : open[1];
    else merged.push([start, last]);
  }
  return merged.map(([start, last]) => `${hex(start)}-${hex(last)}`);
}

/** A summary that is the same in each run. */
function summary(facts) {
  const seen = {};
  const add = (key, fact) => {
    seen[key] ??= [];
    seen[key].push(fact);
  };
  for (const fact of facts) {
    if (fact.kind === 'valid_range' && fact.ioas !== undefined) {
      // The ids of objects: the second address space comes behind the device and its page table.
      add(`${fact.process}: ioas ${fact.ioas.replace(/^.* /, '')}, alignment ${fact.alignment}`, fact);
    } else if (fact.kind === 'valid_range') add(`${fact.process}: container`, fact);
    else if (fact.kind === 'map' && fact.origin === 'page-table') {
      add(`${fact.device}: mapped${fact.write === false ? ' for reading' : ''}`, fact);
    }
  }
  return Object.fromEntries(Object.entries(seen).map(([key, list]) => [key, covered(list).join(' ')]));
}

function expected(machine) {
  const usable = USABLE[machine].join(' ');
  const tables = machine.startsWith('vtd') && {
    '0000:00:05.0: mapped': MAPPED.join(' '),
    '0000:00:06.0: mapped': MAPPED.filter((range) => range !== READ_ONLY).join(' '),
    '0000:00:06.0: mapped for reading': READ_ONLY,
  };
  return {
    'hold: container': usable,
    'hold-iommufd: ioas 1, alignment 0x1000': usable,
    'hold-iommufd: ioas 4, alignment 0x1': WHOLE,
    ...tables,
  };
}

/** What was expected and is missing, one per line. */
function missing(machine, facts) {
  const seen = summary(facts);
  return Object.entries(expected(machine)).flatMap(([key, ranges]) =>
    seen[key] === ranges ? [] : [`${key}: expected ${ranges}, found ${seen[key] ?? 'nothing'}`],
  );
}

/** Boots a machine and queries it until everything is as expected, or the time is over. Returns the last facts. */
function observe(machine) {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [RUN, `${machine}+iommufd`], { stdio: ['pipe', 'pipe', 'inherit'] });
    let facts = [];
    let kernel = '';
    const end = () => {
      clearTimeout(timer);
      child.kill();
      resolve({ facts, kernel });
    };
    const timer = setTimeout(end, WITHIN);
    const ask = () => {
      facts = [];
      child.stdin.write('{"id":1,"ask":"snapshot"}\n{"id":2,"ask":"page_tables"}\n');
    };
    child.stdin.on('error', () => undefined);
    child.on('error', reject);
    child.on('exit', (code) => {
      clearTimeout(timer);
      reject(new Error(`the machine ended with exit code ${code}`));
    });
    createInterface({ input: child.stdout }).on('line', (line) => {
      let object;
      try {
        object = JSON.parse(line);
      } catch {
        return;
      }
      if (object.kind !== undefined) facts.push(object);
      if (object.kind === 'host') kernel = object.kernel;
      if (object.probe !== 'end' || object.id !== 2) return;
      if (missing(machine, facts).length === 0) end();
      else setTimeout(ask, AGAIN_AFTER);
    });
    ask();
  });
}

/** Prints what the probe reported in each machine. True if that is what is mapped there. */
export async function checkKernel() {
  let isGood = true;
  for (const machine of Object.keys(USABLE)) {
    const started = Date.now();
    const { facts, kernel } = await observe(machine);
    const seconds = ((Date.now() - started) / 1000).toFixed(1);
    console.log(`${machine}: Linux ${kernel || '?'}, ${facts.length} facts, ${seconds} s`);
    for (const [key, ranges] of Object.entries(summary(facts))) console.log(`  ${key}: ${ranges}`);
    const faults = missing(machine, facts);
    if (!kernel.endsWith('-iovascope')) faults.push(`kernel: expected the built one, found ${kernel || 'none'}`);
    for (const fault of faults) console.log(`  WRONG ${fault}`);
    if (faults.length > 0) isGood = false;
  }
  return isGood;
}
