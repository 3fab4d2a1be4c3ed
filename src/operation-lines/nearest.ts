// The known word that somebody probably meant.

/** Typing mistakes between two words: inserted, missing, wrong or swapped characters. O(n·m). */
function mistakes(a: string, b: string): number {
  let before: number[] = [];
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const isSame = a[i - 1] === b[j - 1];
      let cost = Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, (row[j - 1] ?? 0) + (isSame ? 0 : 1));
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        cost = Math.min(cost, (before[j - 2] ?? 0) + 1);
      }
      next.push(cost);
    }
    before = row;
    row = next;
  }
  return row[b.length] ?? 0;
}

/** The candidate with the fewest typing mistakes, of equal ones the first; undefined if none is near. */
export function nearestWord(word: string, candidates: Iterable<string>): string | undefined {
  const typed = word.slice(0, 64).toLowerCase();
  // Of a short word one character may be wrong, of a longer one every third.
  let fewest = Math.max(1, Math.floor(typed.length / 3)) + 1;
  let nearest: string | undefined;
  for (const candidate of candidates) {
    if (candidate === word || Math.abs(candidate.length - typed.length) >= fewest) continue;
    const count = mistakes(typed, candidate.toLowerCase());
    if (count >= fewest || count >= candidate.length) continue;
    fewest = count;
    nearest = candidate;
  }
  return nearest;
}
