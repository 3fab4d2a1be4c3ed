import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MessageChannel } from 'node:worker_threads';
import fc from 'fast-check';
import { packTar, type TarEntry } from 'modern-tar';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { FleetPart } from './fleet-parts.ts';
import { runCli } from './testing/run.ts';
import { serve } from './thread.ts';
import { type JobMessage, type ResultMessage, runInThreads, type Thread, type Threads } from './threads.ts';

/** Threads that do a job by a function, in this thread; one during whose job it throws ends. */
function inThisThread<Job, Result>(
  work: (job: Job, thread: number) => Result | Promise<Result>,
): Threads & { started: number } {
  const threads = {
    count: 3,
    started: 0,
    start(): Thread {
      const number = threads.started++;
      let answer: (message: unknown) => void = () => undefined;
      let end: (reason: string) => void = () => undefined;
      let isOver = false;
      let last: Promise<void> = Promise.resolve();
      return {
        post(message) {
          const { index, job } = message as JobMessage<Job>;
          last = last.then(async () => {
            if (isOver) return;
            try {
              const result = await work(job, number);
              answer({ index, result } satisfies ResultMessage<Result>);
            } catch (error) {
              isOver = true;
              end(String(error));
            }
          });
        },
        onMessage(take) {
          answer = take;
        },
        onEnd(take) {
          end = take;
        },
        end() {
          isOver = true;
        },
      };
    },
  };
  return threads;
}

describe('jobs in threads', () => {
  const jobs = Array.from({ length: 40 }, (_, i) => i);

  test('the results are in the order of the jobs, whichever thread is faster', async () => {
    const threads = inThisThread(async (job: number, thread) => {
      // The first thread is the slowest.
      for (let turns = 0; turns < 10 * (3 - thread); turns++) await Promise.resolve();
      return job * 2;
    });
    expect(await runInThreads(jobs, threads, undefined, () => -1)).toEqual(jobs.map((job) => job * 2));
    expect(threads.started).toBe(3);
  });

  test('a thread that ends takes its job with it, and no other', async () => {
    const deadly = new Set([0, 7, 8, 9, 39]);
    const threads = inThisThread((job: number) => {
      if (deadly.has(job)) throw new Error(`job ${job}`);
      return `${job}`;
    });
    const results = await runInThreads(jobs, threads, undefined, (job, reason) => `lost ${job}: ${reason}`);
    expect(results).toEqual(jobs.map((job) => (deadly.has(job) ? `lost ${job}: Error: job ${job}` : `${job}`)));
  });

  test('a result that arrives after its thread has ended is not counted, and gives that thread no job', async () => {
    let started = 0;
    const threads: Threads = {
      count: 1,
      start(): Thread {
        const isFirst = started++ === 0;
        const posted: number[] = [];
        let answer: (message: unknown) => void = () => undefined;
        let end: (reason: string) => void = () => undefined;
        return {
          post(message) {
            const { index, job } = message as JobMessage<number>;
            posted.push(index);
            if (!isFirst) queueMicrotask(() => answer({ index, result: job }));
            else if (posted.length === 1)
              queueMicrotask(() => {
                end('gone');
                for (const late of posted) answer({ index: late, result: -2 });
              });
          },
          onMessage(take) {
            answer = take;
          },
          onEnd(take) {
            end = take;
          },
          end() {},
        };
      },
    };
    const results = await runInThreads(jobs, threads, undefined, () => -1);
    expect(results).toEqual([-1, ...jobs.slice(1)]);
    expect(started).toBe(2);
  });

  test('if every job ends its thread, every job is lost', async () => {
    const threads = inThisThread((): string => {
      throw new Error('no');
    });
    expect(await runInThreads(jobs, threads, undefined, (job) => `${job}`)).toEqual(jobs.map((job) => `${job}`));
  });
});

