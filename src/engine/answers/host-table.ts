// The selected hosts side by side: those that do not differ in one row, with the answer for them, and what all have in common.
import { type CommonSpace, commonSpace } from '../../analysis/space/common-space.ts';
import { compareHosts, differsLabel, HostClasses, hostsLabel, pasteLine } from '../../analysis/space/compare-hosts.ts';
import type { EngineDocument } from '../documents/document.ts';
import { type Documents, type SelectedHost, selectedHosts } from '../picture/spaces.ts';
import type { HostTable, HostTableRow, Trial } from '../protocol/answers.ts';
import { type EngineResult, failure, success } from '../protocol/result.ts';
import { answerFor } from './answer.ts';

/** Names in a row of the table. */
const NAMES_MAX = 6;
/** Rows of a table; the others are counted. */
const ROWS_MAX = 100;
/** Ranges in which hosts differ; the others are counted. */
const DIFFERENCES_MAX = 200;

/** The answer for one document; `trial` may be about a guest that another one defines. */
function answerOn(document: EngineDocument, documents: Documents, trial: Trial): HostTableRow['answer'] {
  const { guest } = trial;
  const other = guest?.kind === 'document' ? documents.get(guest.id) : undefined;
  // Of one kind of hosts, how many there are is in the row.
  const open = [{ ...document, alike: undefined }, ...(other && other !== document ? [other] : [])];
  const { severity, text } = answerFor(new Map(open.map((one) => [one.id, one])), trial).answer;
  return { severity, text };
}

/**
 * A function for what else is different on a host of a fleet than on the host that most are like: regions of groups that are
 * not compared, the kernel, registers.
 */
function wholeDifferences(shown: readonly SelectedHost[]): (document: EngineDocument) => string[] {
  const count = ({ document: { alike } }: SelectedHost) => alike?.others.length ?? 0;
  const [first, ...others] = [...shown].sort((a, b) => count(b) - count(a));
  const texts = new Map<EngineDocument, string[]>();
  for (const { document, space } of others) {
    if (!first) break;
    const { host } = document;
    const of = first.document.host;
    const [selected, all] = [
      differenceOf(space, first.space),
      differenceOf(commonSpace(host, host.groups), commonSpace(of, of.groups)),
    ];
    const registers = (one: typeof host) =>
      one.iommus.map(({ driver, cap, ecap }) => `${driver} ${cap} ${ecap}`).join();
    texts.set(document, [
      selected === all ? '' : `with all groups: ${all}`,
      host.about.kernel === of.about.kernel ? '' : `kernel ${host.about.kernel ?? 'not known'}`,
      registers(host) === registers(of) ? '' : 'registers of the IOMMUs',
    ]);
  }
  return (document) => texts.get(document) ?? [];
}

/** What is different in a space from another one, in words. */
function differenceOf(space: CommonSpace, other: CommonSpace): string {
  const { classes } = compareHosts([other, other, space]);
  return classes.map(({ differs }) => differsLabel(differs)).join('');
}

/** A few names; the count is in the row. */
function namesOf(names: readonly string[]): string {
  return names.length <= NAMES_MAX ? names.join(', ') : `${names.slice(0, NAMES_MAX).join(', ')} …`;
}

/** Compares the selected hosts; fails if there are fewer than two. `document` of the rows is the first that they show. */
export function hostTable(documents: Documents, trial: Trial): EngineResult<HostTable> {
  const shown = selectedHosts(documents, new Set(trial.selectedGroups)).filter(({ space }) => space.groups.length > 0);
  const fleet = new HostClasses();
  const names: string[] = [];
  /** Of each host that is compared, the one that is shown for it. */
  const owners: SelectedHost[] = [];
  for (const host of shown) {
    const { alike, title } = host.document;
    for (const name of [alike?.shown ?? title, ...(alike?.others ?? [])]) {
      names.push(name);
      owners.push(host);
      fleet.add(host.space);
    }
  }
  if (names.length < 2) {
    return failure('unusable', 'comparing needs two or more hosts: open another host and select its groups');
  }
  const compared = fleet.compare();
  const label = (indices: readonly number[]) =>
    hostsLabel(
      indices.map((i) => names[i] ?? ''),
      names,
    );
  const isFleet = shown.some(({ document }) => document.alike);
  const whole = isFleet ? wholeDifferences(shown) : undefined;
  const rows: HostTableRow[] = [];
  let more = 0;
  for (const { hosts, differs } of compared.classes) {
    const byAnswer = new Map<string, { readonly answer: HostTableRow['answer']; readonly hosts: number[] }>();
    const texts = new Map<SelectedHost, string>();
    for (const index of hosts) {
      const owner = owners[index];
      if (!owner) continue;
      // Beyond the rows that are listed, answers only take time.
      const isListed = rows.length + byAnswer.size < ROWS_MAX || texts.has(owner);
      const answer = texts.has(owner) || !isListed ? undefined : answerOn(owner.document, documents, trial);
      const text = texts.get(owner) ?? (answer ? `${answer.severity} ${answer.text}` : '');
      texts.set(owner, text);
      // In a fleet each kind of hosts is a row, as it is a band of the picture.
      const key = isFleet ? owner.document.id : text;
      const known = byAnswer.get(key);
      if (known) known.hosts.push(index);
      else byAnswer.set(key, { answer: answer ?? { severity: 'note', text: '' }, hosts: [index] });
    }
    for (const row of [...byAnswer.values()].sort((a, b) => b.hosts.length - a.hosts.length)) {
      if (rows.length >= ROWS_MAX) {
        more++;
        continue;
      }
      const own = [...new Set(row.hosts.flatMap((index) => owners[index]?.document ?? []))];
      rows.push({
        ids: own.map(({ id }) => id),
        count: row.hosts.length,
        names: namesOf(row.hosts.map((i) => names[i] ?? '')),
        differs: [differsLabel(differs), ...(rows.length > 0 ? own.flatMap((one) => whole?.(one) ?? []) : [])]
          .filter(Boolean)
          .join('; '),
        answer: row.answer,
        varies: [...new Set(own.flatMap(({ alike }) => alike?.varies ?? []))],
      });
    }
  }
  const { reservedUnion, reservedIntersection, usableUnion, usableIntersection, apertureUnknown } = compared;
  return success({
    hosts: names.length,
    all: label(names.map((_, i) => i)),
    apertureUnknown: label(apertureUnknown.flatMap((isUnknown, i) => (isUnknown ? [i] : []))),
    rows,
    more,
    ...{ reservedUnion, reservedIntersection, usableUnion, usableIntersection },
    differences: compared.differences.slice(0, DIFFERENCES_MAX).map(({ start, last, usableOn, blockedOn }) => ({
      start,
      last,
      usableOn: label(usableOn),
      blockedOn: label(blockedOn),
    })),
    differencesMore: Math.max(0, compared.differences.length - DIFFERENCES_MAX),
    line: pasteLine(reservedUnion),
  });
}
