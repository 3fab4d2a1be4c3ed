// Live address spaces: processes that hold descriptors are real, what the kernel answers is made (testing/fake-kernel.c).
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, linkSync, mkdirSync, openSync, readFileSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { makeProbe } from '../../../scripts/build-probe.mjs';
import {
  type Line,
  linesOf,
  RunningProbe,
  removeTemporaryFolders,
  runProbe,
  temporaryFolder,
} from './testing/probe.ts';

const SOON = 120_000;
/** What Linux 6.12 answered on a host with 48 bits; the recording ends two zero bytes early. */
const RECORDED = `${readFileSync(
  join(import.meta.dirname, '../../dumps/fixtures/get-info/captured-x86-vtd-48bit.hex'),
  'utf8',
).trim()}0000`;
const PROCESSES = '{"id":1,"ask":"processes"}\n';

let probe = '';
let host = '';
const children: ChildProcess[] = [];

beforeAll(() => {
  const folder = temporaryFolder();
  makeProbe(['fake'], folder);
  probe = join(folder, 'iovascope-probe-fake');
  host = temporaryFolder();
  mkdirSync(join(host, 'dev/vfio'), { recursive: true });
}, SOON);

afterEach(async () => {
  for (const child of children.splice(0)) {
    // Until it has ended it still holds its descriptors, which the next test would see.
    const ended = new Promise((resolve) => child.once('exit', resolve));
    if (child.kill('SIGKILL')) await ended;
  }
});
afterAll(removeTemporaryFolders);

function setContainer(bytes: Uint8Array): void {
  writeFileSync(join(host, 'dev/vfio/vfio'), bytes);
}

function setIommufd(
  ...spaces: readonly (readonly [id: number, error: number, alignment: bigint, ...bounds: bigint[]])[]
): void {
  const words = spaces.flatMap(([id, error, alignment, ...bounds]) => [
    BigInt(id),
    BigInt(error),
    alignment,
    BigInt(bounds.length / 2),
    ...bounds,
  ]);
  writeFileSync(join(host, 'dev/iommu'), new Uint8Array(BigUint64Array.from(words).buffer));
}

/** A process that opens what the redirections say, and holds it. Returns its number. */
async function holder(redirections: string, ...args: string[]): Promise<number> {
  const script = `exec ${redirections}; echo ready; read -r line`;
  const child = spawn('sh', ['-c', script, 'holder', ...args], { cwd: host, stdio: ['pipe', 'pipe', 'inherit'] });
  children.push(child);
  await new Promise((resolve) => child.stdout?.once('data', resolve));
  return child.pid ?? 0;
}

function processes(): readonly Line[] {
  const { code, stderr, lines } = runProbe([probe], [], PROCESSES);
  expect([code, stderr]).toEqual([0, '']);
  expect(lines[0]).toEqual({ probe: 'begin', id: 1, what: 'processes' });
  expect(lines.at(-1)).toMatchObject({ probe: 'end', id: 1, facts: lines.length - 3 });
  return lines.slice(2, -1);
}

