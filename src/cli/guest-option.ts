// `--guest MACHINE:RAM[,OPTION…] or FILE` of several commands, and the same as the argument of `layout`.
import { parseGuest } from '../engine/picture/guests.ts';
import type { Dumps } from '../lib/dumps.ts';
import { triedGuest } from '../lib/guest.ts';
import type { InputOptions } from './dump-inputs.ts';
import type { CliIo } from './io.ts';
import { openFiles, type UnreadInput } from './open-files.ts';

/** For the help of commands. */
export const GUEST_HELP = `                 MACHINE:RAM[,OPTION…], such as pc-q35-7.2:16G,vendor=amd,phys-bits=48, q35:8G,
                 virt:16G, q35-amd:2T (see "iovascope help layout"); or a file with one guest:
                 libvirt XML or log, a QEMU command line, a Proxmox or KubeVirt definition,
                 QEMU's "info mtree". FILE#NAME is one of several guests in a file`;

export interface GivenGuest {
  readonly guest: string | Dumps;
  /** Which guest of the dumps, if it was said. */
  readonly name?: string | undefined;
  readonly unread: readonly UnreadInput[];
}

/** The guest that an argument names; a string is what is wrong with it, in one line. */
export async function guestOf(text: string, io: CliIo, options: InputOptions = {}): Promise<GivenGuest | string> {
  const machine = parseGuest(text);
  if (machine) return machine.ok ? { guest: text, unread: [] } : `'${text}': ${machine.message}`;
  const whole = await opened(text, undefined, io, options);
  const hash = text.lastIndexOf('#');
  if (typeof whole !== 'string' || hash < 1) return whole;
  const part = await opened(text.slice(0, hash), text.slice(hash + 1), io, options);
  return typeof part === 'string' && part.includes('no such file') ? whole : part;
}

async function opened(
  path: string,
  name: string | undefined,
  io: CliIo,
  options: InputOptions,
): Promise<GivenGuest | string> {
  const files = await openFiles([path], io, options);
  if (!files.ok) {
    return /^[^/.]+$/.test(path) && files.message.includes('no such file')
      ? `'${path}': expected MACHINE:RAM[,OPTION…] such as pc-q35-7.2:16G, or a file`
      : files.message;
  }
  const tried = triedGuest(files.dumps, name);
  return tried.ok ? { guest: files.dumps, name, unread: files.unread } : `${path}: ${tried.message}`;
}
