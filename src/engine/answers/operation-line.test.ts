import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { iova } from '../../iova/iova.ts';
import { createModel } from '../../kernel/models.ts';
import { answerOf, replay } from '../../kernel/replay/replay.ts';
import { anyContainerOperation, anyOperation, anyPageTableOperation } from '../../kernel/testing/any-operation.ts';
import { printOperation } from '../../operation-lines/print.ts';
import { isOperation, type Operation } from '../../session/events.ts';
import { readSession } from '../../session/read.ts';
import type { EventChange, LineTrial } from '../protocol/operation-lines.ts';
import { Asker, sessionText } from '../testing/documents.ts';

const VTD = 'iommu vtd, aperture 0x0-0x7fffffffff, msi 0xfee00000-0xfeefffff';
const HOST = [
  'root@alpha:~# uname -a',
  'Linux alpha 6.1.0-18-amd64 #1 SMP x86_64 GNU/Linux',
  '/sys/kernel/iommu_groups/4/devices/0000:00:06.0',
  '/sys/kernel/iommu_groups/4/reserved_regions:0x00000000fee00000 0x00000000feefffff msi',
  '',
].join('\n');

/** A session that is changed line by line. */
class Bar {
  readonly asker = new Asker();
  id: string | undefined;
  readonly model: string | undefined;

  constructor(model?: string) {
    this.model = model;
  }

  change(change: EventChange) {
    return this.asker.engine.call('changeEvents', { id: this.id, model: this.model, change });
  }

  /** Adds a line behind the last event; the answer, or why there is none. */
  async add(line: string, position = Number.MAX_SAFE_INTEGER) {
    const done = await this.change({ kind: 'insert', position, line });
    if (!done.ok) return done.error.message;
    this.id = done.value.id;
    return done.value.row?.answer ?? '';
  }

  async try(line: string, position = Number.MAX_SAFE_INTEGER, cursor = line.length): Promise<LineTrial> {
    return this.asker.ask('tryLine', { id: this.id, model: this.model, position, line, cursor });
  }

  async answers(): Promise<(string | undefined)[]> {
    const rows = await this.asker.ask('events', { id: this.id ?? '', offset: 0, limit: 100 });
    return rows.map(({ answer }) => answer);
  }

  async node() {
    const node = (await this.asker.ask('documents', null)).find(({ id }) => id === this.id);
    if (!node) throw new Error('no session');
    return node;
  }

  async lines(): Promise<string[]> {
    const text = await (await this.asker.ask('save', { id: this.id ?? '' })).text();
    const { session } = readSession(text);
    return session.events.flatMap((event) =>
      isOperation(event) ? printOperation(event, { model: session.header.model }) : [],
    );
  }
}