// Another process's descriptor is duplicated: whether others than root may do that is up to the system.
describe.skipIf(process.getuid?.() !== 0)('processes', () => {
  test('without descriptors are passed over', () => {
    expect(processes()).toMatchObject([{ kind: 'diagnostic', severity: 'info', code: 'no-address-spaces' }]);
  });

  test('with a container: its ranges, page sizes, mappings left, and who it is', async () => {
    setContainer(Buffer.from(RECORDED, 'hex'));
    const pid = await holder('7<dev/vfio/vfio', '-name', 'guest=old,,oak "2",debug-threads=on', '-m', '4G');
    const common = {
      container: `pid ${pid} fd 7`,
      pid,
      process: 'sh',
      guest: 'old,oak "2"',
      mappings_left: 65529,
      pgsize_bitmap: '0x40201000',
      source: `/proc/${pid}/fd/7`,
    };
    expect(processes()).toEqual([
      { kind: 'valid_range', start: '0x0', last: '0xfedfffff', ...common },
      { kind: 'valid_range', start: '0xfef00000', last: '0xffffffffffff', ...common },
    ]);
  });

  test.each([
    [['-name', 'birch'], 'birch'],
    [['-name', 'birch,process=x'], 'birch'],
    [['-name', 'debug-threads=on,guest=birch'], 'birch'],
    [['--name', 'birch'], 'birch'],
    [['run', '--name=birch', '-c', '4'], 'birch'],
    [['-name'], undefined],
    [['-name', ''], undefined],
    [['-names', 'birch'], undefined],
  ])('arguments %j name the guest %s', async (args, guest) => {
    setContainer(Buffer.from(RECORDED, 'hex'));
    await holder('7<dev/vfio/vfio', ...args);
    expect(processes().map((line) => line.guest)).toEqual([guest, guest]);
  });

  test('with an iommufd: the ranges of each address space, whatever its number', async () => {
    const top = (1n << 64n) - 1n;
    setIommufd([1, 0, 4096n, 0n, 0xfedfffffn, 0xfef00000n, top], [40, 0, 1n, 0n, top], [200, 0, 1n, 0n, 1n]);
    const pid = await holder('9<dev/iommu');
    const common = { pid, process: 'sh', source: `/proc/${pid}/fd/9` };
    const first = { ...common, kind: 'valid_range', ioas: `pid ${pid} fd 9 ioas 1`, alignment: '0x1000' };
    expect(processes()).toEqual([
      { ...first, start: '0x0', last: '0xfedfffff' },
      { ...first, start: '0xfef00000', last: '0xffffffffffffffff' },
      {
        ...common,
        kind: 'valid_range',
        ioas: `pid ${pid} fd 9 ioas 40`,
        alignment: '0x1',
        start: '0x0',
        last: '0xffffffffffffffff',
      },
    ]);
  });

  test('with files or other devices of that name are not asked', async () => {
    for (const folder of ['plain', 'other']) {
      mkdirSync(join(host, folder, 'dev/vfio'), { recursive: true });
      writeFileSync(join(host, folder, 'dev/vfio/vfio'), Buffer.from(RECORDED, 'hex'));
      writeFileSync(join(host, folder, 'dev/iommu'), '');
    }
    await holder('6<plain/dev/vfio/vfio 7<other/dev/vfio/vfio 8<plain/dev/iommu 9<other/dev/iommu');
    expect(processes()).toMatchObject([{ code: 'no-address-spaces' }]);
  });

  test('with odd iommufds are told', async () => {
    setIommufd();
    const pid = await holder('9<dev/iommu');
    const codes = () => processes().map(({ code, kind }) => code ?? kind);
    expect(codes()).toEqual(['iommufd-without-ioas']);
    setIommufd([3, 1, 1n]);
    expect(processes()).toMatchObject([{ code: 'iommufd-unreadable', source: `/proc/${pid}/fd/9` }]);
    setIommufd([3, 0, 1n, 5n, 4n]);
    expect(codes()).toEqual(['start-above-last']);
    const many = Array.from({ length: 5000 }, (_, i) => [BigInt(i) * 16n, BigInt(i) * 16n + 1n]).flat();
    setIommufd([3, 0, 1n, ...many]);
    const lines = processes();
    expect(lines).toHaveLength(4097);
    expect(lines[4095]).toMatchObject({ kind: 'valid_range', start: '0xfff0' });
    expect(lines[4096]).toMatchObject({ code: 'ioas-cut', message: 'IOAS 3 has 5000 ranges; 4096 are shown' });
  });

  test('that share an open file are told once; others that opened the same device are not the same', async () => {
    setContainer(Buffer.from(RECORDED, 'hex'));
    const pid = await holder('7<dev/vfio/vfio 8<&7 9<dev/vfio/vfio');
    const lines = processes();
    expect(lines.filter(({ kind }) => kind === 'valid_range').map(({ container }) => container)).toEqual(
      [7, 7, 9, 9].map((fd) => `pid ${pid} fd ${fd}`),
    );
    expect(lines.filter(({ kind }) => kind === 'diagnostic')).toMatchObject([
      { severity: 'info', code: 'same-container', source: `/proc/${pid}/fd/8` },
    ]);
  });

  test('whose container has no IOMMU yet, or tells no ranges, are told', async () => {
    setContainer(new Uint8Array());
    const pid = await holder('7<dev/vfio/vfio');
    const source = `/proc/${pid}/fd/7`;
    expect(processes()).toMatchObject([{ severity: 'info', code: 'container-without-iommu', source }]);
    const plain = Buffer.alloc(24);
    plain.writeUInt32LE(1, 4);
    setContainer(plain);
    expect(processes()).toMatchObject([{ severity: 'info', code: 'container-without-ranges', source }]);
    setContainer(new Uint8Array(100_000));
    expect(processes()).toMatchObject([{ severity: 'warning', code: 'container-unreadable', source }]);
  });

  test('whose container answers more than a first buffer holds are asked again', async () => {
    const count = 3000;
    const bytes = Buffer.alloc(24 + 16 + 16 * count);
    bytes.writeUInt32LE(2, 4);
    bytes.writeUInt32LE(24, 16);
    bytes.writeUInt16LE(1, 24);
    bytes.writeUInt32LE(count, 32);
    for (let i = 0; i < count; i++) {
      bytes.writeBigUInt64LE(BigInt(i) << 20n, 40 + 16 * i);
      bytes.writeBigUInt64LE((BigInt(i) << 20n) + 0xfffn, 48 + 16 * i);
    }
    setContainer(bytes);
    await holder('7<dev/vfio/vfio');
    const lines = processes();
    expect(lines).toHaveLength(count);
    expect(lines[2999]).toMatchObject({ start: '0xbb700000', last: '0xbb700fff' });
    expect(lines[2999]).not.toHaveProperty('pgsize_bitmap');
    expect(lines[2999]).not.toHaveProperty('mappings_left');
  });

  test(
    'whose container answers anything at all do no harm',
    async () => {
      setContainer(Buffer.from(RECORDED, 'hex'));
      await holder('7<dev/vfio/vfio');
      const change = fc.tuple(
        fc.nat(RECORDED.length / 2 - 1),
        fc.oneof(fc.nat(255), fc.constantFrom(0, 8, 24, 56, 72, 255)),
      );
      fc.assert(
        fc.property(fc.array(change, { minLength: 1, maxLength: 6 }), fc.nat(RECORDED.length / 2), (changes, cut) => {
          const bytes = Buffer.from(RECORDED, 'hex');
          for (const [at, value] of changes) bytes[at] = value;
          setContainer(cut % 3 === 0 ? bytes.subarray(0, cut) : bytes);
          for (const { kind } of processes()) expect(['valid_range', 'diagnostic']).toContain(kind);
        }),
        { numRuns: 30 },
      );
    },
    SOON,
  );

  test(
    'that come and go are a change, and so are numbers of mappings that have come to rest',
    async () => {
      setContainer(Buffer.from(RECORDED, 'hex'));
      const child = new RunningProbe(probe, []);
      const changes = () => linesOf(child.stdout).filter(({ probe: answer }) => answer === 'changed').length;
      child.write('{"id":1,"ask":"watch"}\n');
      await child.until((stdout) => stdout.includes('"done"'));
      await holder('7<dev/vfio/vfio');
      // The line may come in pieces.
      await child.until(() => changes() > 0);
      expect(child.stdout).toContain('"what":"processes"');
      expect(changes()).toBe(1);
      // By another name: under its own, this process would be one more that holds it, whenever a look finds it open.
      const numbers = join(host, 'dev/vfio/numbers');
      linkSync(join(host, 'dev/vfio/vfio'), numbers);
      // It looks every five seconds, and believes a number that it has seen twice.
      const left = (number: number) => {
        const bytes = Buffer.alloc(4);
        bytes.writeUInt32LE(number);
        // In place: the file is never empty in between.
        const file = openSync(numbers, 'r+');
        writeSync(file, bytes, 0, 4, 64);
        closeSync(file);
      };
      // Another number each time, also for looks that a busy machine brings close together.
      const moving = setInterval(() => left(1000 + (Math.floor(performance.now()) % 60_000)), 5);
      await new Promise((resolve) => setTimeout(resolve, 11_000));
      clearInterval(moving);
      expect(changes()).toBe(1);
      left(5);
      await child.until(() => changes() === 2);
      child.write('{"id":2,"ask":"processes"}\n');
      await child.until((stdout) => stdout.includes('"end"'));
      expect(child.stdout).toContain('"mappings_left":5,');
      child.child.stdin?.end();
      expect(await child.ended).toEqual({ code: 0, signal: null });
    },
    2 * SOON,
  );
});
