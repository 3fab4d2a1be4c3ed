// The order of lessons: what the `after` of a lesson names.
import { nearestWord } from '../operation-lines/nearest.ts';
import type { LessonHead, LessonProblem } from './lesson.ts';

/** The name by which other lessons name a file of one: without folders and ending. */
export function lessonName(path: string): string {
  return path.replace(/^.*[/\\]/, '').replace(/\.md$/i, '');
}

/** The lessons that come first and are not among `known`; the lesson itself is `name`. */
export function orderProblems(
  { after = [], afterLines = [] }: Pick<LessonHead, 'after' | 'afterLines'>,
  name: string,
  known: Iterable<string>,
): LessonProblem[] {
  const names = new Set(known);
  return after.flatMap((other, i): LessonProblem[] => {
    const line = afterLines[i] ?? 1;
    if (other === name) return [{ line, message: `after: the lesson '${other}' cannot come after itself` }];
    if (names.has(other)) return [];
    const nearest = nearestWord(other, names);
    const hint = nearest === undefined ? '' : `; did you mean '${nearest}'?`;
    return [{ line, message: `after: there is no lesson '${other}'${hint}` }];
  });
}
