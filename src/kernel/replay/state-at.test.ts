import { describe, expect, it } from 'vitest';
import { readSession } from '../../session/read.ts';
import { newSession, type Session } from '../../session/session.ts';
import mixed from '../fixtures/iommufd-mixed-22.jsonl?raw';
import type { KernelModel } from '../model.ts';
import { createModel } from '../models.ts';
import { snapshot } from '../testing/run.ts';
import { replay, runEvent } from './replay.ts';
import { SessionStates } from './state-at.ts';

const { session } = readSession(mixed);

function emptyModel(): KernelModel {
  const made = createModel(session.header);
  if (!made.ok) throw new Error(made.message);
  return made.model;
}

/** The state after t events, the plain way: run them all. */
function replayed(of: Session, t: number): unknown {
  const model = emptyModel();
  for (let i = 0; i < t; i++) runEvent(model, of, i);
  return snapshot(model);
}

describe('SessionStates', () => {
  it.each([
    { every: 1, keep: 4 },
    { every: 7, keep: 2 },
    { every: 16, keep: 100 },
    { every: 4096, keep: 1 },
    { every: 4, bytes: 0 },
    { every: 4, bytes: 20_000 },
  ])('gives the state of a plain replay at any step, in any order: %o', (options) => {
    const states = new SessionStates(session, emptyModel(), options);
    const last = session.events.length;
    for (const t of [0, last, 3, 100, 99, 101, 200, 17, last, last - 1, 1, 64, 64, 0]) {
      expect(snapshot(states.stateAt(t)), `step ${t}`).toEqual(replayed(session, t));
    }
  });

  it('hands out states that later jumps leave alone', () => {
    const states = new SessionStates(session, emptyModel(), { every: 10 });
    const early = states.stateAt(40);
    const before = snapshot(early);
    states.stateAt(200);
    states.stateAt(41);
    expect(snapshot(early)).toEqual(before);
  });

  it('knows what each event came to', () => {
    const states = new SessionStates(session, emptyModel(), { every: 10 });
    const steps = [...replay(session, emptyModel())];
    expect(states.stepAt(50)).toEqual(steps[50]);
    states.stateAt(5);
    expect(session.events.map((_, i) => states.stepAt(i))).toEqual(steps);
    expect(new Set(steps.map(({ outcome }) => outcome.ok))).toEqual(new Set([true, false]));
  });

  it('follows a session that grows, and one whose end is replaced', () => {
    const growing: Session = { ...newSession(), events: session.events.slice(0, 50), lines: [] };
    const states = new SessionStates(growing, emptyModel(), { every: 8 });
    states.stateAt(50);
    growing.events.push(...session.events.slice(50, 80));
    expect(snapshot(states.stateAt(80))).toEqual(replayed(growing, 80));
    growing.events.splice(30);
    states.truncate(30);
    growing.events.push({ op: 'ioas.alloc', ioas: 'another' });
    expect(states.stateAt(31).space('another')?.areaCount).toBe(0);
    expect(snapshot(states.stateAt(31))).toEqual(replayed(growing, 31));
    expect(states.stepAt(30)?.op).toBe('ioas.alloc');
  });

  it('refuses a step that is not there', () => {
    const states = new SessionStates(session, emptyModel());
    expect(() => states.stateAt(session.events.length + 1)).toThrow(RangeError);
    expect(() => states.stateAt(-1)).toThrow(RangeError);
    expect(() => states.stateAt(1.5)).toThrow(RangeError);
    expect(() => new SessionStates(session, emptyModel(), { every: 0 })).toThrow(RangeError);
  });
});
