// Lines without content of their own: rules and boxes, and marks of omitted text.

/**
 * True if there is neither a letter nor a digit: rules, boxes, `:::::`, `+++`. Such a line separates like a blank one. The
 * arguments of a script (`"$@"`) are none: a command ends with them.
 */
export function isDecoration(text: string): boolean {
  return !/[A-Za-z0-9]/.test(text) && !/[\p{L}\p{N}]|\$[@*]/u.test(text);
}

const ELISION =
  /^[\s\W_]{0,8}(?:(?:output |lines? |text |log |rest )?(?:snip(?:ped)?|trimmed|truncated|omitted|elided|skipped|cut|deleted)(?: here| output| lines?)?|--More--)[\s\W_]{0,8}$/i;

/** The first letters of those words: no other letter and no digit starts an elision. */
const ELISION_START: ReadonlySet<number> = new Set([...'cdelmorst'].map((letter) => letter.charCodeAt(0)));

/** False if a text, without blanks before it, begins with a letter or digit that no elision begins with. */
function mayBeElision(text: string): boolean {
  const code = text.charCodeAt(0);
  const letter = code | 0x20;
  return letter >= 97 && letter <= 122 ? ELISION_START.has(letter) : !(code >= 48 && code <= 57);
}

/** True for a line that marks omitted text: `...`, `. . .`, `[...]`, `[output trimmed]`, `<snip>`. */
export function isElision(text: string): boolean {
  if (!mayBeElision(text)) return false;
  const bare = text.trim();
  if (bare.length > 60 || bare === '' || !mayBeElision(bare)) return false;
  if (/^[[(<]{0,2}\s?(?:\.\s?){3,}[\])>]{0,2}$/.test(bare) || /^\W{0,3}…\W{0,3}$/.test(bare)) return true;
  return /^[-=~ ]{2,}8<[-=~ 8<]*$/.test(bare) || ELISION.test(bare);
}
