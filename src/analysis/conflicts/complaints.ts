// Problems that programs and kernels reported in words: passed on as they are, with a fix where one is known.
import { diagnosticRule } from '../../dumps/diagnostics.ts';
import type { Host } from '../host/host.ts';
import type { Conflict } from './conflict.ts';

/** Complaints that are listed. */
const LISTED_MAX = 50;
/** Characters of a complaint that its title shows. */
const TITLE_MAX = 160;

const DEFAULT_REMEDY =
  "Check the lines around it, and add the host's reserved_regions and its kernel log of the same time.";

/** The host's complaints as conflicts, each once. */
export function complaintConflicts({ complaints }: Pick<Host, 'complaints'>): Conflict[] {
  return complaints.slice(0, LISTED_MAX).map(({ code, severity, message, provenance }) => ({
    id: `complaint ${code} ${message}`,
    rule: code,
    severity: severity === 'error' ? 'fatal' : 'warning',
    title: message.length > TITLE_MAX ? `${message.slice(0, TITLE_MAX)}…` : message,
    message: 'Reported by the program or the kernel, not verified.',
    remedy: diagnosticRule(code)?.remedy ?? DEFAULT_REMEDY,
    marks: [],
    provenance,
  }));
}
