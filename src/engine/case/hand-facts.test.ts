// Facts changed by hand: "what if this host had no such region, or a wider aperture?", in every form, and undone.
import { describe, expect, test } from 'vitest';
import type { HandFact } from '../protocol/case.ts';
import type { ShareForm } from '../protocol/share.ts';
import { Asker, filesOf } from '../testing/documents.ts';

const HOST = [
  'root@alpha:~# uname -a',
  'Linux alpha 6.1.0-18-amd64 #1 SMP x86_64 GNU/Linux',
  '[    0.004196] DMAR: Host address width 39',
  '/sys/kernel/iommu_groups/4/devices/0000:04:00.0',
  '/sys/kernel/iommu_groups/4/reserved_regions:0x000000003e2e0000 0x000000003e2fffff direct',
  '/sys/kernel/iommu_groups/4/reserved_regions:0x00000000fee00000 0x00000000feefffff msi',
  '/sys/kernel/iommu_groups/7/devices/0000:07:00.0',
  '/sys/kernel/iommu_groups/7/reserved_regions:0x00000000fee00000 0x00000000feefffff msi',
  '',
].join('\n');
const DIRECT = { start: 0x3e2e0000n, last: 0x3e2fffffn };
const MSI = { start: 0xfee00000n, last: 0xfeefffffn };

class Case extends Asker {
  async add(texts: Readonly<Record<string, string>>): Promise<this> {
    await this.ask('open', { title: 'drop', files: filesOf(texts) });
    return this;
  }

  async host() {
    const [host] = (await this.ask('case', null)).hosts;
    if (!host) throw new Error('no host');
    return host;
  }

  async change(fact: Omit<HandFact, 'hostId'>) {
    return this.ask('changeFact', { hostId: (await this.host()).id, ...fact });
  }

  /** Whether a page can be mapped at an address when all groups are selected. */
  async fits(at: bigint): Promise<boolean | undefined> {
    await this.arrangeAll();
    const [answer] = await this.ask('fit', { size: 0x1000n, alignment: 0x1000n, at });
    return answer?.fits;
  }

  async refusal(group: number): Promise<string | undefined> {
    return (await this.host()).groups.find(({ title }) => title === `group ${group}`)?.refusal;
  }

  async share(form: ShareForm) {
    const documents = await this.ask('documents', null);
    const selectedGroups = documents.flatMap((d) => [...d.groups, ...d.spaces, ...d.layers].map(({ key }) => key));
    return this.ask('share', { form, selectedGroups, expanded: [], scale: 'fold', version: '1.0' });
  }
}

const opened = () => new Case().add({ 'a.txt': HOST });

describe('what if', () => {
  test('a region were not there: its range is usable, and the group can be assigned; undone, it is as before', async () => {
    const open = await opened();
    expect([await open.fits(DIRECT.start), await open.refusal(4)]).toEqual([false, expect.stringContaining('1:1')]);
    const after = await open.change({ ...DIRECT, change: 'ignore', group: '4' });
    expect(after.undo).toBe('By hand: direct region of group 4 ignored');
    expect([await open.fits(DIRECT.start), await open.refusal(4)]).toEqual([true, undefined]);
    await open.ask('undo', null);
    expect([await open.fits(DIRECT.start), await open.refusal(4)]).toEqual([false, expect.stringContaining('1:1')]);
    expect(await open.ask('notes', null)).toEqual([]);
  });

  test('only a group of several is meant, or all of them', async () => {
    const open = await opened();
    await open.change({ ...MSI, change: 'ignore', group: '7' });
    expect(await open.fits(MSI.start)).toBe(false);
    await open.ask('undo', null);
    const after = await open.change({ ...MSI, change: 'ignore' });
    expect(after.undo).toBe('By hand: msi region of group 4, group 7 ignored');
    expect(await open.fits(MSI.start)).toBe(true);
  });

  test('a region were reserved: it blocks, and says where it comes from', async () => {
    const open = await opened();
    expect(await open.fits(0x100000n)).toBe(true);
    await open.change({ start: 0x100000n, last: 0x1fffffn, change: 'reserve', type: 'direct', group: '7' });
    expect([await open.fits(0x100000n), await open.refusal(7)]).toEqual([false, expect.stringContaining('1:1')]);
    const { sources } = await open.arrangeAll();
    expect(sources).toEqual(['a.txt', 'entered by hand']);
    const { rows } = await open.ask('table', { offset: 0, limit: 50 });
    expect(rows.find(({ target, lane }) => target.start === 0x100000n && lane === 'reserved')?.source).toContain(
      'entered by hand',
    );
  });

  test('the aperture were another, wider or narrower: the last one entered holds', async () => {
    const open = await opened();
    expect([await open.fits(1n << 40n), await open.fits(1n << 37n)]).toEqual([false, true]);
    await open.change({ start: 0n, last: (1n << 48n) - 1n, change: 'aperture' });
    expect([await open.fits(1n << 40n), await open.fits(1n << 37n)]).toEqual([true, true]);
    await open.change({ start: 0n, last: (1n << 36n) - 1n, change: 'aperture' });
    expect([await open.fits(1n << 40n), await open.fits(1n << 37n)]).toEqual([false, false]);
    expect((await open.ask('notes', null)).map(({ text }) => text)).toEqual([
      'By hand: aperture replaced by 0x0-0xfffffffff',
    ]);
    // A chosen kernel does not bring back what follows from registers.
    await open.ask('setKernel', { version: '6.12' });
    expect(await open.fits(1n << 37n)).toBe(false);
    await open.ask('undo', null);
    await open.ask('undo', null);
    await open.ask('undo', null);
    expect([await open.fits(1n << 40n), await open.fits(1n << 37n)]).toEqual([false, true]);
  });

  test('is closed like any other source, and joins what is opened later', async () => {
    const open = await opened();
    await open.change({ ...DIRECT, change: 'ignore' });
    await open.add({ 'b.txt': '/sys/kernel/iommu_groups/9/devices/0000:09:00.0\n' });
    expect(await open.fits(DIRECT.start)).toBe(true);
    const source = (await open.host()).sources.find(({ name }) => name === 'entered by hand');
    expect(source).toMatchObject({ facts: 2, diagnostics: 0 });
    await open.ask('closeSource', { sourceId: source?.id ?? '' });
    expect(await open.fits(DIRECT.start)).toBe(false);
  });
});

