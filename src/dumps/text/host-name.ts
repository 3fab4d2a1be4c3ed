// The name of the host that a text was taken from, where what surrounds its lines certainly has it:
//
//   syslog, journal   `Feb 28 09:10:11 HOST kernel: `  `2024-02-03T01:02:03+0100 HOST qemu-system-x86_64[17]: `
//                     `[   12.345678] HOST kernel: `
//   journal as JSON   `{"_HOSTNAME":"HOST","MESSAGE":…}`; `-o verbose` and `-o export`: `_HOSTNAME=HOST`
//   prompts           `root@HOST:~# `  `[root@HOST dir]# ` (shell.ts)
//
// Some logs have no host before the tag: a name counts only before `kernel` or a tag with a process number.
import type { Prompt } from './shell.ts';

const NAME = String.raw`([A-Za-z0-9](?:[\w.-]{0,62}[A-Za-z0-9])?)`;
const AROUND = String.raw`^[>|»\s]{0,24}(?:<\d{1,3}>)?`;
const CLOCK = String.raw`\d{1,2}:\d{2}:\d{2}(?:[.,]\d{1,9})?`;
const DATE = String.raw`(?:(?:[A-Z][a-z]{2} )?[A-Z][a-z]{2} {1,2}\d{1,2}(?: \d{4})? ${CLOCK}|\d{4}-\d{2}-\d{2}[T ]${CLOCK}(?:Z|[+-]\d{2}:?\d{2})?)`;
const TAG = String.raw`(?:kernel|[\w./@-]{1,64}\[\d{1,10}\]):(?: |$)`;

const LOGS: readonly RegExp[] = [
  new RegExp(`${AROUND}${DATE} ${NAME} ${TAG}`),
  new RegExp(`${AROUND}\\[ {0,10}\\d{1,10}\\.\\d{1,9}\\] ${NAME} ${TAG}`),
  new RegExp(`"_HOSTNAME" ?: ?"${NAME}"`),
  new RegExp(`^\\s{0,16}_HOSTNAME=${NAME}$`),
];

/** Names that are an address, a number, or what containers are called, or the mark of GitLab's streams: of no host, or of none that can be told. */
const NO_NAME = /^(?:[\d.]+|\d{2}[OE]|[0-9a-f]{12}|localhost(?:\..*)?|kernel)$/;

/** The host's name that a line (as it was) or its prompt has; undefined if it has none for certain. */
export function hostNameOf(raw: string, prompt?: Prompt): string | undefined {
  const name = prompt
    ? prompt.host
    : LOGS.map((pattern) => pattern.exec(raw)?.[1]).find((found) => found !== undefined);
  return name === undefined || NO_NAME.test(name) ? undefined : name;
}

/** Names that one text may have: more than a few are not those of a host and its guests. */
const NAMES_MAX = 4;
/** Lines that are looked at in vain. */
const TRIES_MAX = 2000;
/** A prefix with a host's name is at least so long. In characters. */
const PREFIX_MIN = 10;

/** The names in one text, each once. */
export class HostNames {
  readonly #known = new Set<string>();
  #tries = 0;

  /** True if a name in a text, from `from` to `to` (exclusive), is known, or if no more names are looked for. */
  isKnown(text: string, from: number, to: number): boolean {
    for (const known of this.#known) if (known.length === to - from && text.startsWith(known, from)) return true;
    return this.#known.size >= NAMES_MAX || this.#tries >= TRIES_MAX;
  }

  /** The name that a line has; undefined if it has none, or one that was found before. `cleaned`: its text. */
  next(raw: string, cleaned: string, prompt?: Prompt): string | undefined {
    if (this.#known.size >= NAMES_MAX || this.#tries >= TRIES_MAX) return undefined;
    if (!prompt) {
      const prefixLength = raw.length - cleaned.length;
      if (prefixLength < PREFIX_MIN && !raw.includes('_HOSTNAME')) return undefined;
      // Nearly all lines of a log: without a pattern.
      const prefix = raw.slice(0, Math.max(0, prefixLength));
      for (const known of this.#known) if (prefix.includes(` ${known} `)) return undefined;
    }
    const name = hostNameOf(raw, prompt);
    if (name === undefined) {
      if (!prompt && this.#known.size === 0) this.#tries++;
      return undefined;
    }
    if (this.#known.has(name)) return undefined;
    this.#known.add(name);
    return name;
  }
}
