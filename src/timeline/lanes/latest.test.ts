import { readdirSync, readFileSync } from 'node:fs';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { assertProperty } from '../../iova/testing/arbitraries.ts';
import { createModel } from '../../kernel/models.ts';
import { SessionStates } from '../../kernel/replay/state-at.ts';
import { readSession } from '../../session/read.ts';
import { areaRow } from './area-row.ts';
import { holesAt } from './holes.ts';

const FOLDER = new URL('../../kernel/fixtures/', import.meta.url);
const FIXTURES = readdirSync(FOLDER);

function statesOf(text: string) {
  const { session } = readSession(text);
  const made = createModel(session.header);
  if (!made.ok) throw new Error(made.message);
  return { session, states: new SessionStates(session, made.model, { every: 64 }) };
}

/** Compares the areas and holes of each moment with those that are made from nothing. */
function follow({ session, states }: ReturnType<typeof statesOf>, positions: readonly number[]): void {
  for (const place of positions) {
    const position = place % (session.events.length + 1);
    for (const space of states.stateAt(position).spaces()) {
      const { uniform, ...row } = areaRow({ space, moment: { states, position } });
      const { uniform: isUniform, ...whole } = areaRow({ space, moment: undefined });
      expect(row).toEqual(whole);
      // It may be unknown that they are.
      if (uniform) expect(isUniform).toBe(true);
      expect(holesAt({ space, moment: { states, position } })).toEqual(holesAt({ space }));
    }
  }
}

describe('areas and holes of moments', () => {
  it.each(FIXTURES)('are those of each moment, whichever moment was before: %s', (name) => {
    const made = statesOf(readFileSync(new URL(name, FOLDER), 'utf8'));
    const { length } = made.session.events;
    const step = Math.max(1, length >> 4);
    const middle = length >> 1;
    follow(
      made,
      Array.from({ length: 32 }, (_, i) => (i >> 1) * step + (i & 1)),
    );
    follow(
      made,
      Array.from({ length: 16 }, (_, i) => Math.max(0, middle - i)),
    );
    follow(made, [0, length, middle, 3, length, Math.max(0, length - 30), middle >> 1]);
  });

  it('are so for any maps and unmaps, also if the session changes', () => {
    const hex = (n: number) => `0x${(n * 0x1000).toString(16)}`;
    const fixed = fc.tuple(
      fc.nat(40),
      fc.integer({ min: 1, max: 6 }),
      fc.constantFrom('"read"', '"read","write"', '"write"'),
    );
    const operation = fc.oneof(
      {
        weight: 5,
        arbitrary: fixed.map(
          ([at, n, flags]) =>
            `{"op":"ioas.map","ioas":"a","flags":["fixed",${flags}],"user_va":"0x0","length":"${hex(n)}","iova":"${hex(at)}"}`,
        ),
      },
      {
        weight: 3,
        arbitrary: fixed.map(
          ([at, n]) => `{"op":"ioas.unmap","ioas":"a","iova":"${hex(at)}","length":"${hex(n * 3)}"}`,
        ),
      },
      {
        weight: 1,
        arbitrary: fixed.map(
          ([at, n]) =>
            `{"op":"ioas.copy","dst":"b","src":"a","flags":["read"],"length":"${hex(n)}","src_iova":"${hex(at)}"}`,
        ),
      },
      fc.constantFrom(
        '{"op":"ioas.unmap","ioas":"a","iova":"0x0","length":"0xffffffffffffffff"}',
        '{"op":"ioas.destroy","ioas":"b"}',
        '{"op":"ioas.alloc","ioas":"b"}',
        '{"op":"ioas.reserve","ioas":"a","start":"0x5000","length":"0x2000"}',
        '{"kind":"note","text":"x"}',
      ),
    );
    const few = fc.array(operation, { minLength: 1, maxLength: 60 });
    assertProperty(
      fc.property(few, fc.array(fc.nat(70), { minLength: 2, maxLength: 20 }), few, (lines, positions, others) => {
        const head = '{"format":"iova-trace","version":1,"model":"iommufd"}\n{"op":"ioas.alloc","ioas":"a"}\n';
        const made = statesOf(`${head}${lines.join('\n')}\n`);
        follow(made, positions);
        const at = 1 + ((positions[0] ?? 0) % lines.length);
        const { events } = readSession(`${head}${others.join('\n')}\n`).session;
        made.session.events.splice(at, 2, ...events.slice(1));
        made.states.truncate(at);
        follow(made, positions);
      }),
    );
  });

  it('are visited only where they may have changed', () => {
    const map = (i: number) =>
      `{"op":"ioas.map","ioas":"a","flags":["fixed","read"],"user_va":"0x0","length":"0x1000","iova":"0x${(i * 0x2000).toString(16)}"}`;
    const lines = Array.from({ length: 3000 }, (_, i) => map(i));
    const made = statesOf(`{"format":"iova-trace","version":1}\n{"op":"ioas.alloc","ioas":"a"}\n${lines.join('\n')}\n`);
    const { states } = made;
    let visited = 0;
    let holes = 0;
    const rowAt = (position: number) => {
      const space = states.stateAt(position).space('a');
      if (!space) throw new Error('no space');
      const counting = Object.create(space, {
        areas: {
          value: function* (first?: bigint, last?: bigint) {
            for (const area of space.areas(first, last)) {
              visited++;
              yield area;
            }
          },
        },
        areaCount: { get: () => space.areaCount },
        visitHoles: {
          value: (...[first, last, length, visit]: Parameters<typeof space.visitHoles>) =>
            space.visitHoles(first, last, length, (hole) => {
              holes++;
              return visit(hole);
            }),
        },
        reserved: { get: () => space.reserved },
        countAreas: { value: (first: bigint, last: bigint) => space.countAreas(first, last) },
        id: { get: () => space.id },
      }) as typeof space;
      expect(holesAt({ space: counting, moment: { states, position } }).row.starts.length).toBe(position - 1);
      return areaRow({ space: counting, moment: { states, position } }).starts.length;
    };
    expect([rowAt(3001), visited, holes]).toEqual([3000, 3000, 3000]);
    visited = 0;
    holes = 0;
    expect([rowAt(3000), rowAt(2990), rowAt(2999)]).toEqual([2999, 2989, 2998]);
    expect(visited).toBeLessThan(100);
    expect(holes).toBeLessThan(100);
  });
});
