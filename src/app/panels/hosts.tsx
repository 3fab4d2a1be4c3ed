import { counted, formatSize, groupedHex } from '../../iova/format.ts';
import type { IovaRange } from '../../iova/range.ts';
import { useApp } from '../state/app-state.ts';
import { copy } from '../state/clipboard.ts';
import { useAnswer } from '../state/use-answer.ts';
import { showRange } from '../state/view.ts';
import { HostKinds } from './host-kinds.tsx';
import './hosts.css';

function Ranges({ title, ranges, hint }: { title: string; ranges: readonly IovaRange[]; hint: string }) {
  return (
    <section>
      <h3>{title}</h3>
      {hint !== '' && <p className="second">{hint}</p>}
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
  const guest = useApp((s) => s.guest);
  const pageSize = useApp((s) => s.pageSize);
  const documents = useApp((s) => s.documents);
  const { value: table, error } = useAnswer('compareHosts', { selectedGroups, guest, pageSize }, documents);

  if (!table) {
    const isExpected = error === undefined || error.code === 'unusable';
    return <p className="hint">{isExpected ? 'Open two or more hosts to compare them.' : error.message}</p>;
  }
  const hasKinds = guest !== undefined || table.rows.some(({ count }) => count > 1);
  return (
    <div className="hosts" data-testid="hosts">
      <p>
        Reserved on any of {table.all}, as a copyable list: <code data-testid="paste-line">{table.line}</code>{' '}
        <button type="button" className="button" onClick={() => void copy(table.line, 'list')}>
          Copy
        </button>
      </p>
      {table.apertureUnknown !== '' && (
        <p className="second">
          The aperture of {table.apertureUnknown} is unknown: usable ranges may end lower than shown.
        </p>
      )}
      {hasKinds && <HostKinds table={table} />}
      <Ranges title="Usable on all" ranges={table.usableIntersection} hint="for a guest that may move to any of them" />
      <h3>Differences</h3>
      {table.differences.length === 0 ? (
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
            {table.differences.map((d) => (
              <tr key={d.start.toString()}>
                <td>
                  <button type="button" className="link mono" onClick={() => showRange(d.start, d.last)}>
                    {groupedHex(d.start)} – {groupedHex(d.last)}
                  </button>
                </td>
                <td>{formatSize(d.last - d.start + 1n)}</td>
                <td>{d.usableOn}</td>
                <td>{d.blockedOn}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      {table.differencesMore > 0 && <p className="second">and {counted(table.differencesMore, 'more range')}</p>}
      <div className="host-sets">
        <Ranges title="Usable on any" ranges={table.usableUnion} hint="" />
        <Ranges title="Reserved on any" ranges={table.reservedUnion} hint="" />
        <Ranges title="Reserved on all" ranges={table.reservedIntersection} hint="" />
      </div>
    </div>
  );
}
