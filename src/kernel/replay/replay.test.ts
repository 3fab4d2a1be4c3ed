import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { readSession } from '../../session/read.ts';
import type { KernelModel } from '../model.ts';
import { createModel } from '../models.ts';
import { type ReplayStep, replay } from './replay.ts';

const FIXTURES = new URL('../fixtures/', import.meta.url);

function modelFor(header: Parameters<typeof createModel>[0]): KernelModel {
  const made = createModel(header);
  if (!made.ok) throw new Error(made.message);
  return made.model;
}

function run(text: string): ReplayStep[] {
  const { session } = readSession(text);
  return [...replay(session, modelFor(session.header))];
}

function fixture(name: string): string {
  return readFileSync(new URL(name, FIXTURES), 'utf8');
}

const HEADER = '{"format":"iova-trace","version":1,"model":"iommufd"}';
const session = (...lines: string[]) => `${[HEADER, ...lines].join('\n')}\n`;

describe('replay', () => {
  it.each(readdirSync(FIXTURES))('answers as the recorded kernel did: %s', (name) => {
    const text = fixture(name);
    const steps = run(text);
    expect(steps.length).toBe(text.trimEnd().split('\n').length - 1);
    expect(steps.filter((step) => step.mismatch)).toEqual([]);
    expect(steps.filter((step) => !step.operation?.expect)).toEqual([]);
  });

  it('reports every falsified answer, with its line and fields', () => {
    const lines = fixture('iommufd-dev-20.jsonl').trimEnd().split('\n');
    const requested = lines.findIndex((line) => line.includes('ioas.iova_ranges'));
    const falsified = lines.map((line, i) => {
      if (i === 3) return line.replace('"iova": "0x1000000"', '"iova": "0x1000001"');
      if (i === 7) return line.replace('-EINVAL', '-EPERM');
      if (i === requested) return line.replace('"0xffffffffffffffff"', '"0xfffffffffffffffe"');
      return line;
    });
    expect(falsified.filter((line, i) => line !== lines[i]).length).toBe(3);
    const wrong = run(falsified.join('\n')).filter((step) => step.mismatch);
    expect(wrong.map(({ index, line, mismatch }) => [index, line, mismatch?.fields])).toEqual([
      [2, 4, ['iova']],
      [6, 8, ['ret']],
      [requested - 1, requested + 1, ['ranges']],
    ]);
    expect(wrong[1]?.mismatch).toEqual({ expected: { ret: '-EPERM' }, got: { ret: '-EINVAL' }, fields: ['ret'] });
  });

  it('compares every field that was recorded, and no other', () => {
    const steps = run(
      session(
        '{"op":"ioas.alloc","ioas":"a","expect":{"ret":0,"note":"x"}}',
        '{"op":"ioas.map","ioas":"a","flags":["read"],"user_va":"0x1000","length":"0x1000","expect":{"ret":0}}',
        '{"op":"ioas.unmap","ioas":"a","iova":"0x1000","length":"0x1000","expect":{"ret":"-ENOENT"}}',
        '{"op":"ioas.iova_ranges","ioas":"a","expect":{"ret":0,"ranges":[]}}',
      ),
    );
    expect(steps.map((step) => step.mismatch?.fields)).toEqual([['note'], undefined, ['ret'], ['ranges']]);
  });

  it('skips facts, and continues after what cannot be run', () => {
    const steps = run(
      session(
        '{"kind":"host","name":"h"}',
        '{"op":"ioas.frob","ioas":"a"}',
        '{"op":"ioas.unmap","ioas":"a","iova":"0x0","length":"0x1","expect":{"ret":"-ENOENT"}}',
        'no json',
        '{"op":"container.close","container":"c"}',
        '{"kind":"from-the-future"}',
        '{"op":"ioas.alloc","ioas":"a","expect":{"ret":0}}',
      ),
    );
    expect(steps.map(({ line, op, mismatch }) => [line, op, typeof mismatch?.got === 'string'])).toEqual([
      [3, 'ioas.frob', true],
      [4, 'ioas.unmap', true],
      [5, '?', true],
      [6, 'container.close', true],
      [8, 'ioas.alloc', false],
    ]);
    expect(steps[1]?.mismatch).toEqual({
      expected: { ret: '-ENOENT' },
      got: "no IOAS 'a'",
      fields: [],
    });
  });

  it('is content with an operation without a recorded answer', () => {
    const [step] = run(session('{"op":"ioas.alloc","ioas":"a"}'));
    expect(step?.outcome).toEqual({ ok: true, answer: { ret: 0 } });
    expect(step?.mismatch).toBeUndefined();
  });
});

