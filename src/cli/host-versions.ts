// The conflicts of dumps by version of the kernel, for `versions`.

import { versionList } from '../kernel/version-list.ts';
import { engineWith, select } from '../lib/opened.ts';
import type { CliIo, ExitCode } from './io.ts';
import { exitWith, openFiles } from './open-files.ts';

export type HostVersions =
  | { readonly ok: true; readonly differing: number; readonly code: ExitCode }
  | { readonly ok: false; readonly message: string };

/** Prints the conflicts that appear or disappear with the version. The files are one host unless they contradict. */
export async function hostVersions(paths: readonly string[], io: CliIo, asJson: boolean): Promise<HostVersions> {
  const opened = await openFiles(paths, io);
  if (!opened.ok) return opened;
  const { documents, unread } = opened;
  const ask = engineWith(documents);
  const { versions, rows, common } = await ask('conflictVersions', { selectedGroups: select(documents).keys });
  for (const row of rows) {
    const { severity, rule, errno, title, message } = row;
    if (asJson) {
      const conflict = { kind: 'conflict-versions', severity, rule, errno, text: title, reason: message };
      io.stdout(`${JSON.stringify({ ...conflict, versions: row.versions })}\n`);
      continue;
    }
    const missing = versions.filter((version) => !row.versions.includes(version));
    const answer = errno === undefined ? '' : ` (${errno})`;
    io.stdout(`${severity}: ${title}${answer}\n`);
    io.stdout(`  on ${versionList(row.versions, versions)}; not on ${versionList(missing, versions)}\n`);
    io.stdout(`  ${message}\n`);
  }
  const total = { conflicts: common, differing: rows.length };
  io.stdout(
    asJson
      ? `${JSON.stringify(total)}\n`
      : `${rows.length} conflicts depend on the version, ${common} do not (${versions[0]} to ${versions.at(-1)})\n`,
  );
  return { ok: true, differing: rows.length, code: exitWith(0, 'versions', unread, io) };
}
