// What follows an option of QEMU: `key=value,key=value`, or JSON. Commas inside of values are doubled.

/** Keys in order of appearance; the first may have no key and then is called `''`. */
export type QemuProperties = ReadonlyMap<string, string>;

/** Numbers and truth values of JSON as QEMU's own syntax writes them. */
function textOf(value: unknown): string | undefined {
  if (typeof value === 'string') return value;
  if (typeof value === 'number') return String(value);
  return typeof value === 'boolean' ? (value ? 'on' : 'off') : undefined;
}

function flatten(value: object, prefix: string, into: Map<string, string>): void {
  for (const [key, entry] of Object.entries(value)) {
    const text = textOf(entry);
    if (text !== undefined) into.set(prefix + key, text);
    else if (typeof entry === 'object' && entry !== null && prefix === '') flatten(entry, `${key}.`, into);
  }
}

const MEMBER = /"([\w.-]{1,60})" ?: ?(?:"([^"\\]{0,500})"|(-?\d{1,20}|true|false)(?=[,}\s]))/g;

/** The members of JSON that is cut or damaged, as far as they are whole; undefined if there are none. */
function ofCutJson(text: string): QemuProperties | undefined {
  const found = new Map<string, string>();
  for (const [, key = '', string, other = ''] of text.slice(0, 4000).matchAll(MEMBER)) {
    found.set(key, string ?? (other === 'true' ? 'on' : other === 'false' ? 'off' : other));
  }
  return found.size === 0 ? undefined : found;
}

/**
 * Reads the properties of an option. `first` is the key of a value that stands alone at the start: `driver` for -device,
 * `type` for -machine. A key alone elsewhere is `on`, and `no…` is `off`, as in old command lines. The last of several
 * values of a key wins. Of JSON that was cut, what is whole of it; undefined if nothing is.
 */
export function qemuProperties(text: string, first: string): QemuProperties | undefined {
  const found = new Map<string, string>();
  if (text.startsWith('{')) {
    try {
      const value: unknown = JSON.parse(text);
      if (typeof value !== 'object' || value === null) return undefined;
      flatten(value, '', found);
      return found;
    } catch {
      return ofCutJson(text);
    }
  }
  const parts = text.replaceAll(',,', '\0').split(',');
  for (const [index, part] of parts.entries()) {
    const entry = part.replaceAll('\0', ',');
    if (entry === '') continue;
    const cut = entry.indexOf('=');
    if (cut > 0) found.set(entry.slice(0, cut).trim(), entry.slice(cut + 1).trim());
    else if (index === 0) found.set(first, entry.trim());
    else found.set(entry.trim(), 'on');
  }
  return found;
}

export function isOn(text: string | undefined): boolean {
  return text === 'on' || text === 'yes' || text === 'true' || text === 'y';
}
