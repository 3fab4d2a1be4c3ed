// A session inside an SVG, in its <metadata>, or inside an HTML page, in a script element that is data and not executed.
import { EMBEDDED_MAX, type EmbeddedSession } from './embedded.ts';

const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };
/** Identifies the element even after a drawing program renamed the prefixes. */
const NAME = 'iovascope-session';

const escapeXml = (text: string) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

/** Element with the text of a session file, for use as a child of the root element of an SVG. */
export function svgMetadata(text: string): string {
  // Characters that XML forbids: the last two can be escaped in a JSON string; controls occur only in damaged lines.
  const allowed = text
    .replace(/[\ufffe\uffff]/g, (c) => (c === '\ufffe' ? '\\ufffe' : '\\uffff'))
    .replace(/[^\P{Cc}\t\n\r\x7f-\x9f]/gu, '\ufffd');
  return `<metadata id="${NAME}">${escapeXml(allowed)}</metadata>`;
}

/** The text of an SVG file with the session in it. */
export function svgWithSession(svg: string, text: string): string {
  return svg.replace(/<\/svg>\s*$/, (end) => `${svgMetadata(text)}${end}`);
}

/**
 * Element with the text of a session file for an HTML page: a JSON string. `view`: how it is shown, as keys of a link.
 */
export function htmlSessionElement(text: string, view = ''): string {
  const shown = view === '' ? '' : ` data-view="${escapeXml(view).replaceAll('"', '&quot;')}"`;
  // "<" could end the element or begin a comment in it.
  return `<script type="application/json" id="${NAME}"${shown}>${JSON.stringify(text).replaceAll('<', '\\u003c')}</script>`;
}

/** A page of iovascope that works without a network, with a session in it; see `htmlSessionElement`. */
export function pageWithSession(page: string, text: string, view: string): string {
  const end = page.lastIndexOf('</body>');
  return `${page.slice(0, end)}${htmlSessionElement(text, view)}${page.slice(end)}`;
}

/** The session in the text of an SVG file, even if it was edited by hand or by a drawing program. */
export function sessionInSvg(svg: string): EmbeddedSession {
  const open = new RegExp(`<(?:[\\w.-]+:)?metadata\\b[^>]*\\bid\\s*=\\s*["']${NAME}["'][^>]*>`).exec(svg);
  if (!open) return { state: 'none' };
  const from = open.index + open[0].length;
  const close = /<\/(?:[\w.-]+:)?metadata\s*>/g;
  close.lastIndex = from;
  const end = close.exec(svg);
  const text = textOf(svg.slice(from, Math.min(end?.index ?? svg.length, from + EMBEDDED_MAX)));
  return found(text, end !== null, 'SVG');
}

/** The session in the text of an HTML page. */
export function sessionInHtml(html: string): EmbeddedSession {
  const open = new RegExp(`<script\\b[^>]*\\bid\\s*=\\s*["']?${NAME}\\b[^>]*>`, 'i').exec(html);
  if (!open) return { state: 'none' };
  const from = open.index + open[0].length;
  const end = html.slice(from).search(/<\/script/i);
  const content = html.slice(from, end < 0 ? undefined : from + end).trim();
  if (end >= 0) {
    const text = parseString(content);
    if (text !== undefined) return found(text, true, 'HTML page');
    return { state: 'unreadable', problem: 'the session in the HTML page is damaged' };
  }
  // If the string was cut: up to the last complete line.
  const lastLine = content.lastIndexOf('\\n');
  const text = lastLine < 0 ? undefined : parseString(`${content.slice(0, lastLine)}\\n"`);
  return found(text ?? '', false, 'HTML page');
}

function parseString(json: string): string | undefined {
  try {
    const value: unknown = JSON.parse(json);
    return typeof value === 'string' ? value : undefined;
  } catch {
    return undefined;
  }
}

function found(text: string, isWhole: boolean, what: string): EmbeddedSession {
  if (isWhole) return text.trim() === '' ? { state: 'none' } : { state: 'found', text };
  const problem = `the ${what} was cut inside its session`;
  const lines = text.slice(0, text.lastIndexOf('\n') + 1);
  return lines === '' ? { state: 'unreadable', problem } : { state: 'found', text: lines, problem };
}

/** The text of an element's content: without tags and comments, with CDATA sections and entities resolved. */
function textOf(markup: string): string {
  return markup.replace(
    /<!\[CDATA\[([\s\S]*?)\]\]>|<!--[\s\S]*?-->|<[^>]*>|&(#x[0-9a-f]+|#\d+|\w+);/gi,
    (all, literal: string | undefined, entity: string | undefined) => {
      if (literal !== undefined) return literal;
      if (entity === undefined) return '';
      if (!entity.startsWith('#')) return ENTITIES[entity] ?? all;
      const code = Number.parseInt(entity.replace(/^#x?/i, ''), /^#x/i.test(entity) ? 16 : 10);
      return code <= 0x10ffff ? String.fromCodePoint(code) : all;
    },
  );
}
