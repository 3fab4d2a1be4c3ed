import type { Dumps } from './dumps.ts';

/**
 * `pc-q35-7.2:16G,vendor=amd`, `q35:8G`, or dumps of one guest: its own definition (a command line, libvirt XML …), or where
 * its memory is (QEMU's `info mtree`).
 */
export type GuestInput = string | Dumps;
