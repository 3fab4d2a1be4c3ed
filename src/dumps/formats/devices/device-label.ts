// What lspci prints behind a device's address, in lists of devices and of groups.
//
//   label  = class [" [" code "]"] ": " name [" [" ids "]"] *(" (" … ")")          lspci, -nn
//          | class 2*blank name                                                   tables of groups, of scripts
//          | ["Class "] code ": " ids *(" (" … ")")                               -n
//          | quoted *(blank ("-" letter hex | quoted))                            -mm, -nmm, -nnmm: class, vendor, device,
//                                                                                  subsystem's vendor and device
//   ids    = 4hex ":" 4hex
import { className } from './class-names.ts';
import type { AboutDevice } from './device-fact.ts';

const NOTES = /(?:\s\((?:rev [0-9a-f]{2}|prog-if [^()]{0,80}(?:\([^()]{0,40}\))?[^()]{0,40}|subs [^()]{0,80})\))+\s*$/i;
const NUMERIC = /^(?:Class )?([0-9a-f]{4}): ([0-9a-f]{4}:[0-9a-f]{4})(?![\w:])/i;
const CLASS = /^([A-Z][\w /.,()&+'-]{1,80}?)(?: \[([0-9a-f]{4})\])?: (\S.*)$/;
const TABLE = /^([A-Z][\w /.,()&+'-]{1,80}?) {2,}(\S.*)$/;
/** What scripts add behind the name. */
const DRIVER_AT_END = /\s+(?:\[?Driver: ?|Kernel driver in use: ?)([\w.-]{1,60})\]?\s*$/;
/** What pci.ids has no name for: the number is among the ids. */
const NAMELESS = /(?:^|\s)Device$/;
const IDS_AT_END = /\s*\[([0-9a-f]{4}:[0-9a-f]{4})\]\s*$/i;
const QUOTED = /"([^"]{0,300})"/g;
const CODE_AT_END = /^(.*?)\s*\[([0-9a-f]{4})\]$/i;
const HEX4 = /^[0-9a-f]{4}$/i;

/** `NVIDIA Corporation GA104 [10de:2484] (rev a1)`: name and ids, what is in parentheses left out. */
export function splitName(text: string): { readonly name: string | undefined; readonly ids: string | undefined } {
  const bare = text.replace(NOTES, '').trim();
  const ids = IDS_AT_END.exec(bare)?.[1];
  const name = ids === undefined ? bare : bare.replace(IDS_AT_END, '').trim();
  if (ids !== undefined && NAMELESS.test(name)) return { name: `${name} ${ids.slice(5).toLowerCase()}`, ids };
  return { name: name === '' ? undefined : name, ids };
}

/** A text with perhaps a code behind it, `GA104 [2484]`, or a code alone. */
function split(text: string | undefined): { readonly text: string | undefined; readonly code: string | undefined } {
  if (text === undefined || text === '') return { text: undefined, code: undefined };
  const match = CODE_AT_END.exec(text);
  if (match) return { text: match[1] === '' ? undefined : match[1], code: match[2] };
  return HEX4.test(text) ? { text: undefined, code: text } : { text, code: undefined };
}

function joined(vendor: string | undefined, device: string | undefined): string | undefined {
  return vendor === undefined || device === undefined ? undefined : `${vendor}:${device}`.toLowerCase();
}

function quoted(text: string): AboutDevice | undefined {
  const [kind, vendor, device, subVendor, subDevice] = [...text.matchAll(QUOTED)].map(([, part = '']) => split(part));
  if (!kind || !vendor || !device) return undefined;
  const name = [vendor.text, device.text].filter((part) => part !== undefined).join(' ');
  const subName = [subVendor?.text, subDevice?.text].filter((part) => part !== undefined).join(' ');
  return {
    class: kind.text ?? (kind.code === undefined ? undefined : className(kind.code)),
    name: name === '' ? undefined : name,
    ids: joined(vendor.code, device.code),
    subsystem: joined(subVendor?.code, subDevice?.code) ?? (subName === '' ? undefined : subName),
  };
}

/** Reads a label; undefined if the text is none. */
export function deviceLabel(text: string): AboutDevice | undefined {
  const driver = DRIVER_AT_END.exec(text)?.[1];
  const label = text.replace(DRIVER_AT_END, '').trim();
  const about = labelOf(label);
  return about && driver !== undefined && about.driver === undefined ? { ...about, driver } : about;
}

function labelOf(label: string): AboutDevice | undefined {
  if (label.startsWith('"')) return quoted(label);
  const numeric = NUMERIC.exec(label);
  if (numeric) return { class: className(numeric[1] ?? ''), ids: numeric[2] };
  const match = CLASS.exec(label);
  if (!match) {
    const [, kind, name = ''] = TABLE.exec(label) ?? [];
    return kind === undefined ? undefined : { class: kind, ...splitName(name) };
  }
  const [, kind, code, rest = ''] = match;
  // `lspci -n` in the middle of names: the code says more than nothing.
  if (kind !== undefined && HEX4.test(kind)) return undefined;
  return { class: kind ?? className(code ?? ''), ...splitName(rest) };
}
