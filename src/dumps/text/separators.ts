// Lines that separate and are no content: rules and boxes, and notes that something was left out.

/** True if there is neither a letter nor a digit: rules, boxes, `:::::`, `+++`. Such a line separates like a blank one. */
export function isDecoration(text: string): boolean {
  return !/[A-Za-z0-9]/.test(text) && !/[\p{L}\p{N}]/u.test(text);
}

const ELISION =
  /^[\s\W_]{0,8}(?:(?:output |lines? |text |log |rest )?(?:snip(?:ped)?|trimmed|truncated|omitted|elided|skipped|cut|deleted)(?: here| output| lines?)?|--More--)[\s\W_]{0,8}$/i;

/** What the words of an elision begin with; a line that begins with another letter or a digit is none. */
const ELISION_START = /^(?:[cdelmorst]|[^a-z\d])/i;

/** True for a line that says that something was left out: `...`, `. . .`, `[...]`, `[output trimmed]`, `<snip>`. */
export function isElision(text: string): boolean {
  const bare = text.trim();
  if (bare.length > 60 || !ELISION_START.test(bare)) return false;
  if (/^[[(<]{0,2}\s?(?:\.\s?){3,}[\])>]{0,2}$/.test(bare) || /^\W{0,3}…\W{0,3}$/.test(bare)) return true;
  return /^[-=~ ]{2,}8<[-=~ 8<]*$/.test(bare) || ELISION.test(bare);
}
