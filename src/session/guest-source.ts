// The source name of a guest's own facts.

/** The source of facts from a guest's own QEMU, by the guest's name (`-name`). */
export function guestSource(guest: string): string {
  return `QMP ${guest}`;
}
