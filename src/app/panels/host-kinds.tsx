// The kinds of hosts of a fleet: how many, which, what differs, and the answer for them.
import { Fragment, useId, useState } from 'react';
import type { HostTable, HostTableRow } from '../../engine/protocol/answers.ts';
import { variesLabel } from '../../engine/protocol/varying.ts';
import { counted, groupedDecimal } from '../../iova/format.ts';
import { useApp } from '../state/app-state.ts';
import { openMember } from '../state/fleet.ts';
import { useAnswer } from '../state/use-answer.ts';

/** Names that are listed at once. */
const LISTED_MAX = 60;

/** The hosts of a row by name, each of which can become a host of its own. */
function Members({ row: { ids, varies } }: { readonly row: HostTableRow }) {
  const documents = useApp((s) => s.documents);
  const isBusy = useApp((s) => s.busy !== undefined);
  const [text, setText] = useState('');
  const { value: members } = useAnswer('members', { ids, text, limit: LISTED_MAX }, documents);
  const differs = variesLabel(varies);
  const more = members ? members.found - members.rows.length : 0;
  return (
    <div className="members" data-testid="members">
      {differs !== '' && <p className="second">Between them differ, and are shown of one host only: {differs}.</p>}
      <label>
        Find a host{' '}
        <input type="search" value={text} spellCheck={false} onChange={(event) => setText(event.target.value)} />
      </label>
      <ul>
        {members?.rows.map(({ id, name, isShown, canOpen }) => (
          <li key={`${id} ${name}`}>
            {name} {isShown && <span className="second">shown</span>}
            {canOpen && (
              <button
                type="button"
                className="link"
                disabled={isBusy}
                aria-label={`Open ${name} as a host of its own`}
                title="Read its dump again, as a host of its own"
                onClick={() => void openMember(id, name)}
              >
                open
              </button>
            )}
          </li>
        ))}
      </ul>
      {members?.rows.some(({ isShown, canOpen }) => !isShown && !canOpen) && (
        <p className="hint">
          The dumps of these hosts are not kept with a saved case or session file. To open one by itself, open its dump
          again, or those of the whole fleet.
        </p>
      )}
      {members?.rows.length === 0 && <p className="hint">No host has this in its name.</p>}
      {more > 0 && <p className="second">and {counted(more, 'more host')}</p>}
    </div>
  );
}

/** Hosts that differ neither in a range nor in the answer are one row. */
export function HostKinds({ table }: { readonly table: HostTable }) {
  const { rows, more } = table;
  const prefix = useId();
  /** The first document of the row whose hosts are listed. */
  const [open, setOpen] = useState<string>();
  return (
    <>
      <h3>Kinds of hosts</h3>
      <table className="host-kinds" data-testid="alike">
        <caption className="visually-hidden">Hosts that do not differ are one row</caption>
        <thead>
          <tr>
            <th scope="col">Hosts</th>
            <th scope="col">Names</th>
            <th scope="col">Differs from the first row</th>
            <th scope="col">Answer</th>
          </tr>
        </thead>
        <tbody>
          {rows.map((row, i) => {
            const [key = ''] = row.ids;
            const isOpen = open === key;
            const id = `${prefix}${i}`;
            return (
              <Fragment key={key}>
                <tr>
                  <td className="number">{groupedDecimal(BigInt(row.count))}</td>
                  <td>
                    {row.names}{' '}
                    {row.count > 1 && (
                      <button
                        type="button"
                        className="link"
                        aria-expanded={isOpen}
                        aria-controls={isOpen ? id : undefined}
                        aria-label={`${isOpen ? 'Hide' : 'List'} the ${row.count} hosts of row ${i + 1}`}
                        onClick={() => setOpen(isOpen ? undefined : key)}
                      >
                        {isOpen ? 'hide' : 'list'}
                      </button>
                    )}
                  </td>
                  <td>{row.differs || (i === 0 ? '' : 'no range: see the answer')}</td>
                  <td className={`answer-${row.answer.severity}`}>{row.answer.text}</td>
                </tr>
                {isOpen && (
                  <tr id={id}>
                    <td colSpan={4}>
                      <Members row={row} />
                    </td>
                  </tr>
                )}
              </Fragment>
            );
          })}
        </tbody>
      </table>
      {more > 0 && <p className="second">and {counted(more, 'more kind')}</p>}
    </>
  );
}