describe('replay of a session of another model', () => {
  const foreign = (model: string, ...lines: string[]) => {
    const { session: recorded } = readSession(session(...lines));
    const made = createModel(recorded.header, model);
    if (!made.ok) throw new Error(made.message);
    return [...replay(recorded, made.model)];
  };
  const MAP =
    '{"op":"ioas.map","ioas":"a","flags":["fixed","read"],"user_va":"0x10000","length":"0x1000","iova":"0x2000","expect":{"ret":0,"iova":"0x2000"}}';
  const DEVICE =
    '{"op":"device.attach","device":"d","ioas":"a","domain":{"iommu":"m","aperture":["0x0","0xffffffff"],"pgsize_bitmap":"0x1000"},"reserved":[],"expect":{"ret":0}}';

  it('translates, compares the fields that both answers have, and passes over what has no counterpart', () => {
    const steps = foreign(
      'type1',
      '{"op":"ioas.alloc","ioas":"a","expect":{"ret":0}}',
      DEVICE,
      MAP,
      '{"op":"ioas.reserve","ioas":"a","start":"0x8000","length":"0x1000","expect":{"ret":0}}',
      MAP.replace('"ret":0,"iova":"0x2000"', '"ret":"-EEXIST"'),
      '{"op":"ioas.unmap","ioas":"a","iova":"0x2000","length":"0x1000","expect":{"ret":0,"unmapped":"0x1000"}}',
      '{"op":"ioas.unmap","ioas":"a","iova":"0x2000","length":"0x1000","expect":{"ret":"-ENOENT"}}',
      '{"op":"device.detach","device":"d","expect":{"ret":0}}',
    );
    expect(steps.map(({ translation }) => translation?.kind)).toEqual([
      'translated',
      'translated',
      'translated',
      'none',
      'translated',
      'translated',
      'translated',
      'translated',
    ]);
    expect(steps.map(({ mismatch }) => mismatch?.fields)).toEqual([
      undefined,
      undefined,
      undefined,
      undefined,
      undefined,
      undefined,
      ['ret'],
      undefined,
    ]);
    expect(steps[2]?.uncompared).toEqual(['iova']);
    expect(steps[5]?.uncompared).toBeUndefined();
  });

  it('still counts answers that differ between versions of one kernel', () => {
    const steps = foreign(
      'iommufd-rfc',
      '{"op":"ioas.alloc","ioas":"a"}',
      MAP,
      MAP.replace('0,"iova":"0x2000"', '"-EEXIST"'),
    );
    expect(steps.map(({ mismatch }) => mismatch?.got)).toEqual([undefined, undefined, { ret: '-EADDRINUSE' }]);
    expect(steps.map(({ translation }) => translation?.kind)).toEqual(['own', 'own', 'own']);
  });

  it('compares in full if the header names no model and nothing had to be translated', () => {
    const recorded = readSession(
      '{"format":"iova-trace","version":1}\n{"op":"ioas.alloc","ioas":"a","expect":{"ret":0,"more":1}}\n',
    ).session;
    for (const model of ['iommufd', 'iommufd-rfc']) {
      const made = createModel(recorded.header, model);
      if (!made.ok) throw new Error(made.message);
      expect([...replay(recorded, made.model)].map(({ mismatch }) => mismatch?.fields)).toEqual([['more']]);
    }
  });
});

describe('createModel', () => {
  it('takes page sizes from the header', () => {
    const { session: read } = readSession(
      '{"format":"iova-trace","version":1,"page_size":"0x10000","huge_page_size":"0x20000000"}\n' +
        '{"op":"ioas.alloc","ioas":"a"}\n' +
        '{"op":"ioas.map","ioas":"a","flags":["read"],"user_va":"0x40000000","length":"0x10000"}\n' +
        '{"op":"ioas.map","ioas":"a","flags":["read"],"user_va":"0x0","length":"0x40000000"}\n',
    );
    const answers = [...replay(read, modelFor(read.header))].map(({ outcome }) => outcome.ok && outcome.answer.iova);
    expect(answers.slice(1)).toEqual([0x10000n, 0x2000_0000n]);
  });

  it('says what is wrong with a header', () => {
    expect(createModel({ model: 'zircon' })).toMatchObject({ ok: false, message: expect.stringContaining('zircon') });
    expect(createModel({ model: 'toString' }).ok).toBe(false);
    const { session: read } = readSession('{"format":"iova-trace","version":1,"page_size":"0x1001"}');
    expect(createModel(read.header)).toMatchObject({ ok: false, message: expect.stringContaining('powers of two') });
    expect(createModel({}, 'iommufd').ok).toBe(true);
  });
});
