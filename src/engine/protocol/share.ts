// Exports: pictures, reports, files and links, all made from the case in the same way.
import type { IovaRange } from '../../iova/range.ts';
import type { RedactOptions, Replacement } from '../../session/sharing/redact.ts';
import type { Band } from '../../timeline/scene/bands.ts';
import type { Scene } from '../../timeline/scene/mark.ts';
import type { Trial } from './answers.ts';
import type { ArrangeParams } from './picture.ts';

/** `session`: a session file; `link`: the part after its `#`. */
export type ShareForm = 'session' | 'link' | 'picture' | 'text' | 'markdown';

/** Length of a link in characters: up to `good` it is offered, up to `max` with a warning, beyond that not at all. */
export const LINK_LENGTH = { good: 8000, max: 32_000 } as const;

export interface ShareParams extends ArrangeParams, Pick<Trial, 'pageSize'> {
  readonly form: ShareForm;
  /** The addresses in view, inclusive; everything if absent. */
  readonly range?: IovaRange | undefined;
  /** Texts written by the user, who sees them in the dialog: redaction does not change them. */
  readonly title?: string | undefined;
  readonly notes?: string | undefined;
  /** Id of the session whose operations are included if there are several. */
  readonly sessionId?: string | undefined;
  /** Version of iovascope, for the exported text. */
  readonly version: string;
  /** Replaces information about people and their machines; absent: nothing is replaced. */
  readonly redact?: RedactOptions | undefined;
  /** URL of the page, for the link in reports: `https://example.org/iovascope/`. */
  readonly base?: string | undefined;
  /** Width of a picture in CSS pixels. */
  readonly width?: number | undefined;
  /** For a picture: only the lanes between `top` and `bottom`, if the first begins at `first`; all if absent. */
  readonly seen?: { readonly first: number; readonly top: number; readonly bottom: number } | undefined;
  /** Bands currently shown in the picture: a conflict, or why an operation was refused. Not in redacted pictures. */
  readonly bands?: readonly Band[] | undefined;
  /** Lists of conflicts, lines of dumps and the versions of programs in reports; all if absent. */
  readonly parts?: ReportParts | undefined;
  /** Tab of the details that a link opens. */
  readonly tab?: string | undefined;
}

/** Parts of a text report; everything if absent. */
export interface TextReportParts extends Pick<ReportParts, 'conflicts' | 'versions'> {
  /** Only the drawing, for reports of other forms. */
  readonly drawingOnly?: boolean | undefined;
}

export interface ReportParts {
  readonly conflicts?: boolean | undefined;
  readonly lines?: boolean | undefined;
  readonly versions?: boolean | undefined;
}

export interface Shared {
  /** The report, the session file or the part of the link after `#`; empty for a picture. */
  readonly text: string;
  readonly scene?: Scene | undefined;
  /** The session file that pictures and pages carry. */
  readonly session: string;
  /** How it is shown: keys of a link, such as `at=3&scale=log`. */
  readonly view: string;
  /** The replacements, for the user to check before sharing. */
  readonly replacements: readonly Replacement[];
  /** What is not included, and what was dropped for size; one sentence each. */
  readonly remarks: readonly string[];
  /** Title of the picture, for the file name. */
  readonly title: string;
}
