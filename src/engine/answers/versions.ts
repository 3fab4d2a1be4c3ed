// What kernels of several versions answer: the operations of a session, and the conflicts of the case.
import type { CaseAnswer } from '../../analysis/answer/answer.ts';
import { underKernel } from '../../analysis/host/iommu-aperture.ts';
import { versionList } from '../../kernel/version-list.ts';
import type { EngineDocument } from '../documents/document.ts';
import type { Documents } from '../picture/spaces.ts';
import type { ConflictRow, Trial } from '../protocol/answers.ts';
import type { Params } from '../protocol/methods.ts';
import { type EngineResult, failure, success } from '../protocol/result.ts';
import type { ConflictVersions, SessionVersions } from '../protocol/sessions.ts';
import { answerFor } from './answer.ts';
import { eventSentence } from './event-label.ts';
import { outcomeText } from './event-text.ts';

/** The operations of a document's session that versions answer differently. */
export async function sessionVersions(
  document: EngineDocument,
  { model, limit }: Params<'versions'>,
): Promise<EngineResult<SessionVersions>> {
  const [{ compareVersions, verdictOf }, { changeOf, sinceText }] = await Promise.all([
    import('../../kernel/replay/versions.ts'),
    import('../../kernel/version-changes.ts'),
  ]);
  const name = model ?? document.model;
  const compared = compareVersions(document.session, { limit, ...(name === undefined ? {} : { model: name }) });
  if (!compared.ok) return failure('unusable', compared.message);
  const { differences, ...rest } = compared.comparison;
  return success({
    ...rest,
    rows: differences.flatMap(({ index, answers, changes }) => {
      const event = document.session.events.at(index);
      if (!event) return [];
      return [
        {
          position: index + 1,
          text: eventSentence(event),
          verdict: verdictOf({ answers }),
          answers: answers.map(({ versions, works, outcome }) => ({
            versions,
            versionsLabel: versionList(versions, compared.comparison.versions),
            works,
            ...outcomeText(outcome),
          })),
          changes: changes.map((change) => {
            const about = changeOf(change);
            return { name: change, since: sinceText(about), was: about.was, now: about.now, source: about.source };
          }),
        },
      ];
    }),
  });
}

/** Conflicts are the same if their rule and their ranges are; the errno and the text may differ. */
function keyOf({ document, rule, marks, errno, title }: ConflictRow): string {
  const ranges = marks.map(({ role, start, last }) => `${role} ${start}-${last}`);
  return [document, rule, ...ranges, marks.length === 0 ? title : '', errno ?? ''].join(' ');
}

/** The conflicts of the case that depend on the kernel version, for the current selection and guest. */
export async function conflictVersions(documents: Documents, trial: Trial): Promise<EngineResult<ConflictVersions>> {
  const { RECORDED_VERSIONS } = await import('../../kernel/version-changes.ts');
  const versions: readonly string[] = RECORDED_VERSIONS;
  type Row = Omit<ConflictVersions['rows'][number], 'versionsLabel'>;
  const found = new Map<string, Row & { versions: string[] }>();
  const bySeverity = new Map<CaseAnswer['severity'], string[]>();
  for (const version of versions) {
    const chosen = new Map(
      [...documents].map(([id, document]) => [
        id,
        document.kind === 'host'
          ? { ...document, kernel: version, host: underKernel(document.host, version) }
          : document,
      ]),
    );
    const { answer, rows } = answerFor(chosen, trial);
    bySeverity.set(answer.severity, [...(bySeverity.get(answer.severity) ?? []), version]);
    for (const row of rows) {
      const key = keyOf(row);
      const known = found.get(key);
      if (known?.versions.at(-1) === version) continue;
      if (known) known.versions.push(version);
      else {
        const { severity, rule, errno, title, message } = row;
        found.set(key, { document: row.document, severity, rule, errno, title, message, versions: [version] });
      }
    }
  }
  const rows = [...found.values()].map((row) => ({ ...row, versionsLabel: versionList(row.versions, versions) }));
  return success({
    versions,
    verdicts: [...bySeverity].map(([severity, those]) => ({
      severity,
      versions: those,
      versionsLabel: versionList(those, versions),
    })),
    rows: rows.filter((row) => row.versions.length < versions.length),
    common: rows.filter((row) => row.versions.length === versions.length).length,
  });
}
