import type { DocumentNode } from '../../engine/protocol/documents.ts';
import { useAnswer } from '../state/use-answer.ts';

/** How the allocator of the kernel's DMA API answered the present event, step by step; nothing for other events. */
export function AllocatorSteps({ document }: { document: DocumentNode }) {
  const { id, position, events, model, changes } = document;
  const { value: steps = [] } = useAnswer('allocatorSteps', { id, position }, events, model, changes?.made);
  if (steps.length === 0) return null;
  return (
    <details className="allocator-steps" open data-testid="allocator-steps">
      <summary>How the allocator answered event {position}</summary>
      <ol>
        {steps.map((step, i) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: steps have no identity, and may repeat
          <li key={i}>{step}</li>
        ))}
      </ol>
    </details>
  );
}
