// Escapes text for Markdown, as rendered by the issue trackers of QEMU, libvirt, GitHub and GitLab.

/** Invisible characters that change how text is displayed: control and direction characters. */
const HIDDEN = /[\p{Cc}\p{Cf}\u2028\u2029]/gu;

/** One line of plain text: nothing in it is markup, a mention, an issue or a link. */
export function plainText(text: string): string {
  return text
    .replace(/\s+/g, ' ')
    .replace(HIDDEN, '')
    .trim()
    .replace(/[\\`*_{}[\]<>|~$#!]/g, (mark) => (mark === '<' ? '&lt;' : mark === '>' ? '&gt;' : `\\${mark}`))
    .replaceAll('@', '&#64;')
    .replace(/:\/\//g, ':&#47;&#47;')
    .replace(/www\./gi, (found) => `${found.slice(0, -1)}&#46;`);
}

/** A person's own paragraphs, each as plain text. */
export function plainParagraphs(text: string): string[] {
  return text.split(/\r?\n/).flatMap((line) => {
    const plain = plainText(line);
    // At the beginning of a line, these would start lists and rules.
    return plain === '' ? [] : [plain.replace(/^(\d+)([.)])/, '$1\\$2').replace(/^([-+=])/, '\\$1'), ''];
  });
}

/** Text in a fence that is longer than any fence in it. Invisible characters are dropped, tabs and line ends kept. */
export function fenced(text: string, info = ''): string[] {
  const clean = text.replace(/\r\n?/g, '\n').replace(HIDDEN, (c) => (c === '\n' || c === '\t' ? c : ''));
  const longest = Math.max(2, ...[...clean.matchAll(/`+/g)].map(([ticks]) => ticks.length));
  const fence = '`'.repeat(longest + 1);
  return [`${fence}${info}`, clean.replace(/\n$/, ''), fence];
}

/** A table; the cells are plain text already. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const line = (cells: readonly string[]) => `| ${cells.map((cell) => (cell === '' ? ' ' : cell)).join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)];
}

/** A collapsed section. */
export function details(summary: string, lines: readonly string[]): string[] {
  return ['<details>', `<summary>${plainText(summary)}</summary>`, '', ...lines, '', '</details>'];
}
