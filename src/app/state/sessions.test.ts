import { beforeEach, describe, expect, test } from 'vitest';
import { openText, startApp } from '../testing/app.ts';
import { useApp } from './app-state.ts';
import { close } from './documents.ts';
import { engine } from './engine.ts';
import { setEventFilter, showEvent, shownSession, showSession, stepEvent, stepFailure } from './sessions.ts';

const session = (ioas: string, count: number) =>
  [
    '{"format":"iova-trace","version":1,"model":"iommufd"}',
    `{"op":"ioas.alloc","ioas":"${ioas}"}`,
    ...Array.from(
      { length: count },
      () =>
        `{"op":"ioas.map","ioas":"${ioas}","flags":["fixed","read"],"user_va":"0x10000","length":"0x2000","iova":"0x4000"}`,
    ),
    '',
  ].join('\n');
const MSI = '/sys/kernel/iommu_groups/1/reserved_regions:0x00000000fee00000 0x00000000feefffff msi\n';

const get = useApp.getState;
const shown = () => shownSession(get());

async function eventAt(position: number) {
  const rows = await engine().call('events', { id: shown()?.id ?? '', offset: position - 1, limit: 1 });
  const [row] = rows.ok ? rows.value : [];
  if (!row) throw new Error(`no event ${position}`);
  return row;
}

describe('the session that is shown', () => {
  beforeEach(() => {
    startApp();
  });

  test('is the one that was opened last, then the one that is chosen', async () => {
    expect(shown()).toBeUndefined();
    const host = await openText(MSI);
    expect(shown()?.id).toBe(host);
    const first = await openText(session('a', 1), 'a.iova.jsonl');
    const second = await openText(session('b', 2), 'b.iova.jsonl');
    expect(shown()?.id).toBe(second);
    setEventFilter({ failed: true });
    showSession(first);
    expect(shown()?.id).toBe(first);
    expect(get().eventFilter).toEqual({});
    await close(first);
    expect(shown()?.id).toBe(second);
  });

  test('is the only one that the keys step, and screen readers are told what happened', async () => {
    const first = await openText(session('a', 1), 'a.iova.jsonl');
    const second = await openText(session('b', 2), 'b.iova.jsonl');
    const position = (id: string) => get().documents.find((d) => d.id === id)?.position;
    await stepEvent(-1);
    expect([position(first), position(second)]).toEqual([2, 2]);
    expect(get().announcement).toMatch(/event 2 of 3: IOAS b: map 8 KiB at 0x4000 r.*, 0 \(iova 0x4000\)$/);
    await stepEvent(1);
    expect(get().announcement).toMatch(/event 3 of 3: .*refused: -EEXIST /);
    await stepEvent(1);
    expect(position(second)).toBe(3);
    showSession(first);
    for (let i = 0; i < 3; i++) await stepEvent(-1);
    expect([position(first), position(second)]).toEqual([0, 3]);
    expect(get().announcement).toMatch(/before event 1 of 2$/);
  });

  test('a host without a history cannot be stepped, which is said', async () => {
    await openText(MSI);
    await stepEvent(1);
    expect(get().notice).toMatch(/has no events over time$/);
  });
});

describe('failed events', () => {
  beforeEach(async () => {
    startApp();
    await openText(session('a', 4), 'a.iova.jsonl');
  });

  test('are gone through in both directions, up to the last one', async () => {
    await stepFailure('previous');
    expect(shown()?.position).toBe(4);
    expect(get().explained).toMatchObject({ position: 4 });
    await stepFailure('previous');
    expect(shown()?.position).toBe(3);
    await stepFailure('previous');
    expect(shown()?.position).toBe(3);
    expect(get().notice).toMatch(/^No earlier failed event in /);
    await stepFailure('next');
    expect(shown()?.position).toBe(4);
  });

  test('are explained when they are shown; other events are only gone to', async () => {
    const document = shown();
    if (!document) throw new Error('no session');
    await showEvent(document, await eventAt(2));
    expect([shown()?.position, get().explained]).toEqual([2, undefined]);
    await showEvent(document, await eventAt(3));
    expect(get().explained?.bands.map(({ start }) => start)).toEqual([0x4000n, 0x4000n]);
  });

  test('a filter is changed in parts', () => {
    setEventFilter({ failed: true });
    setEventFilter({ text: 'map' });
    expect(get().eventFilter).toEqual({ failed: true, text: 'map' });
  });
});
