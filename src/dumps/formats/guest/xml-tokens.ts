// XML in pieces of any size, as a stream of tags and texts. Forgiving, because people cut and mangle what they paste, and
// safe: only the five entities of XML itself and numeric ones are expanded, a document type's own never are, and nothing
// refers to anything outside.
//
//   tag      = "<" ["/"] name *(blank name ["=" value]) ["/"] ">"        value in ' or "
//   skipped  = "<!--" … "-->" | "<?" … "?>" | "<!" … ">"; the text of "<![CDATA[" … "]]>" counts

export interface XmlHandler {
  /** Namespace prefixes are part of a name. */
  open(name: string, attributes: ReadonlyMap<string, string>): void;
  close(name: string): void;
  text(text: string): void;
  doctype(): void;
}

/** A tag that is longer than this is none. */
const TAG_MAX = 20_000;
const ENTITY = /&(?:#x([0-9a-f]{1,6})|#(\d{1,7})|(lt|gt|amp|quot|apos));/gi;
const NAMED: Readonly<Record<string, string>> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" };
const NAME = /^<\/?([A-Za-z_][\w.:-]{0,200})/;
const ATTRIBUTE = /([A-Za-z_][\w.:-]{0,200})\s{0,20}=\s{0,20}(?:"([^"]*)"|'([^']*)')/g;

/** Expands what XML itself defines; other entities stay as they are. */
export function expandEntities(text: string): string {
  if (!text.includes('&')) return text;
  return text.replace(ENTITY, (whole, hexadecimal?: string, decimal?: string, name?: string) => {
    if (name !== undefined) return NAMED[name.toLowerCase()] ?? whole;
    const code = hexadecimal === undefined ? Number(decimal) : Number.parseInt(hexadecimal, 16);
    return code > 0 && code <= 0x10_ffff ? String.fromCodePoint(code) : whole;
  });
}

export class XmlTokens {
  readonly #handler: XmlHandler;
  /** What is not finished: the start of a tag, or `skipping` without its end. */
  #rest = '';
  /** What ends the comment or the like that is open. */
  #until: string | undefined;

  constructor(handler: XmlHandler) {
    this.#handler = handler;
  }

  /** True inside of a comment. */
  get isSkipping(): boolean {
    return this.#until !== undefined;
  }

  /** True inside of a tag whose end is not there yet. */
  get isInTag(): boolean {
    return this.#until === undefined && this.#rest.startsWith('<');
  }

  /** Forgets a comment that is open: its end was lost. */
  resume(): void {
    this.#until = undefined;
    this.#rest = '';
  }

  push(piece: string): void {
    let text = this.#rest + piece;
    this.#rest = '';
    for (;;) {
      if (this.#until !== undefined) {
        const end = text.indexOf(this.#until);
        if (end < 0) {
          // The end itself may be cut in two.
          this.#rest = text.slice(-2);
          return;
        }
        text = text.slice(end + this.#until.length);
        this.#until = undefined;
      }
      const start = text.indexOf('<');
      const before = start < 0 ? text : text.slice(0, start);
      if (before.trim() !== '') this.#handler.text(expandEntities(before));
      if (start < 0) return;
      text = text.slice(start);
      const skipped = skipOf(text);
      if (skipped === 'unclear') {
        this.#rest = text;
        return;
      }
      if (skipped !== undefined) {
        text = text.slice(skipped.length);
        if (skipped === '<!') this.#handler.doctype();
        if (skipped === '<![CDATA[') {
          const end = text.indexOf(']]>');
          if (text.trim() !== '') this.#handler.text(end < 0 ? text : text.slice(0, end));
        }
        this.#until = UNTIL[skipped];
        continue;
      }
      const end = tagEnd(text);
      if (end === 'none') {
        // A `<` of text, or a tag that was cut.
        text = text.slice(1);
        continue;
      }
      if (end === 'open') {
        this.#rest = text;
        return;
      }
      this.#tag(text.slice(0, end));
      text = text.slice(end + 1);
    }
  }

  #tag(tag: string): void {
    const name = NAME.exec(tag)?.[1];
    if (name === undefined) return;
    if (tag.startsWith('</')) {
      this.#handler.close(name);
      return;
    }
    const attributes = new Map<string, string>();
    for (const [, key = '', double, single] of tag.slice(name.length + 1).matchAll(ATTRIBUTE)) {
      if (!attributes.has(key)) attributes.set(key, expandEntities(double ?? single ?? ''));
    }
    this.#handler.open(name, attributes);
    if (tag.endsWith('/')) this.#handler.close(name);
  }
}

const UNTIL = { '<!--': '-->', '<?': '?>', '<![CDATA[': ']]>', '<!': '>' } as const;

/** What is skipped from here on; `unclear` if the text ends before that is known. */
function skipOf(text: string): keyof typeof UNTIL | 'unclear' | undefined {
  if (text.startsWith('<!--')) return '<!--';
  if (text.startsWith('<![CDATA[')) return '<![CDATA[';
  if (text.startsWith('<?')) return '<?';
  if (!text.startsWith('<!')) return text === '<' ? 'unclear' : undefined;
  return text.length < 9 && ('<!--'.startsWith(text) || '<![CDATA['.startsWith(text)) ? 'unclear' : '<!';
}

/** Where the tag ends, outside of quotation marks; `open` if it may go on below; `none` if it is no tag. */
function tagEnd(text: string): number | 'open' | 'none' {
  if (!/^<(?:\/?[A-Za-z_]|\/?$)/.test(text)) return 'none';
  let quote = '';
  for (let i = 1; i < text.length && i <= TAG_MAX; i++) {
    const c = text.charAt(i);
    if (quote !== '') {
      if (c === quote) quote = '';
    } else if (c === '"' || c === "'") quote = c;
    else if (c === '>') return i;
    else if (c === '<') return 'none';
  }
  return text.length > TAG_MAX ? 'none' : 'open';
}
