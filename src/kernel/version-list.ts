/** `5.10, 6.1` or `6.18 to 7.3` if they are neighbours among all. */
export function versionList(versions: readonly string[], all: readonly string[]): string {
  const runs: string[][] = [];
  for (const version of versions) {
    const last = runs.at(-1);
    if (last && all.indexOf(version) === all.indexOf(last.at(-1) ?? '') + 1) last.push(version);
    else runs.push([version]);
  }
  return runs.map((run) => (run.length > 2 ? `${run[0]} to ${run.at(-1)}` : run.join(', '))).join(', ');
}
