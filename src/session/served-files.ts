// How `iovascope open` passes files to the page that it serves: a list at `SERVED_PATH` + token + `/`, and below that each
// file that is not a link, by its position in the list. The token is in the page's fragment: `#files=TOKEN`.

export const SERVED_PATH = '/files/';

/** An entry of the list. `link`: the target of a symbolic link, which is recorded and not followed. */
export interface ServedEntry {
  /** Path, components separated by `/`, relative to the argument on the command line. */
  readonly name: string;
  readonly link?: string;
}

/** The token in a page's fragment, or undefined. */
export function servedToken(hash: string): string | undefined {
  return /(?:^#|&)files=([\w-]{1,200})(?:&|$)/.exec(hash)?.[1];
}
