/** What somebody wrote in the place of a number. */
const REDACTED = /[<[({](?:redacted|removed|hidden|masked|snip|cut|omitted|censored|addr)|\*{2,}|(?:^|[\s=@])x{4,}/i;
/** Damaged numbers, which are hidden from patterns (damaged-numbers.ts). */
const HIDDEN = /[\ue020-\ue07f]/;

/** True if a number of the text was removed, masked or damaged, so that it is none. */
export function isRedacted(text: string): boolean {
  return REDACTED.test(text) || HIDDEN.test(text);
}
