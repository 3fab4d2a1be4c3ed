// Which formats a text needs, so that only their parsers are loaded.
import type { LineFormat } from '../format.ts';
import type { LineFormats, LineTaker, WaitingLine } from './dispatch.ts';
import type { InterestMatcher, OpenFormats } from './interest.ts';
import { TextReader } from './text-reader.ts';

/** The formats, not loaded yet, whose parsers would find something in a text. `pieces`: the whole text. */
export function neededFormats(formats: LineFormats, pieces: readonly string[]): readonly LineFormat[] {
  const { missing } = formats;
  if (missing.length === 0) return [];
  const scout = new Scout(formats, missing);
  const reader = new TextReader(scout);
  for (const piece of pieces) {
    reader.push(piece);
    if (scout.needed.size === missing.length) return missing;
  }
  reader.end();
  return [...scout.needed];
}

/** Notes which formats begin in the lines. */
class Scout implements LineTaker {
  readonly needed = new Set<LineFormat>();
  readonly canFlushEarly = true;
  readonly #missing: readonly { readonly format: LineFormat; readonly index: number }[];
  readonly #interests: InterestMatcher;
  readonly #open: OpenFormats;

  constructor(formats: LineFormats, missing: readonly LineFormat[]) {
    this.#missing = missing.map((format) => ({ format, index: formats.formats.indexOf(format) }));
    this.#interests = formats.interests;
    this.#open = this.#interests.openFormats();
  }

  add({ text, prompt, elision }: WaitingLine): void {
    // A command may be recognized by any format.
    const isForAll = prompt !== undefined || elision;
    if (!isForAll && !this.#interests.look(text, this.#open)) return;
    for (const { format, index } of this.#missing) {
      if (isForAll || this.#interests.begins(index)) this.needed.add(format);
    }
  }

  isDull(bytes: Uint8Array, from: number, to: number, content: string): boolean {
    return this.#interests.isDull(bytes, from, to, content);
  }

  isDullText(): boolean {
    return false;
  }

  isRepeated(): boolean {
    return false;
  }

  skip(): boolean {
    return true;
  }

  flush(): void {}
  reportCut(): void {}
  end(): void {}
}