test.each<[Omit<HandFact, 'hostId'>, string]>([
  [{ start: 0x1000n, last: 0x1fffn, change: 'ignore' }, 'no reserved region with the bounds 0x1000-0x1fff'],
  [{ ...DIRECT, change: 'ignore', group: '7' }, 'no reserved region with the bounds 0x3e2e0000-0x3e2fffff'],
  [{ start: 2n, last: 1n, change: 'aperture' }, 'the range ends before it starts'],
  [{ start: 1n, last: 2n, change: 'reserve', group: '5' }, 'the host has no group 5'],
  [{ start: 1n, last: 2n, change: 'reserve' }, 'a reserved region needs a group'],
  [{ ...DIRECT, change: 'reserve', group: '4' }, 'group 4 already has a region with these bounds (direct)'],
])('what cannot be changed: $1', async (fact, message) => {
  const open = await opened();
  const result = await open.engine.call('changeFact', { hostId: (await open.host()).id, ...fact });
  expect(result).toMatchObject({ ok: false, error: { message } });
  const other = await open.engine.call('changeFact', { ...fact, hostId: 'none' });
  expect(other).toMatchObject({ ok: false, error: { message: 'choose a host whose facts are changed' } });
});

describe('leaves with the case, and says so', () => {
  test.each(['session', 'link', 'picture', 'text', 'markdown'] as const)('%s', async (form) => {
    const open = await opened();
    await open.change({ ...DIRECT, change: 'ignore', group: '4' });
    const shared = await open.share(form);
    const text = JSON.stringify(shared, (_, value) => (typeof value === 'bigint' ? String(value) : value));
    if (form !== 'link') expect(text.replaceAll(/\\n\s*/g, ' ')).toContain('By hand: direct region of group 4 ignored');
    const again = await new Case().add({ 'again.iova.jsonl': (await open.share('session')).session });
    expect([await again.fits(DIRECT.start), await again.refusal(4)]).toEqual([true, undefined]);
    expect((await again.ask('notes', null)).map((note) => note.text)).toEqual([
      'By hand: direct region of group 4 ignored',
    ]);
  });

  test('kept in the browser, and restored', async () => {
    const open = await opened();
    await open.change({ start: 0n, last: (1n << 36n) - 1n, change: 'aperture' });
    const { data } = await open.ask('exportCase', { view: '' });
    const again = new Case();
    await again.ask('importCase', { data });
    expect(await again.fits(1n << 37n)).toBe(false);
    // Another aperture takes the place of the restored one.
    await again.change({ start: 0n, last: (1n << 48n) - 1n, change: 'aperture' });
    expect(await again.fits(1n << 37n)).toBe(true);
  });
});
