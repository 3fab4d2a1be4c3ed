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
    } else if (c === '{' && word === undefined && text.charAt(i + 1) === '"') {
      // A shell would have taken the quotation marks off: the list of processes shows what it left.
      const end = endOfJson(text, i);
      word = text.slice(i, end);
      i = end - 1;
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

/** The index behind a JSON object that starts at `start`, or behind the text if it is cut. */
function endOfJson(text: string, start: number): number {
  let depth = 0;
  let isString = false;
  for (let i = start; i < text.length; i++) {
    const c = text.charAt(i);
    if (isString) {
      if (c === '\\') i++;
      else if (c === '"') isString = false;
    } else if (c === '"') isString = true;
    else if (c === '{') depth++;
    else if (c === '}' && --depth === 0) return i + 1;
  }
  return text.length;
}

/** Inside of `${…}` and `$(…)` nothing ends a command. */
function inside(word: string | undefined): boolean {
  return word !== undefined && /\$\{[^}]*$|\$\([^)]*$/.test(word);
}

const VARIABLE = /\$(?:\{([A-Za-z_]\w{0,60})(?:(:?-|%%?|##?)([^{}$*?[\]\\]{0,200}))?\}|([A-Za-z_]\w{0,60}))/g;

/**
 * `$NAME` and `${NAME}` replaced by what is known; others stay. Also `${NAME:-default}`, and `${NAME%end}` and
 * `${NAME#start}` with texts that are not patterns.
 */
export function expandVariables(text: string, values: ReadonlyMap<string, string>): string {
  if (!text.includes('$')) return text;
  return text.replace(VARIABLE, (whole, braced?: string, operator = '', operand = '', plain = '') => {
    const value = values.get(braced ?? plain);
    if (operator.endsWith('-')) return value === undefined || (value === '' && operator === ':-') ? operand : value;
    if (value === undefined) return whole;
    if (operator.startsWith('%'))
      return value.endsWith(operand) ? value.slice(0, value.length - operand.length) : value;
    return operator !== '' && value.startsWith(operand) ? value.slice(operand.length) : value;
  });
}
