// Values of YAML in one line, `{type: q35, devices: [{name: a}]}`, and JSON, which is written the same way.

export interface FlowValue {
  /** Keys joined by `.`; lists add nothing to it. Empty for a scalar alone. */
  readonly path: string;
  readonly value: string;
}

const VALUES_MAX = 2000;
const DEPTH_MAX = 60;
const QUOTED = /"((?:[^"\\]|\\.)*)"|'((?:[^']|'')*)'/y;
const PLAIN = /[^,{}[\]#"'][^,{}[\]]*/y;
/** Behind a key without quotation marks a blank follows, or what cannot be a part of it. */
const KEY = /(?:"([^"]{1,200})"\s*:|'([^']{1,200})'\s*:|([\w./-]{1,200})\s*:(?=[\s{["']|$))\s*/y;

/** The scalars of such a value in their order, as far as it is whole. */
export function flowValues(text: string): FlowValue[] {
  const found: FlowValue[] = [];
  /** Keys around the current place; undefined for a list. */
  const keys: (string | undefined)[] = [];
  const pathOf = (key: string | undefined) => [...keys, key].filter((part) => part !== undefined).join('.');
  let key: string | undefined;
  const read = (pattern: RegExp, at: number) => {
    pattern.lastIndex = at;
    return pattern.exec(text);
  };
  for (let at = 0; at < text.length && found.length < VALUES_MAX; ) {
    const c = text.charAt(at);
    if (c === '{' || c === '[') {
      if (keys.length >= DEPTH_MAX) break;
      keys.push(key);
      key = undefined;
      at++;
    } else if (c === '}' || c === ']') {
      keys.pop();
      key = undefined;
      at++;
    } else if (c === ',' || /\s/.test(c)) {
      if (c === ',') key = undefined;
      at++;
    } else {
      const name = key === undefined ? read(KEY, at) : null;
      const value = name ? null : (read(QUOTED, at) ?? read(PLAIN, at));
      if (name) key = name[1] ?? name[2] ?? name[3];
      else if (value) found.push({ path: pathOf(key), value: (value[1] ?? value[2] ?? value[0]).trim() });
      else break;
      at += (name ?? value)?.[0].length ?? 1;
    }
  }
  return found;
}
