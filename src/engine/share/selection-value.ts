// The user's selection as the `groups` key of a link: numbers and runs of groups, and names of other selectable things, such as
// `layer bars`. With several hosts, each entry has the number of its host: `2:0-5`.
import { numberRuns, runLabel } from '../../iova/number-runs.ts';
import type { DocumentNode } from '../protocol/documents.ts';
import { defaultKeys, selectableKeys } from '../protocol/selection.ts';

type Selectable = Pick<DocumentNode, 'id' | 'groups' | 'spaces' | 'layers'>;

/** The value if nothing is selected. */
const NOTHING = 'none';
const NUMBER = /^(?:0|[1-9]\d{0,8})$/;
const RUN = /^(\d{1,9})-(\d{1,9})$/;
/** Maximum length of a run of groups; a longer one was not written by this program. */
const RUN_MAX = 100_000;

/** The part of a key after its document's id; for a numbered group, only the number. */
function tokenOf(key: string, { id }: Selectable): string {
  const name = key.slice(id.length + 1);
  const number = name.startsWith('group ') ? name.slice('group '.length) : '';
  return NUMBER.test(number) ? number : name.replace(/[%,:]/g, encodeURIComponent);
}

/** The selection; undefined if it is what opening the documents selects. */
export function selectionValue(documents: readonly Selectable[], selected: readonly string[]): string[] | undefined {
  const keys = new Set(selected);
  const isDefault = documents.every((document) => {
    const byDefault = new Set(defaultKeys(document));
    return selectableKeys(document).every((key) => keys.has(key) === byDefault.has(key));
  });
  if (isDefault) return undefined;
  const tokens = documents.flatMap((document, i) => {
    const own = selectableKeys(document)
      .filter((key) => keys.has(key))
      .map((key) => tokenOf(key, document));
    const numbers = own.filter((token) => NUMBER.test(token)).map(Number);
    const prefix = documents.length > 1 ? `${i + 1}:` : '';
    return [...numberRuns(numbers).map(runLabel), ...own.filter((token) => !NUMBER.test(token))].map(
      (token) => `${prefix}${token}`,
    );
  });
  return tokens.length > 0 ? tokens : [NOTHING];
}

/** The keys that a link selects, and the entries that do not exist. */
export function selectedBy(
  documents: readonly Selectable[],
  tokens: readonly string[],
): { readonly keys: readonly string[]; readonly unknown: readonly string[] } {
  const keys: string[] = [];
  const unknown: string[] = [];
  const known = documents.map(
    (document) => new Map(selectableKeys(document).map((key) => [tokenOf(key, document), key])),
  );
  for (const token of tokens) {
    if (token === NOTHING) continue;
    const [, number, name = ''] = /^(?:(\d{1,6}):)?(.*)$/s.exec(token) ?? [];
    const own = known[number === undefined ? 0 : Number(number) - 1];
    const [, first, last] = RUN.exec(name) ?? [];
    const [from, to] = [Number(first), Number(last)];
    const names =
      first === undefined || !(from <= to && to - from < RUN_MAX)
        ? [name]
        : Array.from({ length: to - from + 1 }, (_, i) => `${from + i}`);
    const found = names.flatMap((one) => own?.get(one) ?? []);
    keys.push(...found);
    if (found.length < names.length) unknown.push(token);
  }
  return { keys, unknown };
}
