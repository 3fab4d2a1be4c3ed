// A guest in one line, as people type it: MACHINE:RAM[,OPTION…]
//
//   text    = machine *("," option) ":" size *("," option)
//   option  = "vendor=" name | "cpu=" model | "phys-bits=" n | "maxmem=" size | "slots=" n | "accel=" name
//           | "version=" QEMU's | "arch=" name | "viommu=" kind | name "=" value
//
// `q35-amd` and `pc-amd` mean the machine with `vendor=amd`. Options may also precede the colon, as in QEMU's -machine. Any
// other
// name=value is an option of the machine.

import { vendorByName } from '../../dumps/formats/guest/cpu-models.ts';
import { isIova } from '../../iova/iova.ts';
import { parseSize } from '../../iova/parse.ts';
import type { GuestDefinition } from './guest-memory.ts';

export type GuestTextResult =
  | { readonly ok: true; readonly definition: GuestDefinition }
  | { readonly ok: false; readonly message: string };

const MONITORS: ReadonlySet<string> = new Set(['cloud-hypervisor', 'crosvm']);

function failed(message: string): GuestTextResult {
  return { ok: false, message };
}

/** Reads `pc-q35-7.2:16G,vendor=amd,phys-bits=48,max-ram-below-4g=2G`. */
export function parseGuestText(text: string): GuestTextResult {
  const colon = text.indexOf(':');
  const [machine = '', ...before] = text.slice(0, Math.max(colon, 0)).trim().split(',');
  const [size = '', ...after] = text.slice(colon + 1).split(',');
  if (colon < 1 || machine === '') return failed('expected MACHINE:RAM, such as pc-q35-7.2:16G');
  const ram = parseSize(size);
  if (!ram.ok) return failed(`RAM "${size.trim()}": ${ram.error.message}`);
  if (ram.value < 1n) return failed('a guest needs at least one byte of RAM');
  if (!isIova(ram.value)) return failed(`RAM "${size.trim()}": larger than 64 bits`);
  const [, short, vendor] = /^(q35|pc)-(amd|intel)$/.exec(machine) ?? [];
  let definition: GuestDefinition = {
    monitor: MONITORS.has(machine) ? machine : 'qemu',
    machine: short ?? machine,
    ...(vendor === undefined ? {} : { vendor }),
    ram: ram.value,
    options: {},
    assigned: [],
  };
  for (const entry of [...before, ...after]) {
    const option = entry.trim();
    if (option === '') continue;
    const cut = option.indexOf('=');
    const name = cut < 0 ? option : option.slice(0, cut);
    const value = cut < 0 ? 'on' : option.slice(cut + 1);
    const next = withOption(definition, name, value);
    if (typeof next === 'string') return failed(`${option}: ${next}`);
    definition = next;
  }
  return { ok: true, definition };
}

/** Adds an option to the definition, or returns what is wrong with it. If an option is repeated, the last one wins. */
function withOption(definition: GuestDefinition, name: string, value: string): GuestDefinition | string {
  switch (name) {
    case 'vendor': {
      const vendor = vendorByName(value);
      return vendor === undefined ? 'expected amd, intel, hygon or zhaoxin' : { ...definition, vendor };
    }
    case 'cpu':
      return { ...definition, cpu: value };
    case 'accel':
      return { ...definition, accelerator: value };
    case 'version':
      return { ...definition, version: value };
    case 'arch':
      return { ...definition, arch: value };
    case 'name':
      return { ...definition, name: value };
    case 'phys-bits':
    case 'slots': {
      const number = /^\d{1,3}$/.test(value) ? Number(value) : undefined;
      if (number === undefined) return 'expected a number';
      if (name === 'slots') return { ...definition, slots: number };
      return number >= 1 && number <= 64 ? { ...definition, phys_bits: number } : 'expected 1 to 64 bits';
    }
    case 'maxmem': {
      const size = parseSize(value);
      if (!size.ok) return size.error.message;
      return isIova(size.value) ? { ...definition, max_ram: size.value } : 'larger than 64 bits';
    }
    case 'max-ram-below-4g':
    case 'pci-hole64-size': {
      const size = parseSize(value);
      return size.ok ? { ...definition, options: { ...definition.options, [name]: value } } : size.error.message;
    }
    default:
      return name === '' ? 'expected NAME=VALUE' : { ...definition, options: { ...definition.options, [name]: value } };
  }
}
