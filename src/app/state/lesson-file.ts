// Decides whether a Markdown file that was dropped or picked is a lesson.
import type { InputFile } from '../../engine/protocol/documents.ts';
import { addOwnLessons, closeLesson, openLesson, openReader } from './lesson-reader.ts';
import { notify } from './notices.ts';

/** Files with more characters are not lessons. */
const SIZE_MAX = 2_000_000;

/** True if the text has front matter or a block of a lesson: Markdown reports have neither. */
function isLesson(text: string): boolean {
  return /^\ufeff?\s*---\s*\r?\n/.test(text) || /^```ops\s*$/m.test(text);
}

/**
 * Takes files that were opened together as lessons: one is read, several are listed. False if one of them is not a lesson:
 * they are then opened like any other files.
 */
export async function openLessonFiles(files: readonly InputFile[]): Promise<boolean> {
  const lessons: { file: string; text: string }[] = [];
  for (const { name, data } of files) {
    if (data.size > SIZE_MAX) return false;
    const text = await data.text();
    // What a folder of lessons says of itself.
    if (files.length > 1 && /(?:^|\/)readme\.md$/i.test(name)) continue;
    if (!isLesson(text)) return false;
    lessons.push({ file: name.replace(/^.*\//, ''), text });
  }
  const [first, ...more] = lessons;
  if (!first) return false;
  await addOwnLessons(lessons);
  if (more.length === 0) await openLesson(first);
  else {
    await closeLesson();
    openReader();
    notify(`${lessons.length} lessons were added to the list`);
  }
  return true;
}
