import { useEffect, useLayoutEffect, useRef, useState } from 'react';
import { flushSync } from 'react-dom';
import { formatSize, groupedHex } from '../../iova/format.ts';
import { range, sizeOf } from '../../iova/range.ts';
import { paintSvg } from '../../timeline/paint/svg.ts';
import { type BoundsLine, type BoundsList, unlistedText } from '../../timeline/scene/bounds-table.ts';
import { PRINT } from '../../timeline/scene/theme.ts';
import { useApp } from '../state/app-state.ts';
import { type FilePicture, filePicture, paperScene } from './paper.ts';
import './print-sheet.css';

/** CSS pixels: on A4 and Letter in portrait the text is about 8 points high. */
const PAPER_WIDTH = 860;
/** Milliseconds after a change until the sheet is prepared. Printing itself cannot wait for the engine. */
const DELAY = 400;
/** The parts of the state that are printed. */
const PRINTED = ['picture', 'view', 'measured', 'explained', 'conflicts', 'conflict', 'documents'] as const;

interface Sheet {
  readonly title: string;
  readonly picture: Node;
  readonly bounds: BoundsList;
}

function sheetOf(file: FilePicture): Sheet | undefined {
  const scene = paperScene(file);
  if (!scene) return undefined;
  const svg = new DOMParser().parseFromString(paintSvg(scene, PRINT), 'image/svg+xml').documentElement;
  return {
    title: file.state.picture?.arrangement.title ?? '',
    picture: document.importNode(svg, true),
    bounds: file.bounds,
  };
}

function BoundsRows({ bounds }: { bounds: readonly BoundsLine[] }) {
  return bounds.map(({ what, start, last, source }, i) => (
    // biome-ignore lint/suspicious/noArrayIndexKey: the rows are never moved
    <tr key={i}>
      <td>{what}</td>
      <td className="mono">{groupedHex(start)}</td>
      <td className="mono">{groupedHex(last)}</td>
      <td>{formatSize(sizeOf(range(start, last)))}</td>
      <td>{source}</td>
    </tr>
  ));
}

/** What is printed instead of the page: the answer, the whole picture with its legend, and the exact bounds as a table. */
export function PrintSheet() {
  const [sheet, setSheet] = useState<Sheet>();
  const place = useRef<HTMLDivElement>(null);

  useEffect(() => {
    const listeners = new AbortController();
    const { signal } = listeners;
    const paper = matchMedia('print');
    let file: FilePicture | undefined;
    let timer: ReturnType<typeof setTimeout> | undefined;
    let isPrinting = false;
    const screenTitle = document.title;

    const prepare = async () => {
      timer = undefined;
      file = await filePicture(PAPER_WIDTH);
    };
    const schedule = () => {
      timer ??= setTimeout(() => void prepare(), DELAY);
    };
    const print = (printing: boolean) => {
      // Another sheet is printed in place of the page.
      const isOther = document.documentElement.hasAttribute('data-paper');
      if (printing === isPrinting || isOther) return;
      isPrinting = printing;
      const next = printing && file ? sheetOf(file) : undefined;
      // Browsers name the file after the title.
      document.title = next?.title ? `${next.title} – ${screenTitle}` : screenTitle;
      // The browser takes the page as it is when this returns.
      flushSync(() => setSheet(next));
    };
    addEventListener('beforeprint', () => print(true), { signal });
    addEventListener('afterprint', () => print(false), { signal });
    paper.addEventListener('change', ({ matches }) => print(matches), { signal });
    const unsubscribe = useApp.subscribe((now, before) => {
      if (PRINTED.some((field) => now[field] !== before[field])) schedule();
    });
    void prepare();
    return () => {
      clearTimeout(timer);
      listeners.abort();
      unsubscribe();
    };
  }, []);
  useLayoutEffect(() => {
    place.current?.replaceChildren(...(sheet ? [sheet.picture] : []));
  }, [sheet]);

  return (
    <div className="print-sheet" data-testid="print-sheet" data-filled={sheet !== undefined || undefined}>
      <div ref={place} className="print-picture" />
      {sheet && sheet.bounds.lines.length > 0 && (
        <table>
          <thead>
            <tr>
              <th>Range</th>
              <th>Start</th>
              <th>Last (inclusive)</th>
              <th>Size</th>
              <th>Source</th>
            </tr>
          </thead>
          <tbody>
            <BoundsRows bounds={sheet.bounds.lines} />
          </tbody>
        </table>
      )}
      {sheet && <p>{unlistedText(sheet.bounds.total - sheet.bounds.lines.length)}</p>}
    </div>
  );
}
