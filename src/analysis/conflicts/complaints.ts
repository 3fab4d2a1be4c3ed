// What programs and kernels complained of in words: told as they are, with what helps where that is known.
import { diagnosticRule } from '../../dumps/diagnostics.ts';
import type { Host } from '../host/host.ts';
import type { Conflict } from './conflict.ts';

/** Complaints that are listed. */
const LISTED_MAX = 50;

/** The host's complaints as conflicts, each once. */
export function complaintConflicts(host: Host): Conflict[] {
  return host.complaints.slice(0, LISTED_MAX).map(({ code, severity, message, provenance }) => ({
    id: `complaint ${code} ${message}`,
    rule: code,
    severity: severity === 'error' ? 'fatal' : 'warning',
    title: message.length > 160 ? `${message.slice(0, 160)}…` : message,
    message: 'A program or the kernel said so; these are its findings, not ours.',
    remedy:
      diagnosticRule(code)?.remedy ??
      'Look at the lines around it, and add the host’s reserved_regions and kernel log of the same time.',
    marks: [],
    provenance,
  }));
}
