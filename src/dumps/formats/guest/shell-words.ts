// Words of a command line, as a POSIX shell would split it, with variables left in.

/** More are not read: the longest command lines of libvirt have some hundreds. */
const WORDS_MAX = 5000;

export interface ShellWords {
  readonly words: readonly string[];
  /** A quotation mark was still open at the end. */
  readonly isOpen: boolean;
}

/**
 * Splits at blanks outside of quotation marks and takes those and backslashes off. A pipe, `;`, `&` or redirection ends
 * the command, as does a comment.
 */
export function shellWords(text: string): ShellWords {
  const words: string[] = [];
  let word: string | undefined;
  let quote = '';
  for (let i = 0; i < text.length && words.length < WORDS_MAX; i++) {
    const c = text.charAt(i);
    if (quote === "'") {
      if (c === quote) quote = '';
      else word += c;
    } else if (quote === '"') {
      if (c === quote) quote = '';
      else if (c === '\\' && '"\\$`'.includes(text.charAt(i + 1)) && i + 1 < text.length) word += text.charAt(++i);
      else word += c;
    } else if (c === "'" || c === '"') {
      quote = c;
      word ??= '';
    } else if (c === '\\') {
      if (i + 1 < text.length) word = (word ?? '') + text.charAt(++i);
    } else if (/\s/.test(c)) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else if (
      (c === ';' || c === '|' || c === '&' || c === '>' || (c === '#' && word === undefined)) &&
      !inside(word)
    ) {
      break;
    } else word = (word ?? '') + c;
  }
  if (word !== undefined) words.push(word);
  return { words, isOpen: quote !== '' };
}

/** Inside of `${…}` and `$(…)` nothing ends a command. */
function inside(word: string | undefined): boolean {
  return word !== undefined && /\$\{[^}]*$|\$\([^)]*$/.test(word);
}

/** `$NAME` and `${NAME}` replaced by what is known; others stay. */
export function expandVariables(text: string, values: ReadonlyMap<string, string>): string {
  if (!text.includes('$')) return text;
  return text.replace(/\$(?:\{([A-Za-z_]\w{0,60})\}|([A-Za-z_]\w{0,60}))/g, (whole, a?: string, b?: string) => {
    return values.get(a ?? b ?? '') ?? whole;
  });
}
