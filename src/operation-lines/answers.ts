// Answers in words: `0`, `-EINVAL`, `0, iova 0x1000`, `0, alignment 0x1000, 0x0-0xfedfffff + 0xfef00000-0x7fffffffff`.
import { hex } from '../iova/format.ts';
import type { Iova } from '../iova/iova.ts';
import { parseAddress, parseRange, parseSize } from '../iova/parse.ts';
import type { Answer, OperationName } from '../session/events.ts';
import { alternatives, type LineMistake } from './line-reader.ts';
import { nearestWord } from './nearest.ts';

export type ParsedAnswer =
  | { readonly ok: true; readonly answer: Answer }
  | { readonly ok: false; readonly mistake: LineMistake };

/** The field of an answer that is the result: a number without a name is meant as this one. */
const RESULTS: Partial<Readonly<Record<OperationName, 'iova' | 'unmapped' | 'dma_addr'>>> = {
  'ioas.map': 'iova',
  'ioas.map_file': 'iova',
  'ioas.copy': 'iova',
  'ioas.unmap': 'unmapped',
  'container.unmap_dma': 'unmapped',
  'dma.map': 'dma_addr',
};

const ADDRESSES = ['iova', 'unmapped', 'alignment', 'sw_msi_start', 'dma_addr'] as const;
const COUNTS = ['argsz', 'num_iovas'] as const;
const FIELDS: readonly string[] = [...ADDRESSES, ...COUNTS, 'ranges', 'hex'];

interface Word {
  readonly text: string;
  readonly start: number;
}

/**
 * Reads an answer. First what the call returns: `0` or `ok`, an errno with or without its minus, or another number; it may
 * be left out before a field, which only success has. Then fields with their names in any order; commas are optional. An
 * address without a name is the operation's result (`iova`, `unmapped`, `dma_addr`), ranges need none.
 */
export function parseAnswer(text: string, op?: OperationName): ParsedAnswer {
  // `iova=0x1000` and `iova: 0x1000` are read, too; the places of the words stay the same.
  const spaced = text.replace(/(?<=[a-z])[=:]/g, ' ');
  const words: Word[] = [...spaced.matchAll(/[^\s,]+/g)].map((match) => ({ text: match[0], start: match.index }));
  const [first] = words;
  if (!first) return wrong("expected an answer such as '0' or '-EINVAL'", { text: '', start: text.length });
  const returned = returnOf(first.text);
  const answer: Answer = { ret: returned ?? 0 };
  for (let i = returned === undefined ? 0 : 1; i < words.length; i++) {
    const word = words[i];
    if (!word || (word.text === '+' && answer.ranges && words[i + 1])) continue;
    const isField = FIELDS.includes(word.text);
    const value = isField ? words[++i] : word;
    const name = isField ? word.text : nameless(word.text, op);
    if (!value) return wrong(`a value must follow '${word.text}'`, { text: '', start: text.length });
    if (name === undefined) {
      const nearest = nearestWord(word.text, FIELDS);
      const hint = nearest === undefined ? '' : `; did you mean '${nearest}'?`;
      const message = `expected ${alternatives(['an errno', ...FIELDS.map((field) => `'${field}'`)])}, found '${word.text.slice(0, 40)}'${hint}`;
      return wrong(message, word, nearest);
    }
    if (name !== 'ranges' && Object.hasOwn(answer, name)) return wrong(`'${name}' is there twice`, word);
    const message = setField(answer, name, value.text);
    if (message !== undefined) return wrong(`'${value.text.slice(0, 60)}': ${message}`, value);
  }
  return { ok: true, answer };
}

function wrong(message: string, { text, start }: Word, nearest?: string): ParsedAnswer {
  const mistake = { message, start, end: start + text.length, ...(nearest === undefined ? {} : { nearest }) };
  return { ok: false, mistake };
}

/** What a call returns, if the word is that. */
function returnOf(word: string): number | string | undefined {
  if (word === 'ok' || word === 'success') return 0;
  if (/^-?\d+$/.test(word)) return Number.isSafeInteger(Number(word)) ? Number(word) : undefined;
  const errno = /^-?(E[A-Z0-9]+)$/.exec(word)?.[1];
  return errno === undefined ? undefined : `-${errno}`;
}

/** The field that a value without a name is meant as. */
function nameless(word: string, op: OperationName | undefined): string | undefined {
  if (/^\d[^-]*(?:-|\.\.)./.test(word) || word === 'none') return 'ranges';
  return op !== undefined && /^\d/.test(word) ? RESULTS[op] : undefined;
}

/** Sets a field from its words; returns what is wrong with them. */
function setField(answer: Answer, name: string, text: string): string | undefined {
  if (name === 'hex') {
    if (!/^(?:[\da-f]{2})*$/i.test(text)) return 'expected pairs of hexadecimal digits';
    answer.hex = text.toLowerCase();
    return undefined;
  }
  if (name === 'ranges') {
    const ranges = answer.ranges ?? [];
    answer.ranges = ranges;
    if (text === 'none') return undefined;
    const parsed = parseRange(text);
    if (!parsed.ok) return parsed.error.message;
    ranges.push([parsed.value.start, parsed.value.last]);
    return undefined;
  }
  const count = COUNTS.find((field) => field === name);
  if (count !== undefined) {
    if (!/^\d{1,15}$/.test(text)) return 'expected a whole number';
    answer[count] = Number(text);
    return undefined;
  }
  const parsed = name === 'unmapped' ? parseSize(text) : parseAddress(text);
  if (!parsed.ok) return parsed.error.message;
  if (parsed.value >= 1n << 64n) return 'larger than 64 bits';
  const field = ADDRESSES.find((address) => address === name);
  if (field !== undefined) answer[field] = parsed.value as Iova;
  return undefined;
}

/** An answer in words; `parseAnswer` gives the same back. Fields that answers do not have are left out. */
export function printAnswer(answer: Answer): string {
  const parts = [String(answer.ret)];
  for (const field of ADDRESSES) {
    const value = answer[field];
    if (value !== undefined) parts.push(`${field} ${hex(value)}`);
  }
  for (const field of COUNTS) {
    const value = answer[field];
    if (value !== undefined) parts.push(`${field} ${value}`);
  }
  const { ranges } = answer;
  if (ranges) {
    const list = ranges.map(([start, last]) => `${hex(start)}-${hex(last)}`).join(' + ');
    parts.push(list === '' ? 'ranges none' : list);
  }
  if (answer.hex !== undefined && answer.hex !== '') parts.push(`hex ${answer.hex}`);
  return parts.join(', ');
}
