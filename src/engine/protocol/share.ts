// What leaves the page: pictures, reports, files and links, all made of the case in the same way.
import type { IovaRange } from '../../iova/range.ts';
import type { RedactOptions, Replacement } from '../../session/sharing/redact.ts';
import type { Band } from '../../timeline/scene/bands.ts';
import type { Scene } from '../../timeline/scene/mark.ts';
import type { Trial } from './answers.ts';
import type { ArrangeParams } from './picture.ts';

/** `session`: a session file; `link`: what is behind its `#`. */
export type ShareForm = 'session' | 'link' | 'picture' | 'text' | 'markdown';

/** Characters of a link that is offered; beyond that, with a warning; and beyond the last, not at all. */
export const LINK_LENGTH = { good: 8000, max: 32_000 } as const;

export interface ShareParams extends ArrangeParams, Pick<Trial, 'pageSize'> {
  readonly form: ShareForm;
  /** The addresses in view, inclusive; everything if absent. */
  readonly range?: IovaRange | undefined;
  /** What a person wrote: they see what they wrote, so that redaction leaves it as it is. */
  readonly title?: string | undefined;
  readonly notes?: string | undefined;
  /** Id of the session whose operations are included if there are several. */
  readonly sessionId?: string | undefined;
  /** Version of iovascope, which the forms name. */
  readonly version: string;
  /** Replaces what tells of people and their machines; absent: nothing is replaced. */
  readonly redact?: RedactOptions | undefined;
  /** Of the page, for reports that have a link: `https://example.org/iovascope/`. */
  readonly base?: string | undefined;
  /** Width of a picture in CSS pixels. */
  readonly width?: number | undefined;
  /** Of a picture: only the lanes between `top` and `bottom`, if the first begins at `first`; all if absent. */
  readonly seen?: { readonly first: number; readonly top: number; readonly bottom: number } | undefined;
  /** What is shown in the picture at the moment: a conflict, why an operation was refused. Not in redacted pictures. */
  readonly bands?: readonly Band[] | undefined;
  /** Lists of conflicts, lines of dumps and the versions of programs in reports; all if absent. */
  readonly parts?: ReportParts | undefined;
  /** Tab of the details that a link opens. */
  readonly tab?: string | undefined;
}

/** What a text report has; everything if absent. */
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
  /** The report, the session file or the part of the link behind `#`; empty for a picture. */
  readonly text: string;
  readonly scene?: Scene | undefined;
  /** The session file that pictures and pages carry. */
  readonly session: string;
  /** How it is shown: keys of a link, such as `at=3&scale=log`. */
  readonly view: string;
  /** What was replaced, for a person to look at before it leaves. */
  readonly replacements: readonly Replacement[];
  /** What is not included, and what was dropped for size; one sentence each. */
  readonly remarks: readonly string[];
  /** What the picture shows, to name a file. */
  readonly title: string;
}