describe('lines that are tried', () => {
  test('say what would be answered, and why, and change nothing', async () => {
    const bar = new Bar('iommufd');
    for (const line of ['alloc a', `attach nic to a: ${VTD}`]) await bar.add(line);
    const refused = await bar.try('map a 0xfee00000 4K rw');
    expect(refused.outcome).toMatchObject({
      text: expect.stringContaining('map'),
      answer: '-EINVAL',
      refused: { rule: expect.any(String), obstacle: { start: 0xfee00000n, last: 0xfeefffffn } },
      where: { start: 0xfee00000n, last: 0xfee00fffn },
    });
    const accepted = await bar.try('map a any 2M r');
    expect(accepted.outcome).toMatchObject({ answer: expect.stringContaining('iova'), where: expect.any(Object) });
    expect(await bar.try('map a any 2M r')).toEqual(accepted);
    expect((await bar.node()).events).toBe(2);
  });

  test('a mistake names what was expected, its place and the nearest match', async () => {
    const { mistake, outcome } = await new Bar().try('mpa a 0x1000 4K rw');
    expect(outcome).toBeUndefined();
    expect(mistake).toMatchObject({ start: 0, end: 3, nearest: 'map', message: expect.stringContaining('expected') });
    expect((await new Bar().try('')).mistake).toBeUndefined();
  });

  test('an object that is not there is said to be missing, before and after Enter', async () => {
    const bar = new Bar();
    expect((await bar.try('map b any 4K r')).outcome?.refused?.message).toContain('b');
    expect(await bar.add('map b any 4K r')).toContain('b');
    expect(bar.id).toBeUndefined();
  });

  test('names of the session, devices of hosts and useful addresses are offered', async () => {
    const bar = new Bar();
    await bar.asker.open('h', HOST);
    for (const line of ['alloc a', `attach nic to a: ${VTD}`, 'map a 0x1000 4K rw']) await bar.add(line);
    const texts = async (line: string) => (await bar.try(line)).completions.items.map(({ text }) => text);
    expect(await texts('detach ')).toEqual(['group', 'nic', '0000:00:06.0']);
    expect(await texts('map a ')).toEqual([
      'any',
      '0x0',
      '0x2000',
      '0xfef00000',
      '0x1000',
      '0xfee00000',
      '0x8000000000',
    ]);
    expect((await texts('unmap a ')).slice(0, 3)).toEqual(['all', '0x1000', '0x0']);
  });

  test('what the dumps say about a device is offered as its domain', async () => {
    const bar = new Bar();
    await bar.asker.open(
      'h',
      sessionText([
        { kind: 'group', group: '4', devices: ['0000:00:06.0'] },
        { kind: 'aperture', start: '0x0', last: '0x7fffffffff', group: '4' },
        { kind: 'reserved', start: '0xfee00000', last: '0xfeefffff', type: 'msi', group: '4', origin: 'sysfs' },
      ]),
      'h.jsonl',
    );
    await bar.add('alloc a');
    const { completions } = await bar.try('attach 0000:00:06.0 to a: ');
    const [first] = completions.items;
    expect(first?.text).toContain('aperture 0x0-0x7fffffffff');
    expect(first?.text).toContain('msi 0xfee00000-0xfeefffff');
    expect(await bar.add(`attach 0000:00:06.0 to a: ${first?.text}`)).toBe('0');
    expect(await bar.try('map a 0xfee00000 4K r')).toMatchObject({ outcome: { answer: '-EINVAL' } });
  });

  test('a session that is made beside a host answers by the kernel of the case', async () => {
    const bar = new Bar('type1');
    await bar.asker.open('h', HOST);
    await bar.add('open c type1v2');
    const text = await (await bar.asker.ask('save', { id: bar.id ?? '' })).text();
    expect(readSession(text).session.header).toMatchObject({ model: 'type1', kernel: '6.1.0-18-amd64' });
    expect((await bar.asker.ask('case', null)).hosts).toHaveLength(1);
  });
});

describe('changes of a session', () => {
  const START = ['alloc a', `attach nic to a: ${VTD}`, 'map a 0x1000 4K rw', 'map a 0x1000 4K rw', 'unmap a 0x1000 4K'];
  async function started() {
    const bar = new Bar('iommufd');
    for (const line of START) await bar.add(line);
    return bar;
  }

  test('an event can be replaced; the rest is run again, and what is answered differently is counted', async () => {
    const bar = await started();
    const before = await bar.answers();
    expect(before).toEqual(['0', expect.any(String), expect.any(String), '-EEXIST', expect.any(String)]);
    const changed = await bar.change({ kind: 'replace', position: 3, line: 'map a 0x2000 4K rw' });
    expect(changed).toMatchObject({ ok: true, value: { changedLater: { first: 4, count: 1 } } });
    expect((await bar.answers())[3]).toBe((await bar.answers())[2]?.replace('2000', '1000'));
    expect(await bar.node()).toMatchObject({ position: 3, operations: 5, changes: { made: 5, undo: 5, redo: 0 } });
  });

  test('an event can be removed and added in the middle; undo and redo go through all changes', async () => {
    const bar = await started();
    expect(await bar.change({ kind: 'remove', position: 1 })).toMatchObject({ ok: true });
    expect(await bar.lines()).toEqual(START.slice(1));
    await bar.change({ kind: 'undo' });
    expect(await bar.lines()).toEqual(START);
    expect(await bar.add('map a 0x5000 4K r', 2)).toContain('0x5000');
    expect((await bar.lines())[2]).toBe('map a 0x5000 4K r');
    for (let i = 0; i < 5; i++) await bar.change({ kind: 'undo' });
    expect(await bar.lines()).toEqual(START.slice(0, 1));
    expect(await bar.change({ kind: 'undo' })).toMatchObject({ ok: false });
    for (let i = 0; i < 5; i++) await bar.change({ kind: 'redo' });
    expect((await bar.lines())[2]).toBe('map a 0x5000 4K r');
    expect(await bar.change({ kind: 'redo' })).toMatchObject({ ok: false, error: { message: 'nothing to redo' } });
  });

  test('what other answers keep about the events is not stale', async () => {
    const bar = await started();
    const id = bar.id ?? '';
    const overview = () => bar.asker.ask('eventOverview', { id, filter: {} });
    const compare = () =>
      bar.asker.ask('compare', { id, models: ['iommufd', 'iommufd-vfio'], offset: 0, limit: 9, position: 0 });
    expect([(await overview()).failed, (await compare()).rows.length]).toEqual([1, 5]);
    await bar.change({ kind: 'remove', position: 4 });
    expect([(await overview()).failed, (await compare()).rows.length]).toEqual([0, 4]);
    await bar.add('map a 0xfee00000 4K rw');
    expect([(await overview()).failed, (await compare()).rows.length]).toEqual([1, 5]);
  });

  test('changes are kept with the case, and an earlier undo of the case does not lose them', async () => {
    const bar = new Bar();
    await bar.asker.open('s', sessionText([{ op: 'ioas.alloc', ioas: 'a' }]), 's.jsonl');
    const host = await bar.asker.open('h', HOST);
    await bar.asker.ask('renameHost', { hostId: host.id, name: 'Other' });
    bar.id = 's';
    await bar.add('ranges a');
    await bar.asker.ask('undo', null);
    expect(await bar.lines()).toEqual(['alloc a', 'ranges a']);
    const { data } = await bar.asker.ask('exportCase', { view: '' });
    const other = new Asker();
    await other.ask('importCase', { data });
    expect((await other.ask('documents', null)).find(({ id }) => id === 's')).toMatchObject({ operations: 2 });
  });

  test('facts cannot be changed, nor what is not there', async () => {
    const bar = new Bar();
    const fact = { kind: 'reserved', start: '0x0', last: '0xfff', type: 'msi', group: '1', origin: 'sysfs' };
    await bar.asker.open('s', sessionText([fact, { op: 'ioas.alloc', ioas: 'a' }]), 's.jsonl');
    bar.id = 's';
    expect(await bar.change({ kind: 'remove', position: 1 })).toMatchObject({ ok: false });
    expect(await bar.change({ kind: 'remove', position: 3 })).toMatchObject({ ok: false });
    expect(await bar.change({ kind: 'replace', position: 2, line: 'alloc' })).toMatchObject({ ok: false });
    const line = (position: number, direction: 'next' | 'previous') =>
      bar.asker.ask('eventLine', { id: 's', position, direction });
    expect(await line(1, 'next')).toEqual({ position: 2, line: 'alloc a' });
    expect([await line(1, 'previous'), await line(3, 'next')]).toEqual([null, null]);
  });
});

