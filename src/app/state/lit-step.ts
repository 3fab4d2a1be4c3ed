// Highlights one step of a kernel's decision in the picture.
import type { DecisionStep } from '../../analysis/decision/step.ts';
import { type Explanation, useApp } from './app-state.ts';
import { ownExplanation } from './own-explanation.ts';
import { arrange } from './picture.ts';

const show = ownExplanation();

/** Highlights the range of a step; nothing for undefined or a step without a range. The fold scale keeps the range visible. */
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
