import { isQuiet } from '../analysis/answer/answer.ts';
import type { Remedy } from '../analysis/conflicts/conflict.ts';
import { answerFor } from '../engine/answers/answer.ts';
import type { ConflictRow } from '../engine/protocol/answers.ts';
import type { Dumps } from './dumps.ts';
import type { AddressRange, Origin } from './facts.ts';
import { requireGuest } from './guest.ts';
import type { GuestInput } from './guest-input.ts';
import { chooseAndRun, documentsOf, select } from './opened.ts';

export interface CheckOptions {
  /**
   * A guest to try on the host: `pc-q35-7.2:16G,vendor=amd`, `q35:8G`, `virt:16G`, `q35-amd:2T`, or dumps with one guest: its
   * definition (a QEMU command line, libvirt XML …) or where its memory is (`info mtree`).
   */
  readonly guest?: GuestInput;
  /** Which of several guests in the dumps of `guest`. */
  readonly guestName?: string | undefined;
  /** Numbers of the IOMMU groups; those of the device, else all that can be assigned if absent. */
  readonly groups?: readonly string[];
  /** PCI address of the device to assign, `0000:03:00.0`; what the dumps name if absent. */
  readonly device?: string;
  /** Version of the kernel whose rules answer, `6.1`; that of the dumps if absent. */
  readonly kernel?: string;
  /** Page size of the host's kernel in bytes, a power of two, where the dumps do not tell; 4096 if absent. */
  readonly pageSize?: bigint;
  /** Names of inputs that the answer does not cover, which it says; those of the dumps that have `unread` if absent. */
  readonly unread?: readonly string[];
}

/** A range that a conflict is about, bounds inclusive. */
export interface ConflictRange extends AddressRange {
  /** `requested`: what was wanted or accessed; `obstacle`: what blocks it. */
  readonly role: 'requested' | 'obstacle';
  readonly text: string;
}

export interface Conflict {
  readonly severity: 'fatal' | 'warning' | 'note';
  /** Name of the rule, stable: `guest-over-reserved` … */
  readonly rule: string;
  /** What the kernel answers, such as `EINVAL`. */
  readonly errno?: string | undefined;
  /** Version of the kernel whose rule it is. */
  readonly kernel?: string | undefined;
  /** The kernel's function, or the program, that decides. */
  readonly decidedBy?: string | undefined;
  /** What is refused: one line. */
  readonly text: string;
  /** Why: full sentences. */
  readonly reason: string;
  readonly ranges: readonly ConflictRange[];
  /** What would avoid it: full sentences. */
  readonly remedies: readonly string[];
  /** Of these, what can be copied, in the form in which the guest is defined. */
  readonly fixes: readonly Fix[];
  readonly provenance: readonly Origin[];
}

/** Something to copy. */
export interface Fix {
  /** What it does: `Set RAM to 3054 MiB`. */
  readonly label: string;
  /** What reads it: `qemu`, `libvirt`, `proxmox`, `kubevirt`, `shell` … */
  readonly form: string;
  /** An option, an element, a command; may have several lines. */
  readonly text: string;
}

/** The answer: what a person needs to know first. */
export interface Answer {
  /** `clean`: nothing is refused. */
  readonly severity: Conflict['severity'] | 'clean';
  /** One or two sentences: what is refused or would be, what blocks it with its bounds, errno and kernel, and the fix. */
  readonly text: string;
  /** The ways to avoid it; `copy`: an option or a command. */
  readonly remedies: readonly { readonly text: string; readonly copy?: string | undefined }[];
  /** Of these, what can be copied, in the form in which the guest is defined. */
  readonly fixes: readonly Fix[];
  readonly provenance: readonly Origin[];
}

/** Conflicts that are the same in kind. */
export interface ConflictItem {
  readonly severity: Conflict['severity'];
  /** One line. */
  readonly text: string;
  /** Indexes into the conflicts; at least one. */
  readonly conflicts: readonly number[];
}

export interface CheckResult {
  readonly answer: Answer;
  /** The conflicts, those of one kind as one. */
  readonly items: readonly ConflictItem[];
  /** In the order of the picture's numbers. */
  readonly conflicts: readonly Conflict[];
  /** Number of conflicts beyond those listed. */
  readonly more: number;
}

/**
 * Finds what is refused, or would be. Rejects with a RangeError for a group, a device, a guest or a page size that cannot be
 * used.
 */
export async function check(dumps: Dumps, options: CheckOptions = {}): Promise<CheckResult> {
  const { guest, groups, pageSize, device, kernel } = options;
  if (pageSize !== undefined && (pageSize <= 0n || (pageSize & (pageSize - 1n)) !== 0n)) {
    throw new RangeError('the page size must be a power of two');
  }
  const documents = await chooseAndRun(documentsOf(dumps), { device, kernel });
  const tried = guest === undefined ? undefined : requireGuest(guest, options.guestName);
  const open = new Map(documents.map((document) => [document.id, document]));
  if (tried?.document) open.set(tried.document.id, tried.document);
  const trial = {
    selectedGroups: select(documents, { groups }).keys,
    ...(tried ? { guest: tried.choice } : {}),
    ...(pageSize === undefined ? {} : { pageSize }),
  };
  const { answer, items, rows, more } = answerFor(open, trial, options.unread ?? unreadNames(dumps));
  const { severity, text, remedies, provenance } = answer;
  // What is only said in passing is part of the answer.
  const shown = rows.filter((row) => !isQuiet(row));
  const indexes = new Map(shown.map(({ document, id }, index) => [`${document} ${id}`, index]));
  return {
    answer: {
      severity,
      text,
      remedies: remedies.map(({ text: fix, copy }) => ({ text: fix, copy })),
      fixes: fixesOf(remedies),
      provenance,
    },
    items: items.flatMap((item) => {
      const found = item.conflicts.flatMap((id) => indexes.get(`${item.scope} ${id}`) ?? []);
      return found.length === 0 ? [] : [{ severity: item.severity, text: item.text, conflicts: found }];
    }),
    conflicts: shown.map(conflictOf),
    more,
  };
}

function unreadNames({ sources }: Dumps): string[] {
  return sources.filter(({ unread }) => unread !== undefined).map(({ name }) => name);
}

function fixesOf(remedies: readonly Remedy[]): Fix[] {
  return remedies.flatMap(({ text: label, copy, form = 'shell' }) =>
    copy === undefined ? [] : [{ label, form, text: copy }],
  );
}

/** A conflict in the library's terms, which are also those of `check --json`. */
function conflictOf({
  severity,
  rule,
  errno,
  source,
  title,
  message,
  marks,
  remedy,
  remedies = [],
  provenance,
}: ConflictRow): Conflict {
  const kernel = /^Linux (\d[\w.]*)/.exec(source ?? '')?.[1];
  return {
    severity,
    rule,
    errno,
    kernel,
    decidedBy: source,
    text: title,
    reason: message,
    ranges: marks.map(({ role, start, last, message: text }) => ({ role, start, last, text })),
    remedies:
      remedies.length === 0
        ? [remedy]
        : remedies.map(({ text, copy }) => (copy === undefined ? text : `${text}: ${copy}`)),
    fixes: fixesOf(remedies),
    provenance,
  };
}
