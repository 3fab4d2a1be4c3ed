import { beforeEach, describe, expect, test, vi } from 'vitest';
import { readDumps } from '../../lib/read-dumps.ts';
import { renderMarkdown, renderSvg, renderText } from '../../lib/share-dumps.ts';
import { parseLink } from '../../session/sharing/link.ts';
import { startApp } from '../testing/app.ts';
import { pageApi } from './page-api.ts';

const HOST = [
  '/sys/kernel/iommu_groups/1/devices/0000:00:06.0',
  '/sys/kernel/iommu_groups/1/reserved_regions:0x00000000fee00000 0x00000000feefffff msi',
  '/sys/kernel/iommu_groups/1/reserved_regions:0x000000fd00000000 0x000000ffffffffff reserved',
  '',
].join('\n');
const SESSION = [
  '{"format":"iova-trace","version":1,"model":"iommufd"}',
  '{"op":"ioas.alloc","ioas":"a"}',
  '{"op":"ioas.map","ioas":"a","flags":["fixed","read"],"user_va":"0x10000","length":"0x2000","iova":"0x4000"}',
  '',
].join('\n');

describe('window.iovascope', () => {
  beforeEach(() => {
    vi.stubGlobal('location', { href: 'https://example.org/scope/#x' });
    vi.stubGlobal('requestAnimationFrame', (callback: () => void) => setTimeout(callback));
    startApp();
  });

  test('opens bytes and text; lists hosts', async () => {
    expect(await pageApi.answer()).toBeUndefined();
    expect(await pageApi.hosts()).toEqual([]);
    const [placement] = await pageApi.open([{ name: 'host.txt', data: new TextEncoder().encode(HOST) }]);
    expect(placement).toMatchObject({ outcome: 'first', hostName: 'Host A' });
    const [pasted] = await pageApi.paste(HOST);
    expect(pasted).toMatchObject({ outcome: 'joined', hostId: placement?.hostId });
    expect(await pageApi.hosts()).toEqual([
      { id: placement?.hostId, name: 'Host A', sources: ['host.txt', 'pasted text'], groups: ['group 1'] },
    ]);
    expect(await pageApi.open([{ name: 'notes', data: 'milk' }])).toEqual([]);
  });

  test('a guest, its answer and conflicts as plain data', async () => {
    await pageApi.paste(HOST);
    await pageApi.setGuest('q35:2T');
    const answer = await pageApi.answer();
    expect(answer?.severity).toBe('fatal');
    expect(answer?.text).toContain('0xfd00000000');
    expect(await pageApi.svg()).toContain('2 TiB does not fit');
    expect(JSON.parse(JSON.stringify(answer))).toEqual(answer);
    const [conflict] = await pageApi.conflicts();
    expect(conflict).toMatchObject({ severity: 'fatal', rule: 'guest-over-reserved' });
    expect(conflict?.ranges.map(({ start, last }) => `${start}-${last}`)).toContain('0xfd00000000-0xffffffffff');
    const text = await pageApi.text();
    expect(text).toContain(`FATAL: ${answer?.text.slice(0, 20)}`);
    for (const line of text.split('\n')) expect(line).toMatch(/^[ -~]{0,72}$/);
    await pageApi.setGuest(null);
    expect((await pageApi.answer())?.severity).not.toBe('fatal');
  });

  test('a link carries the session, without names unless asked', async () => {
    await expect(pageApi.link()).rejects.toThrow('nothing is open');
    await pageApi.open([{ name: 'secret.txt', data: HOST }]);
    const opened = async (link: string) => {
      const { target } = parseLink(link.slice(link.indexOf('#')));
      return target?.kind === 'session' ? target.text : '';
    };
    const link = await pageApi.link();
    expect(link).toMatch(/^https:\/\/example\.org\/scope\/#v1\./);
    expect(await opened(link)).toContain('"start":"0xfee00000"');
    expect(await opened(link)).not.toContain('secret.txt');
    expect(await opened(await pageApi.link({ redact: false }))).toContain('secret.txt');
  });

  test('reports are those of the command line', async () => {
    await pageApi.open([{ name: 'a.txt', data: HOST }]);
    const dumps = await readDumps({ name: 'a.txt', data: HOST });
    const options = { version: '' };
    expect(await pageApi.text()).toBe(await renderText(dumps, options));
    expect(await pageApi.svg({ theme: 'light' })).toBe(await renderSvg(dumps, options));
    expect(await pageApi.markdown({ redact: true })).toBe(await renderMarkdown(dumps, { ...options, redact: true }));
  });

  test('device and kernel; what cannot be is rejected with its reason', async () => {
    await pageApi.paste(HOST);
    await pageApi.setDevice('0000:00:06.0');
    await pageApi.setDevice(null);
    await expect(pageApi.setDevice('0000:00:07.0')).rejects.toThrow('no host of the case has 0000:00:07.0');
    await pageApi.setKernel('6.1');
    await expect(pageApi.setKernel('six')).rejects.toThrow('not a kernel version');
    await expect(pageApi.setGuest('vax:8G')).rejects.toThrow('vax');
  });

  test('state, picture and reset', async () => {
    await pageApi.open([{ name: 'a.iova.jsonl', data: SESSION }]);
    expect(await pageApi.state()).toMatchObject({
      scale: 'fold',
      step: 2,
      range: { start: '0x0', last: '0xffffffffffffffff' },
    });
    expect(await pageApi.svg()).toMatch(/^<svg|^<\?xml/);
    await pageApi.reset();
    expect(await pageApi.hosts()).toEqual([]);
    expect(await pageApi.answer()).toBeUndefined();
    expect(await pageApi.text()).toBe('');
  });

  test('help names every function', async () => {
    const help = await pageApi.help();
    for (const name of Object.keys(pageApi)) expect(help).toContain(`  ${name}(`);
  });
});
