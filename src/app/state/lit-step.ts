// One step of a kernel's decision, lit in the picture.
import type { DecisionStep } from '../../analysis/decision/step.ts';
import { type Explanation, useApp } from './app-state.ts';
import { ownExplanation } from './own-explanation.ts';
import { arrange } from './picture.ts';

const show = ownExplanation();

/** Lights the range of a step; undefined, or a step without a range: nothing. The fold scale makes room for it. */
export function lightStep(
  { id, position }: Pick<Explanation, 'id' | 'position'>,
  step: DecisionStep | undefined,
): void {
  if (!step?.range) {
    show(undefined);
    return;
  }
  const { start, last } = step.range;
  show({ id, position, bands: [{ start, last, message: step.text, ink: step.verdict === 'no' ? 'alarm' : 'accent' }] });
  useApp.setState({ conflict: undefined, measured: undefined });
  void arrange('view');
}