const address = (n: number) => iova(BigInt(n) * 0x1000n);
const anyDmaOperation: fc.Arbitrary<Operation> = fc.oneof(
  fc.constant<Operation>({
    ...{ op: 'dma.attach', device: 'nic', domain: 'd', aperture: [iova(0n), iova(0xffff_ffffn)], windows: [] },
    ...{ force_aperture: true, pgsize_bitmap: iova(0x1000n), pci: true, forcedac: false, reserved: [] },
  }),
  fc.tuple(fc.nat({ max: 64 }), fc.nat({ max: 40 }), fc.constantFrom(0xffff_ffffn, 0xff_ffffn)).map(
    ([phys, size, mask]): Operation => ({
      ...{ op: 'dma.map', device: 'nic', phys: address(phys), size: address(size), dma_mask: iova(mask) },
    }),
  ),
  fc.tuple(fc.nat({ max: 8 }), fc.integer({ min: 1, max: 2 })).map(
    ([n, size]): Operation => ({
      ...{ op: 'dma.unmap', device: 'nic', dma_addr: iova(0xffff_f000n - BigInt(n) * 0x1000n), size: address(size) },
    }),
  ),
);

describe('lines through the bar answer as replay does', () => {
  test.each([
    ['iommufd', fc.oneof(anyOperation, anyPageTableOperation)],
    ['iommufd-rfc', anyOperation],
    ['type1', anyContainerOperation],
    ['iommufd-vfio', anyContainerOperation],
    ['dma-iommu', anyDmaOperation],
  ] as const)('%s', async (model, operations: fc.Arbitrary<Operation>) => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(operations, { minLength: 1, maxLength: 25 }),
        fc.array(fc.nat(), { maxLength: 25 }),
        async (list, places) => {
          const bar = new Bar(model);
          for (const [i, operation] of list.entries()) {
            // Some lines go between earlier ones, so that what follows is run again.
            const place = places[i];
            await bar.add(printOperation(operation, { model }), place === undefined ? undefined : place % (i + 1));
          }
          if (bar.id === undefined) return;
          const text = await (await bar.asker.ask('save', { id: bar.id })).text();
          const { session } = readSession(text);
          const made = createModel(session.header);
          if (!made.ok) throw new Error(made.message);
          const wanted = [...replay(session, made.model)].map(({ outcome }) => answerOf(outcome)?.ret);
          const got = (await bar.answers()).map((answer) => answer?.split(' ')[0]);
          expect(got).toEqual(wanted.map((ret) => (ret === undefined ? undefined : String(ret))));
        },
      ),
      { numRuns: 25 },
    );
  });
});
