/** Something that this machine lacks; the message says what, in one line. */
export class NotPossible extends Error {}
