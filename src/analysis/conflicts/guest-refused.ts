// A guest that its VMM would not start, whatever the host is.
import type { Conflict } from './conflict.ts';
import type { GuestLayout } from './guest.ts';

/** Why the VMM would not start a guest, if it would not. */
export function refusedGuest({ title, refusal, provenance = [] }: GuestLayout): Conflict[] {
  if (refusal === undefined) return [];
  return [
    {
      id: `guest-refused ${title}`,
      rule: 'guest-refused',
      severity: 'fatal',
      title: `${title} would not start: ${refusal}`,
      message: `The monitor compares them before it starts the guest: ${refusal}.`,
      remedy: 'Increase phys-bits of the guest (host-phys-bits=on), or use less memory and smaller PCI windows.',
      marks: [],
      provenance,
      answer: `${title} would not start: ${refusal}. Increase phys-bits of the guest (host-phys-bits=on), or use less memory.`,
      remedies: [{ text: 'Increase phys-bits of the guest', copy: '-cpu host,host-phys-bits=on' }],
    },
  ];
}
