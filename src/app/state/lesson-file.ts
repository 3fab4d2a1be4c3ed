// A Markdown file that was dropped or picked: a lesson, if it begins as one does.
import type { InputFile } from '../../engine/protocol/documents.ts';
import { openLesson } from './lesson-reader.ts';

/** More characters are no lesson that somebody wrote. */
const SIZE_MAX = 2_000_000;

/** Front matter at the start, or a block of a lesson: reports in Markdown have neither. */
function isLesson(text: string): boolean {
  return /^\ufeff?\s*---\s*\r?\n/.test(text) || /^```ops\s*$/m.test(text);
}

/** Opens a lesson in the reader. False if the file is none: then it is opened as any other. */
export async function openLessonFile({ name, data }: InputFile): Promise<boolean> {
  if (data.size > SIZE_MAX) return false;
  const text = await data.text();
  if (!isLesson(text)) return false;
  await openLesson({ file: name.replace(/^.*\//, ''), text });
  return true;
}
