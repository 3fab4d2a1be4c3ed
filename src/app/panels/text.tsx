import { useEffect, useRef, useState } from 'react';
import type { SourceText } from '../../engine/protocol/documents.ts';
import { counted } from '../../iova/format.ts';
import { type TextPlace, useApp } from '../state/app-state.ts';
import { engine } from '../state/engine.ts';
import { selectEvent } from '../state/selection.ts';
import { showText } from '../state/tabs.ts';
import './text.css';

const PAGE = 300;

function Lines({ place, text }: { place: TextPlace; text: SourceText }) {
  const current = useRef<HTMLTableRowElement>(null);
  useEffect(() => {
    if (place.line >= (text.lines[0]?.number ?? 0)) current.current?.scrollIntoView({ block: 'center' });
  }, [place, text]);
  return (
    <table className="source-text" data-testid="source-text">
      <caption className="visually-hidden">Text of {text.source}, with what was recognized</caption>
      <tbody>
        {text.lines.map((line) => {
          const isCurrent = line.number === place.line;
          const kind = line.facts.length > 0 ? 'recognized' : line.isUnrecognized ? 'left-over' : 'read';
          return (
            <tr
              key={line.number}
              ref={isCurrent ? current : undefined}
              className={`text-${kind}${isCurrent ? ' current' : ''}`}
              aria-current={isCurrent ? 'true' : undefined}
            >
              <th scope="row">{line.number}</th>
              <td>
                <pre>{line.text}</pre>
              </td>
              <td>
                {line.facts.slice(0, 3).map((fact) => (
                  <button
                    key={fact.position}
                    type="button"
                    className="link"
                    onClick={() => void selectEvent(place.id, fact.position)}
                  >
                    {fact.kind}
                  </button>
                ))}
                {line.facts.length > 3 && <span className="second">+{line.facts.length - 3}</span>}
                {line.isUnrecognized && <span className="visually-hidden">not understood</span>}
              </td>
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}

/** The text of a source as it was read, with what was recognized in each line, and a way from each fact to the picture. */
export function TextPanel() {
  const documents = useApp((s) => s.documents);
  const chosen = useApp((s) => s.text);
  const firstDocument = documents[0];
  const firstSource = firstDocument?.texts[0];
  const fallback: TextPlace | undefined =
    firstDocument && firstSource ? { id: firstDocument.id, source: firstSource, line: 1 } : undefined;
  const isOpen = chosen !== undefined && documents.some(({ id }) => id === chosen.id);
  const place = isOpen ? chosen : fallback;
  const [text, setText] = useState<SourceText>();
  const [problem, setProblem] = useState('');
  const from = place ? Math.max(1, place.line - Math.floor(PAGE / 3)) : 1;
  const [page, setPage] = useState<{ readonly place: TextPlace | undefined; readonly from: number }>();
  const start = page && page.place === chosen ? page.from : from;
  const { id, source } = place ?? {};

  useEffect(() => {
    if (id === undefined || source === undefined) return;
    let stale = false;
    void engine()
      .call('text', { id, source, from: start, limit: PAGE })
      .then((answer) => {
        if (stale) return;
        setText(answer.ok ? answer.value : undefined);
        setProblem(answer.ok ? '' : answer.error.message);
      });
    return () => {
      stale = true;
    };
  }, [id, source, start]);

  if (!place) return <p className="hint">Nothing with a text of its own is open.</p>;
  const options = documents.flatMap((d) => d.texts.map((source) => ({ id: d.id, source, title: d.title })));
  const isListed = options.some((o) => o.id === place.id && o.source === place.source);
  const lastLine = text?.lines.at(-1)?.number ?? start;
  const recognized = text?.lines.filter((line) => line.facts.length > 0).length ?? 0;
  return (
    <div className="text-panel">
      <p className="pager">
        <label>
          Source{' '}
          <select
            value={`${place.id} ${place.source}`}
            onChange={(event) => {
              const option = options.find((o) => `${o.id} ${o.source}` === event.target.value);
              if (option) showText({ id: option.id, source: option.source, line: 1 });
            }}
          >
            {!isListed && <option value={`${place.id} ${place.source}`}>{place.source}</option>}
            {options.map((o) => (
              <option key={`${o.id} ${o.source}`} value={`${o.id} ${o.source}`}>
                {o.source === o.title ? o.source : `${o.source} (${o.title})`}
              </option>
            ))}
          </select>
        </label>
        <button
          type="button"
          className="button"
          disabled={start <= 1}
          onClick={() => setPage({ place: chosen, from: Math.max(1, start - PAGE) })}
        >
          Earlier
        </button>
        <span>
          lines {start} to {lastLine}
          {text?.total !== undefined && ` of ${text.total}`}, {counted(recognized, 'line')} with facts; faint ones were
          not understood
        </span>
        <button
          type="button"
          className="button"
          disabled={text === undefined || text.lines.length < PAGE}
          onClick={() => setPage({ place: chosen, from: start + PAGE })}
        >
          Later
        </button>
      </p>
      {problem !== '' && <p className="severity-error">{problem}</p>}
      {text && text.source === place.source && <Lines place={place} text={text} />}
    </div>
  );
}
