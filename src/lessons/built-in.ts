// The lessons that come with the program.

const FILES = import.meta.glob<string>('./library/*.md', { query: '?raw', import: 'default' });

const nameOf = (path: string) => path.replace(/^.*\/|\.md$/g, '');

/** Names of all lessons, in order. */
export const LESSON_NAMES: readonly string[] = Object.keys(FILES).map(nameOf).sort();

/** The text of a lesson; undefined if there is none of this name. Rejects if it cannot be loaded. */
export async function lessonText(name: string): Promise<string | undefined> {
  const path = `./library/${name}.md`;
  return Object.hasOwn(FILES, path) ? FILES[path]?.() : undefined;
}
