import { useEffect, useState } from 'react';
import type { HostsCompared } from '../../engine/protocol/answers.ts';
import { formatSize, groupedHex } from '../../iova/format.ts';
import type { IovaRange } from '../../iova/range.ts';
import { copy } from '../canvas/picture.ts';
import { useApp } from '../state/app-state.ts';
import { engine } from '../state/engine.ts';
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
        {ranges.length === 0 && <li className="hint">nothing</li>}
      </ul>
    </section>
  );
}

/** Several hosts side by side: what a guest that moves between them must keep free. */
export function HostsPanel() {
  const selectedGroups = useApp((s) => s.selectedGroups);
  const documents = useApp((s) => s.documents);
  const [compared, setCompared] = useState<HostsCompared>();
  const [reason, setReason] = useState('');

  // biome-ignore lint/correctness/useExhaustiveDependencies: what is open changes the answer
  useEffect(() => {
    let stale = false;
    void engine()
      .call('compareHosts', { selectedGroups })
      .then((answer) => {
        if (stale) return;
        setCompared(answer.ok ? answer.value : undefined);
        setReason(answer.ok ? '' : answer.error.message);
      });
    return () => {
      stale = true;
    };
  }, [selectedGroups, documents]);

  if (!compared) return <p className="hint">To compare hosts, {reason}.</p>;
  const unknown = compared.hosts.filter((host) => !host.isApertureKnown).map(({ title }) => title);
  return (
    <div className="hosts" data-testid="hosts">
      <p>
        Reserved on any of {compared.hosts.map(({ title }) => title).join(', ')}, to paste:{' '}
        <code data-testid="paste-line">{compared.line}</code>{' '}
        <button type="button" className="button" onClick={() => void copy(compared.line, 'line')}>
          Copy
        </button>
      </p>
      {unknown.length > 0 && (
        <p className="second">How far the IOMMU reaches is not known of {unknown.join(', ')}: the upper end is open.</p>
      )}
      <h3>Where they differ</h3>
      {compared.differences.length === 0 ? (
        <p className="hint">They agree everywhere.</p>
      ) : (
        <table>
          <thead>
            <tr>
              <th scope="col">Range (inclusive)</th>
              <th scope="col">Size</th>
              <th scope="col">Usable on</th>
              <th scope="col">Not on</th>
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
                <td>{d.usableOn.join(', ')}</td>
                <td>{d.blockedOn.join(', ')}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      <div className="host-sets">
        <Ranges title="Usable on all" ranges={compared.usableIntersection} hint="for a guest that moves between them" />
        <Ranges title="Usable on any" ranges={compared.usableUnion} hint="" />
        <Ranges title="Reserved on any" ranges={compared.reservedUnion} hint="" />
        <Ranges title="Reserved on all" ranges={compared.reservedIntersection} hint="" />
      </div>
    </div>
  );
}
