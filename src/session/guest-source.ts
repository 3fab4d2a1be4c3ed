// What a guest's facts are called by.

/** The source of facts from a guest's own QEMU, by the guest's name (`-name`). */
export function guestSource(guest: string): string {
  return `QMP ${guest}`;
}
