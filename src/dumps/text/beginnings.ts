// What texts that match a regular expression may begin with, as an expression: so that a beginning that thousands of lines
// have is judged once, and not with every line.
import { alternatives, termOf } from './first-character.ts';

const QUANTIFIER = /^(?:[*+?]|\{\d+(?:,\d*)?\})\??/;
/** One that looks at what is behind it, at least two characters, and at nothing else. */
const FORBIDDEN_WORD = /^\(\?![\w ]+\)$/;
const LOOK_AROUND = /^\(\?<?[=!]/;
const OPENING = /^\((?:\?:|\?<\w+>)?/;
const NOTHING = '(?!)';

/**
 * An expression that matches a text if a match of `shape`, which is bound to the start and has no references, may begin with
 * it or ends inside of it: perhaps also if none does, never the other way round. For texts that go on behind the
 * beginning.
 */
export function beginningOf({ source, flags }: RegExp): RegExp {
  return new RegExp(`^(?:${ofAlternatives(withoutAssertions(source), '')})`, flags);
}

/** A term of a sequence with its quantifier, and what is behind it. */
function firstTerm(source: string): { term: string; quantifier: string; rest: string } {
  const term = termOf(source);
  const [quantifier = ''] = QUANTIFIER.exec(source.slice(term.length)) ?? [];
  return { term, quantifier, rest: source.slice(term.length + quantifier.length) };
}

const inside = (group: string) => group.replace(OPENING, '').slice(0, -1);

/** Without what looks beyond the text that it takes: such a condition may depend on what follows the beginning. */
function withoutAssertions(source: string): string {
  return alternatives(source)
    .map((part) => {
      let kept = '';
      for (let rest = part; rest !== ''; ) {
        const { term, quantifier, rest: behind } = firstTerm(rest);
        rest = behind;
        if (term === '\\b' || term === '\\B') continue;
        if (LOOK_AROUND.test(term)) kept += FORBIDDEN_WORD.test(term) ? term : '';
        else kept += term.startsWith('(') ? `(?:${withoutAssertions(inside(term))})${quantifier}` : term + quantifier;
      }
      return kept;
    })
    .join('|');
}

/** The beginnings of the alternatives. `after`: what follows when one of them is complete. */
function ofAlternatives(source: string, after: string): string {
  return alternatives(source)
    .map((part) => ofSequence(part, after))
    .join('|');
}

function ofSequence(source: string, after: string): string {
  if (source === '') return after;
  const { term, quantifier, rest } = firstTerm(source);
  // The text goes on.
  if (term === '$') return NOTHING;
  const more = ofSequence(rest, after);
  if (term === '^' || LOOK_AROUND.test(term)) return term + more;
  const isGroup = term.startsWith('(');
  const ended = isGroup ? `(?:${ofAlternatives(inside(term), '$')})` : '$';
  const before = quantifier === '' || quantifier.startsWith('?') ? '' : `${term}${upTo(quantifier)}`;
  return `(?:${before}${ended}|${term}${quantifier}${more})`;
}

/** The quantifier for as many or fewer. */
function upTo(quantifier: string): string {
  const max = /^\{(?:\d+,)?(\d+)\}/.exec(quantifier)?.[1];
  return max === undefined ? '*' : `{0,${max}}`;
}
