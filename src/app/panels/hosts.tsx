import { hostsLabel } from '../../analysis/space/compare-hosts.ts';
import { formatSize, groupedHex } from '../../iova/format.ts';
import type { IovaRange } from '../../iova/range.ts';
import { useApp } from '../state/app-state.ts';
import { copy } from '../state/clipboard.ts';
import { useAnswer } from '../state/use-answer.ts';
import { showRange } from '../state/view.ts';
import './hosts.css';

function Ranges({ title, ranges, hint }: { title: string; ranges: readonly IovaRange[]; hint: string }) {
  return (
    <section>
      <h3>{title}</h3>
      <p className="second">{hint}</p>
      <ul>
        {ranges.slice(0, 60).map((r) => (
          <li key={r.start.toString()}>
            <button type="button" className="link mono" onClick={() => showRange(r.start, r.last)}>
              {groupedHex(r.start)} – {groupedHex(r.last)}
            </button>{' '}
            <span className="second">{formatSize(r.last - r.start + 1n)}</span>
          </li>
        ))}
        {ranges.length > 60 && <li className="second">and {ranges.length - 60} more</li>}
        {ranges.length === 0 && <li className="hint">none</li>}
      </ul>
    </section>
  );
}

/** Several hosts compared: what a guest that migrates between them can use. */
export function HostsPanel() {
  const selectedGroups = useApp((s) => s.selectedGroups);
  const documents = useApp((s) => s.documents);
  const { value: compared, error } = useAnswer('compareHosts', { selectedGroups }, documents);

  if (!compared) {
    const isExpected = error === undefined || error.code === 'unusable';
    return <p className="hint">{isExpected ? 'Open two or more hosts to compare them.' : error.message}</p>;
  }
  const unknown = compared.hosts.filter((host) => !host.isApertureKnown).map(({ title }) => title);
  const all = compared.hosts.map(({ title }) => title);
  const label = (names: readonly string[]) => hostsLabel(names, all);
  return (
    <div className="hosts" data-testid="hosts">
      <p>
        Reserved on any of {label(all)}, as a copyable list: <code data-testid="paste-line">{compared.line}</code>{' '}
        <button type="button" className="button" onClick={() => void copy(compared.line, 'list')}>
          Copy
        </button>
      </p>
      {unknown.length > 0 && (
        <p className="second">The aperture of {label(unknown)} is unknown: usable ranges may end lower than shown.</p>
      )}
      {compared.classes.some(({ hosts }) => hosts.length > 1) && (
        <>
          <h3>Identical hosts</h3>
          <ul data-testid="alike">
            {compared.classes.slice(0, 60).map(({ hosts, differs }) => (
              <li key={hosts[0]}>
                {label(hosts)}
                {differs !== '' && `: ${differs}`}
              </li>
            ))}
            {compared.classes.length > 60 && <li className="second">and {compared.classes.length - 60} more</li>}
          </ul>
        </>
      )}
      <h3>Differences</h3>
      {compared.differences.length === 0 ? (
        <p className="hint">The hosts have identical ranges.</p>
      ) : (
        <table>
          <thead>
            <tr>
              <th scope="col">Range (inclusive)</th>
              <th scope="col">Size</th>
              <th scope="col">Usable on</th>
              <th scope="col">Blocked on</th>
            </tr>
          </thead>
          <tbody>
            {compared.differences.slice(0, 200).map((d) => (
              <tr key={d.start.toString()}>
                <td>
                  <button type="button" className="link mono" onClick={() => showRange(d.start, d.last)}>
                    {groupedHex(d.start)} – {groupedHex(d.last)}
                  </button>
                </td>
                <td>{formatSize(d.last - d.start + 1n)}</td>
                <td>{label(d.usableOn)}</td>
                <td>{label(d.blockedOn)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      <div className="host-sets">
        <Ranges
          title="Usable on all"
          ranges={compared.usableIntersection}
          hint="for a guest that migrates between them"
        />
        <Ranges title="Usable on any" ranges={compared.usableUnion} hint="" />
        <Ranges title="Reserved on any" ranges={compared.reservedUnion} hint="" />
        <Ranges title="Reserved on all" ranges={compared.reservedIntersection} hint="" />
      </div>
    </div>
  );
}
