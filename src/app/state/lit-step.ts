// One step of a kernel's decision, lit in the picture.
import type { DecisionStep } from '../../analysis/decision/step.ts';
import { type Explanation, useApp } from './app-state.ts';
import { arrange } from './picture.ts';

const { getState: get, setState: set } = useApp;

/** What is lit now: only this is taken away again. */
let lit: Explanation | undefined;

/** Lights the range of a step; undefined, or a step without a range: nothing. The fold scale makes room for it. */
export function lightStep(
  { id, position }: Pick<Explanation, 'id' | 'position'>,
  step: DecisionStep | undefined,
): void {
  if (!step?.range) {
    if (lit !== undefined && get().explained === lit) set({ explained: undefined });
    lit = undefined;
    return;
  }
  const { start, last } = step.range;
  lit = { id, position, bands: [{ start, last, message: step.text, ink: step.verdict === 'no' ? 'alarm' : 'accent' }] };
  set({ explained: lit, conflict: undefined, measured: undefined });
  void arrange('view');
}
