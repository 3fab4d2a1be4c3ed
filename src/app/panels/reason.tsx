import type { Reason } from '../../engine/protocol/sessions.ts';

/** Why an operation is refused, with the rule and where it is in the kernel. */
export function ReasonText({ reason: { message, rule, source } }: { reason: Reason }) {
  return (
    <>
      {message}
      {rule !== undefined && (
        <span className="second">
          {' '}
          {rule} · {source}
        </span>
      )}
    </>
  );
}
