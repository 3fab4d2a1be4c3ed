import type { AddressRange } from './facts.ts';
import type { GuestInput } from './guest-input.ts';

export interface RenderOptions {
  /** Pixels, 320 to 8192; 1280 if absent. */
  readonly width?: number;
  /** `light` if absent. */
  readonly theme?: 'light' | 'dark';
  /** `fold` (gaps compressed) if absent. */
  readonly scale?: 'fold' | 'linear' | 'log';
  /** Only these addresses; everything if absent. */
  readonly range?: AddressRange;
  /** Numbers of the IOMMU groups; all that can be assigned if absent. */
  readonly groups?: readonly string[];
  /** A guest to try on the hosts: `pc-q35-7.2:16G,vendor=amd`, or dumps with one guest. */
  readonly guest?: GuestInput;
  /** Which of several guests in the dumps of `guest`. */
  readonly guestName?: string | undefined;
  /** Version of the kernel whose rules answer, `6.1`; that of the dumps if absent. */
  readonly kernel?: string | undefined;
  /** True to replace names of hosts, files, guests and objects, pointers and free text. */
  readonly redact?: boolean;
  /** A title in place of that of the picture, and what a person writes about it. */
  readonly title?: string;
  readonly notes?: string;
}