/** Writes a dump of the host number `i`. */
function writeHost(path: string, i: number): void {
  const group = join(path, 'sys/kernel/iommu_groups', `${i % 3}`);
  mkdirSync(join(group, 'devices'), { recursive: true });
  const direct = i % 5 === 0 ? '0x000000007b800000 0x000000007bffffff direct\n' : '';
  // Two hosts of one class whose regions have different types: what is said of it is that of the first.
  const odd = i === 11 || i === 31 ? `0x0000000080000000 0x00000000800fffff ${i === 11 ? 'direct' : 'reserved'}\n` : '';
  writeFileSync(join(group, 'reserved_regions'), `${direct}${odd}0x00000000fee00000 0x00000000feefffff msi\n`);
  symlinkSync(`../../../../devices/pci0000:00/0000:00:0${i % 3}.0`, join(group, 'devices', `0000:00:0${i % 3}.0`));
}

const fileEntry = (name: string, body: Uint8Array): TarEntry => ({
  header: { name, size: body.length, type: 'file' },
  body,
});

/** The files and links below a folder as entries of a tar, in a folder of this name. */
function entriesOf(path: string, name: string): TarEntry[] {
  return readdirSync(path, { withFileTypes: true }).flatMap((entry): TarEntry[] => {
    const [inside, below] = [join(path, entry.name), `${name}/${entry.name}`];
    if (entry.isDirectory()) return entriesOf(inside, below);
    if (entry.isFile()) return [fileEntry(below, new Uint8Array(readFileSync(inside)))];
    return [{ header: { name: below, size: 0, type: 'symlink', linkname: readlinkSync(inside) } }];
  });
}

const tarOf = (entries: readonly TarEntry[]) => packTar([...entries]);

