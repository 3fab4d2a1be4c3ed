const ESCAPED_BREAKS = /(?:\\[nrt]){1,4}(?=["']?[,;)\]]{0,2}$)/;
/** Quotation marks; an apostrophe in a word is not one. */
const QUOTES: readonly [all: RegExp, last: RegExp][] = [
  [/"/g, /"[,;)\]]{0,2}$/],
  [/(?<!\w)'|'(?!\w)/g, /'[,;)\]]{0,2}$/],
];

/** The text at the end of a message, without what is behind it in a list, a table or a program: `",`, `\n'`. */
export function messageTail(text: string): string {
  let tail = text.trim().replace(ESCAPED_BREAKS, '');
  for (const [all, last] of QUOTES) if ((tail.match(all)?.length ?? 0) % 2 === 1) tail = tail.replace(last, '');
  return tail.trimEnd();
}
