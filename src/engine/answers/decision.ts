// How a session's model decided one operation.
import { decisionSteps } from '../../analysis/decision/decision.ts';
import type { DecisionStep } from '../../analysis/decision/step.ts';
import { translate } from '../../kernel/replay/translate.ts';
import { eventAt } from '../../session/event-list.ts';
import { isOperation } from '../../session/events.ts';
import type { EngineDocument } from '../documents/document.ts';

/** The steps for the operation before `position`; empty for other events, and for an operation that the model does not have. */
export function decision({ session, states, kernel }: EngineDocument, position: number): readonly DecisionStep[] {
  const event = eventAt(session.events, position - 1);
  if (!states || !event || !isOperation(event)) return [];
  const model = states.modelAt(position - 1);
  const translated = translate(event, model);
  if (translated.kind === 'none') return [];
  return decisionSteps(model, translated.operation, session.header, kernel);
}
