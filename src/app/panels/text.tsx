import { useEffect, useState } from 'react';
import type { DocumentNode, SourceLine } from '../../engine/protocol/documents.ts';
import { type EngineResult, success } from '../../engine/protocol/result.ts';
import { counted } from '../../iova/format.ts';
import { Cell, LongTable, RowHeader } from '../lists/long-table.tsx';
import { useVirtualRows } from '../lists/use-virtual-rows.ts';
import { type TextPlace, useApp } from '../state/app-state.ts';
import { engine } from '../state/engine.ts';
import { selectEvent } from '../state/selection.ts';
import { showText } from '../state/tabs.ts';
import { usePages } from '../state/use-pages.ts';
import './text.css';

const ROW_HEIGHT = 21;
const FACTS_SHOWN = 3;
/** While the end of a source is not known, this many lines are assumed after the last one that is known. */
const LINES_AHEAD = 300;

type LineKind = 'recognized' | 'left-over' | 'read';

function kindOf({ facts, isUnrecognized }: SourceLine): LineKind {
  if (facts.length > 0) return 'recognized';
  return isUnrecognized ? 'left-over' : 'read';
}

function LineCells({ id, line }: { id: string; line: SourceLine }) {
  const { text, facts, isUnrecognized } = line;
  return (
    <>
      <Cell isMain>
        <pre>{text}</pre>
      </Cell>
      <Cell>
        {facts.slice(0, FACTS_SHOWN).map((fact) => (
          <button
            key={fact.position}
            type="button"
            className="link"
            tabIndex={-1}
            onClick={() => void selectEvent(id, fact.position)}
          >
            {fact.kind}
          </button>
        ))}
        {facts.length > FACTS_SHOWN && <span className="second">and {facts.length - FACTS_SHOWN} more</span>}
        {isUnrecognized && <span className="visually-hidden">unrecognized</span>}
      </Cell>
    </>
  );
}

/** How many lines of a source there are, as far as is known. */
interface KnownLines {
  /** The last line that was read, counted from 1. */
  readonly read: number;
  readonly total: number | undefined;
}

function Lines({ place, summary }: { place: TextPlace; summary: number | undefined }) {
  const { id, source, line: current } = place;
  const [known, setKnown] = useState<KnownLines>({ read: 0, total: summary });
  const pages = usePages(async (offset, limit): Promise<EngineResult<readonly SourceLine[]>> => {
    const answer = await engine().call('text', { id, source, from: offset + 1, limit });
    if (!answer.ok) return answer;
    const { lines, total } = answer.value;
    setKnown((before) => ({
      read: Math.max(before.read, lines.at(-1)?.number ?? 0),
      total: total ?? before.total,
    }));
    return success(lines);
  });
  const count = known.total ?? Math.max(known.read, current) + LINES_AHEAD;
  const list = useVirtualRows<HTMLTableSectionElement>({ count, rowHeight: ROW_HEIGHT, hasOwnHeights: true });
  const [first, last] = list.toLoad;
  useEffect(() => pages.show(first, last));
  const { scrollTo } = list;
  // `place` is another object for each jump, even to the same line.
  // biome-ignore lint/correctness/useExhaustiveDependencies: `scrollTo` is another function at each rendering
  useEffect(() => scrollTo(place.line - 1, 'center'), [place]);
  return (
    <>
      <p className="second">
        {known.total !== undefined && `${counted(known.total, 'line')}. `}
        Lines with facts are highlighted; unrecognized lines are dimmed.
      </p>
      {pages.error && <p className="severity-error">{pages.error.message}</p>}
      <LongTable
        list={list}
        rowCount={known.total}
        caption={`Text of ${source}, with the facts of each line`}
        className="source-text"
        testId="source-text"
        rowState={(index) => {
          const line = pages.rowAt(index);
          return {
            isLoaded: line !== undefined,
            current: index + 1 === current ? 'true' : undefined,
            className: `text-${line ? kindOf(line) : 'read'}`,
          };
        }}
      >
        {({ index }) => {
          const line = pages.rowAt(index);
          return (
            <>
              <RowHeader>{index + 1}</RowHeader>
              {line && <LineCells id={id} line={line} />}
            </>
          );
        }}
      </LongTable>
    </>
  );
}

function placeKey({ id, source }: Pick<TextPlace, 'id' | 'source'>): string {
  return `${id} ${source}`;
}

function SourceChoice({ documents, place }: { documents: readonly DocumentNode[]; place: TextPlace }) {
  const options = documents.flatMap((d) => d.texts.map((source) => ({ id: d.id, source, title: d.title })));
  const isListed = options.some((option) => placeKey(option) === placeKey(place));
  return (
    <p className="bar-row">
      <label>
        Source{' '}
        <select
          value={placeKey(place)}
          onChange={(event) => {
            const option = options.find((o) => placeKey(o) === event.target.value);
            if (option) showText({ id: option.id, source: option.source, line: 1 });
          }}
        >
          {!isListed && <option value={placeKey(place)}>{place.source}</option>}
          {options.map((option) => (
            <option key={placeKey(option)} value={placeKey(option)}>
              {option.source === option.title ? option.source : `${option.source} (${option.title})`}
            </option>
          ))}
        </select>
      </label>
    </p>
  );
}

/** The text of a source as it was read, with the facts of each line, each a link to the picture. */
export function TextPanel() {
  const documents = useApp((s) => s.documents);
  const chosen = useApp((s) => s.text);
  const [document] = documents;
  const source = document?.texts[0];
  const isOpen = chosen !== undefined && documents.some(({ id }) => id === chosen.id);
  const [fallback, setFallback] = useState<TextPlace>();
  const first = document && source !== undefined ? { id: document.id, source, line: 1 } : undefined;
  // The same object at each rendering: another one would be another jump.
  if (!isOpen && first && (!fallback || placeKey(first) !== placeKey(fallback))) setFallback(first);
  const place = isOpen ? chosen : first && fallback;
  if (!place) return <p className="hint">No source text is available.</p>;
  const owner = documents.find(({ id }) => id === place.id);
  const summary = owner?.sources.find(({ name }) => name === place.source)?.lines;
  return (
    <div className="text-panel">
      <SourceChoice documents={documents} place={place} />
      <Lines key={placeKey(place)} place={place} summary={summary} />
    </div>
  );
}
