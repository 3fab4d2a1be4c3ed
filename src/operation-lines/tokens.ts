// A line in pieces: words, quoted names, and the marks `,` and `:`.

export interface Token {
  readonly kind: 'word' | 'quoted' | 'mark';
  /** Of a quoted name: what is between the quotes. */
  readonly text: string;
  /** Index of its first character in the line, and of the one after its last. */
  readonly start: number;
  readonly end: number;
}

export type Tokens =
  | { readonly ok: true; readonly tokens: readonly Token[] }
  | { readonly ok: false; readonly message: string; readonly start: number; readonly end: number };

/** A blank, a comment to the end, a quoted name, `=>`, a mark, or a word: no blank, comma or quote; a colon ends it only before a blank. */
const PIECE = /(\s+|#.*$)|("(?:[^"\\]|\\.)*("?))|(=>)|([,]|:(?=\s|$))|((?:(?!=>)(?:[^\s,":#]|:(?!\s|$)))+)|(.)/gu;

/** Names as they are written without quotes. */
const BARE = /^[\w./@-](?:[\w./@:-]*[\w./@-])?$/;

/** Splits a line. A `#` that does not follow another character of a word begins a comment. */
export function tokenize(line: string): Tokens {
  const tokens: Token[] = [];
  for (const match of line.matchAll(PIECE)) {
    const [text, blank, quoted, closing, arrow, mark, word] = match;
    if (blank !== undefined) continue;
    const start = match.index;
    const end = start + text.length;
    if (quoted !== undefined) {
      const name = closing === '"' && quoted.length > 1 ? unquote(quoted) : undefined;
      if (name === undefined) {
        const message =
          closing === '"' && quoted.length > 1 ? 'unknown escape in a quoted name' : 'missing closing quote';
        return { ok: false, message, start, end };
      }
      tokens.push({ kind: 'quoted', text: name, start, end });
    } else if (word !== undefined) tokens.push({ kind: 'word', text, start, end });
    else if (mark !== undefined || arrow !== undefined) tokens.push({ kind: 'mark', text, start, end });
    else return { ok: false, message: `unexpected character '${text}'`, start, end };
  }
  return { ok: true, tokens };
}

function unquote(quoted: string): string | undefined {
  try {
    const value: unknown = JSON.parse(quoted);
    return typeof value === 'string' ? value : undefined;
  } catch {
    return undefined;
  }
}

/** A name as it is written in a line: in quotes if it would be read as something else. */
export function quoteName(name: string, keywords: ReadonlySet<string>): string {
  return BARE.test(name) && !keywords.has(name) ? name : JSON.stringify(name);
}
