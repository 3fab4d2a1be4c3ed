import { useEffect, useState } from 'react';
import type { DecisionStep } from '../../analysis/decision/step.ts';
import type { DocumentNode } from '../../engine/protocol/documents.ts';
import { useApp } from '../state/app-state.ts';
import { lightStep } from '../state/lit-step.ts';
import { sinceOf, useAnswer } from '../state/use-answer.ts';
import { reveal } from '../state/view.ts';

const SIGNS: Readonly<Record<DecisionStep['verdict'], string>> = { note: '·', no: '✗', yes: '✓' };

/** Steps one after the other: the present one is lit in the picture. */
function Stepper({ document, steps }: { document: DocumentNode; steps: readonly DecisionStep[] }) {
  const { id, position } = document;
  /** Index of the present step; -1: none. */
  const [at, setAt] = useState(-1);
  const step = steps[at];
  useEffect(() => {
    lightStep({ id, position }, step);
    if (step?.range) reveal(step.range);
  }, [id, position, step]);
  useEffect(() => () => lightStep({ id: '', position: 0 }, undefined), []);
  const go = (to: number) => setAt(Math.max(0, Math.min(steps.length - 1, to)));
  return (
    <>
      <p className="decision-keys">
        <button type="button" className="button" disabled={at <= 0} onClick={() => go(at - 1)}>
          Previous step
        </button>
        <button type="button" className="button" disabled={at === steps.length - 1} onClick={() => go(at + 1)}>
          Next step
        </button>
        <span className="second" role="status">
          {step ? `Step ${at + 1} of ${steps.length}: ${step.text}` : `${steps.length} steps`}
        </span>
      </p>
      <ol className="decision-list">
        {steps.map((one, i) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: steps have no identity, and may repeat
          <li key={i} data-verdict={one.verdict} aria-current={i === at ? 'step' : undefined}>
            <span aria-hidden="true">{SIGNS[one.verdict]} </span>
            <button type="button" className="event" onClick={() => go(i)}>
              {one.text}
            </button>{' '}
            {one.source !== undefined && one.source !== steps[i - 1]?.source && (
              <span className="second">{one.source}</span>
            )}
          </li>
        ))}
      </ol>
    </>
  );
}

/** How the kernel decided about the present event, step by step; nothing for an event that is no operation. */
export function DecisionSteps({ document }: { document: DocumentNode }) {
  const { id, position, model } = document;
  const kernel = useApp((s) => s.caseNode?.kernel?.version);
  const [isOpen, setOpen] = useState(false);
  const params = isOpen && position > 0 ? { id, position } : undefined;
  const { value: steps = [] } = useAnswer('decision', params, kernel, ...sinceOf(document));
  if (position === 0) return null;
  return (
    <details
      className="decision"
      open={isOpen}
      onToggle={({ currentTarget }) => setOpen(currentTarget.open)}
      data-testid="decision"
    >
      <summary>How the kernel decided about event {position}</summary>
      {steps.length === 0 ? (
        <p className="hint">This event is not an operation that the model runs.</p>
      ) : (
        <Stepper key={`${position} ${model} ${steps.length}`} document={document} steps={steps} />
      )}
    </details>
  );
}