describe('compare in threads', () => {
  const COUNT = 40;
  let root = '';
  let paths: string[] = [];

  beforeAll(() => {
    root = mkdtempSync(join(tmpdir(), 'iovascope-'));
    paths = Array.from({ length: COUNT }, (_, i) => join(root, `host${i}`));
    for (const [i, path] of paths.entries()) writeHost(path, i);
    // Nothing to compare.
    mkdirSync(join(root, 'empty'));
    paths.splice(20, 0, join(root, 'empty'), join(root, 'missing'));
  });

  afterAll(() => rmSync(root, { recursive: true }));

  /** Threads that run what a thread of the program runs; `lost`: paths during which one ends. */
  function programThreads(
    lost: readonly string[],
    onJob: (job: { readonly part?: FleetPart }) => void = () => undefined,
  ): Threads & { started: number } {
    const threads = {
      count: 2,
      started: 0,
      start(task: unknown): Thread {
        threads.started++;
        const { port1, port2 } = new MessageChannel();
        let end: (reason: string) => void = () => undefined;
        void serve(structuredClone(task), port2, {
          stdout: () => undefined,
          stderr: () => undefined,
          stdin: async () => new Uint8Array(),
          readFile: async () => new Uint8Array(),
          readFolder: async () => [],
          writeFile: async () => undefined,
        });
        return {
          post(message) {
            const { job } = message as JobMessage<{ readonly path: string; readonly part?: FleetPart }>;
            onJob(job);
            if (lost.includes(job.part?.path ?? job.path)) {
              // What it got before is still done.
              setImmediate(() => {
                port1.close();
                end('out of memory');
              });
            } else port1.postMessage(message);
          },
          onMessage: (take) => port1.on('message', take),
          onEnd(take) {
            end = take;
          },
          end: () => port1.close(),
        };
      },
    };
    return threads;
  }

  /** Compares a path in threads and in one; true if its parts were read. */
  async function isSame(path: string): Promise<boolean> {
    const parts: FleetPart[] = [];
    const threads = programThreads([], ({ part }) => part && parts.push(part));
    const shared = await runCli(['compare', '--json', path], {}, '', threads);
    expect(shared).toEqual(await runCli(['compare', '--json', path]));
    expect(shared.stdout).toContain('"hosts"');
    return parts.length > 1;
  }

  describe('a fleet in one folder', () => {
    let fleet = '';
    beforeEach(() => {
      fleet = join(root, `fleet ${crypto.randomUUID()}`);
      for (let i = 0; i < COUNT; i++) writeHost(join(fleet, `host${i}`), i);
    });

    /** Adds to each host what it is called. */
    const nameHosts = (name: (i: number) => string) => {
      for (let i = 0; i < COUNT; i++) {
        writeFileSync(join(fleet, `host${i}`, 'uname.txt'), `Linux ${name(i)} 6.1.0 #1 SMP x86_64 GNU/Linux\n`);
      }
    };

    test('without host names: by their folders', async () => {
      for (let i = 0; i < COUNT; i++) writeFileSync(join(fleet, `host${i}`, 'lspci.txt'), '00:00.0 Host bridge: x\n');
      expect(await isSame(fleet)).toBe(true);
      expect(await isSame(`${fleet}/`)).toBe(true);
    });

    test('with host names', async () => {
      nameHosts((i) => `node${i}`);
      expect(await isSame(fleet)).toBe(true);
      expect((await runCli(['compare', fleet], {}, '', programThreads([]))).stdout).toContain('node30');
    });

    test('two folders of one host are one host', async () => {
      nameHosts((i) => `node${i === 9 ? 3 : i}`);
      await isSame(fleet);
    });

    test('with a file beside the folders, or one that is like no other', async () => {
      nameHosts((i) => `node${i}`);
      mkdirSync(join(fleet, 'other'));
      writeFileSync(join(fleet, 'other', 'dmesg.txt'), '[    0.000000] Linux version 6.1.0\n');
      expect(await isSame(fleet)).toBe(false);
      rmSync(join(fleet, 'other'), { recursive: true });
      writeFileSync(join(fleet, 'README.txt'), 'collected on Monday\n');
      expect(await isSame(fleet)).toBe(false);
    });

    test('with operations in one of the folders', async () => {
      nameHosts((i) => `node${i}`);
      const session = '{"format":"iova-trace","version":1}\n{"op":"ioas.alloc","ioas":"a"}\n';
      writeFileSync(join(fleet, 'host4', 'x.iova.jsonl'), session);
      await isSame(fleet);
    });

    test('a folder of archives', async () => {
      nameHosts((i) => `node${i}`);
      const archives = join(root, 'archives');
      mkdirSync(archives);
      for (let i = 0; i < COUNT; i++) {
        writeFileSync(join(archives, `host${i}.tar`), await tarOf([...entriesOf(join(fleet, `host${i}`), 'x')]));
      }
      expect(await isSame(archives)).toBe(true);
    });
  });

  describe('a fleet in one tar', () => {
    const BLOB = { path: 'blob.bin', bytes: new Uint8Array(9 << 20) };

    /** The entries of the fleet's hosts, each in a folder of its name; the first has one of many bytes. */
    function entries(folder = ''): TarEntry[] {
      return paths
        .filter((path) => path.includes('host'))
        .flatMap((path, i) => [
          fileEntry(
            `${folder}node${i}/uname.txt`,
            new TextEncoder().encode(`Linux node${i} 6.1.0 #1 SMP x86_64 GNU/Linux\n`),
          ),
          ...entriesOf(path, `${folder}node${i}`),
          ...(i === 0 ? [fileEntry(`${folder}node0/${BLOB.path}`, BLOB.bytes)] : []),
        ]);
    }

    async function isTarSame(list: readonly TarEntry[], change = (tar: Uint8Array) => tar): Promise<boolean> {
      const path = join(root, `fleet-${crypto.randomUUID()}.tar`);
      writeFileSync(path, change(await tarOf(list)));
      return isSame(path);
    }

    test('its hosts, side by side or in one folder', async () => {
      expect(await isTarSame(entries())).toBe(true);
      expect(await isTarSame(entries('./fleet/'))).toBe(true);
    });

    test('with entries of folders, and one host more than whole parts', async () => {
      const withFolders = entries().flatMap((one): TarEntry[] => {
        const [folder = ''] = one.header.name.split('/');
        const isFirst = one.header.name.endsWith('uname.txt');
        return isFirst ? [{ header: { name: `${folder}/`, size: 0, type: 'directory' } }, one] : [one];
      });
      const isOneMore = withFolders.filter((one) => /^node(?:\d|[12]\d|3[0-2])\//.test(one.header.name));
      expect(await isTarSame(withFolders)).toBe(true);
      expect(await isTarSame(isOneMore)).toBe(true);
    });

    test('with entries in any order', async () => {
      await fc.assert(
        fc.asyncProperty(fc.shuffledSubarray(entries(), { minLength: 2 * COUNT }), async (list) => {
          await isTarSame(list);
        }),
        { numRuns: 4 },
      );
      const [later, first] = [entries().filter((_, i) => i % 2 === 1), entries().filter((_, i) => i % 2 === 0)];
      await isTarSame([...first, ...later]);
    });

    test('with a file outside, a path that leads out, or damage: as a whole', async () => {
      expect(await isTarSame([...entries(), fileEntry('README.txt', new TextEncoder().encode('x'))])).toBe(false);
      expect(await isTarSame([...entries(), fileEntry('../x', new TextEncoder().encode('x'))])).toBe(false);
      expect(await isTarSame([...entries(), fileEntry('/node1/x', new TextEncoder().encode('x'))])).toBe(false);
    });

    test('that is cut off', async () => {
      await isTarSame(entries(), (tar) => tar.slice(0, tar.length - 1800));
    });
  });

  test.each([[[]], [['--json']], [['--guest', 'q35:4G', '--json']], [['--kernel', '5.4']]])(
    'the output is the same, byte for byte: %s',
    async (options: string[]) => {
      const args = ['compare', ...options, ...paths];
      const threads = programThreads([]);
      expect(await runCli(args, {}, '', threads)).toEqual(await runCli(args));
      expect(threads.started).toBe(2);
    },
  );

  test('with little to read, or standard input, there are no threads', async () => {
    const threads = programThreads([]);
    await runCli(['compare', ...paths.slice(0, 10)], {}, '', threads);
    await runCli(['compare', ...paths, '-'], {}, '', threads);
    expect(threads.started).toBe(0);
  });

  test('a path that cannot be looked at is named; the rest is compared', async () => {
    const file = join(root, 'file.txt');
    writeFileSync(file, '');
    const loop = join(root, 'loop');
    symlinkSync(loop, loop);
    for (const wrong of [join(file, 'x'), loop, join(root, 'x'.repeat(300))]) {
      const { code, stdout, stderr } = await runCli(['compare', '--json', ...paths, wrong], {}, '', programThreads([]));
      expect([wrong, code]).toEqual([wrong, 2]);
      expect(stderr).toContain(`compare: ${wrong}: `);
      expect(JSON.parse(stdout).hosts).toHaveLength(COUNT);
    }
  });

  test('what a thread was reading when it ended is named; the rest is compared', async () => {
    const lost = paths[3] ?? '';
    const { code, stdout, stderr } = await runCli(['compare', '--json', ...paths], {}, '', programThreads([lost]));
    expect(code).toBe(2);
    expect(stderr).toContain(`compare: ${lost}: reading it failed: out of memory`);
    const { hosts, not_read } = JSON.parse(stdout);
    expect(hosts).toHaveLength(COUNT - 1);
    expect(not_read).toHaveLength(3);
  });

  test('the same for a part of a fleet', async () => {
    const fleet = join(root, 'lost');
    for (let i = 0; i < COUNT; i++) {
      writeHost(join(fleet, `host${i}`), i);
      writeFileSync(join(fleet, `host${i}`, 'uname.txt'), `Linux node${i} 6.1.0 #1 SMP x86_64 GNU/Linux\n`);
    }
    const lost = join(fleet, 'host3');
    const { code, stdout, stderr } = await runCli(['compare', '--json', fleet], {}, '', programThreads([lost]));
    expect([code, stderr]).toEqual([2, `iovascope: compare: ${lost}: reading it failed: out of memory\n`]);
    expect(JSON.parse(stdout).hosts).toHaveLength(COUNT - 1);
  });
});
