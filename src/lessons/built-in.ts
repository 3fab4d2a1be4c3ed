// The lessons that come with the program.
import { parsePracticeName } from './practice-name.ts';

const FILES = import.meta.glob<string>('./library/*.md', { query: '?raw', import: 'default' });

const nameOf = (path: string) => path.replace(/^.*\/|\.md$/g, '');

/** Names of all lessons, in order. */
export const LESSON_NAMES: readonly string[] = Object.keys(FILES).map(nameOf).sort();

/** True for a lesson of the program, and for exercises by their name. */
export function isLessonName(name: string): boolean {
  return LESSON_NAMES.includes(name) || parsePracticeName(name) !== undefined;
}

/** The text of a lesson; undefined if there is none of this name. Rejects if it cannot be loaded. */
export async function lessonText(name: string): Promise<string | undefined> {
  const practice = parsePracticeName(name);
  if (practice) return (await import('./practice.ts')).practiceLesson(practice);
  const path = `./library/${name}.md`;
  return Object.hasOwn(FILES, path) ? FILES[path]?.() : undefined;
}

/** What a list of lessons shows of one. */
export interface LessonEntry {
  readonly name: string;
  readonly title: string;
  readonly audience: string | undefined;
  readonly minutes: string | undefined;
  /** Names of the lessons that come first. */
  readonly after: readonly string[];
}

/** The lessons that come with the program, in order. Rejects if they cannot be loaded. */
export function lessonEntries(): Promise<LessonEntry[]> {
  return Promise.all(
    LESSON_NAMES.map(async (name) => {
      const text = (await lessonText(name)) ?? '';
      // Front matter of our own files: `library.test.ts` reads all of them in full.
      const field = (key: string) => new RegExp(`^${key}: ["']?(.*?)["']?$`, 'm').exec(text)?.[1];
      const after = field('after')?.split(', ') ?? [];
      return { name, title: field('title') ?? name, audience: field('audience'), minutes: field('minutes'), after };
    }),
  );
}
