// Decides whether a Markdown file that was dropped or picked is a lesson.
import type { InputFile } from '../../engine/protocol/documents.ts';
import { openLesson } from './lesson-reader.ts';

/** Files with more characters are not lessons. */
const SIZE_MAX = 2_000_000;

/** True if the text has front matter or a block of a lesson: Markdown reports have neither. */
function isLesson(text: string): boolean {
  return /^\ufeff?\s*---\s*\r?\n/.test(text) || /^```ops\s*$/m.test(text);
}

/** Opens a lesson in the reader. False if the file is not a lesson; it is then opened like any other file. */
export async function openLessonFile({ name, data }: InputFile): Promise<boolean> {
  if (data.size > SIZE_MAX) return false;
  const text = await data.text();
  if (!isLesson(text)) return false;
  await openLesson({ file: name.replace(/^.*\//, ''), text });
  return true;
}
