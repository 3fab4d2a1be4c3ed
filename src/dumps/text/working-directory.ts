// The working directory of commands in a pasted shell session, as far as prompts and `cd` show it.

import { pathComponents } from '../fields/sysfs-path.ts';
import type { DumpLine } from '../format.ts';

const CHANGE = /(?:^|[;&|(]\s{0,8}|\bdo\s{1,8})(?:cd|pushd)(?![\w-])(?:[ \t]{1,8}(?:--[ \t]{1,8})?([^\s;&|]{1,300}))?/g;

export class WorkingDirectory {
  /** Components of the path; perhaps only its end. Undefined if nothing is known. */
  components: readonly string[] | undefined;

  /** Uses what the line's prompt shows: a path, or the last component of one. */
  prompt(line: DumpLine): void {
    const directory = line.prompt?.directory;
    if (directory === undefined) return;
    if (directory.startsWith('/')) this.components = pathComponents(directory);
    else if (directory.startsWith('~')) this.components = undefined;
    else if (this.components?.at(-1) !== directory) this.components = pathComponents(directory);
  }

  /** Follows every `cd` and `pushd` of a command. True if there was one. */
  command(text: string): boolean {
    if (!text.includes('cd') && !text.includes('pushd')) return false;
    let changed = false;
    for (const match of text.matchAll(CHANGE)) {
      const target = match[1]?.replace(/^["']|["']$/g, '');
      changed = true;
      const unknown = target === undefined || target === '-' || target.startsWith('~') || target.includes('$');
      this.components = unknown ? undefined : this.resolve(target);
    }
    return changed;
  }

  /** Components of a path that a command names. */
  resolve(path: string): string[] {
    if (path.startsWith('/') || !this.components) return pathComponents(path);
    return pathComponents([...this.components, path].join('/'));
  }
}
