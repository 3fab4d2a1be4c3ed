import { type CSSProperties, lazy, memo, useEffect, useRef, useState } from 'react';
import { formatSize } from '../../iova/format.ts';
import { Minimap } from '../canvas/minimap.tsx';
import { TimelineView } from '../canvas/timeline-view.tsx';
import { AnswerCard } from '../panels/answer.tsx';
import { useApp } from '../state/app-state.ts';
import { isSourceDrag } from '../state/case-drag.ts';
import { PANELS, type PanelName } from '../state/initial-frame.ts';
import { dismissProblem } from '../state/notices.ts';
import { handleKey } from './keys.ts';
import { openTransfer } from './open-files.ts';
import { SplitterSlot } from './splitter-slot.tsx';
import { Toolbar } from './toolbar.tsx';
import './app.css';
import { LoadBoundary } from '../panels/load-boundary.tsx';

// The first picture does not need these: they are loaded after it (see `useIsComplete`).
const CaseHead = lazy(async () => ({ default: (await import('../panels/case-head.tsx')).CaseHead }));
const SourcesPanel = lazy(async () => ({ default: (await import('../panels/sources.tsx')).SourcesPanel }));
const DevicePanel = lazy(async () => ({ default: (await import('../panels/device.tsx')).DevicePanel }));
const GuestPanel = lazy(async () => ({ default: (await import('../panels/guest.tsx')).GuestPanel }));
const PlacedNotice = lazy(async () => ({ default: (await import('../panels/placed.tsx')).PlacedNotice }));
const ConflictsPanel = lazy(async () => ({ default: (await import('../panels/conflicts.tsx')).ConflictsPanel }));
const Inspector = lazy(async () => ({ default: (await import('../panels/inspector.tsx')).Inspector }));
const TimeBar = lazy(async () => ({ default: (await import('../panels/time-bar.tsx')).TimeBar }));
const LowerTabs = lazy(async () => ({ default: (await import('../panels/lower-tabs.tsx')).LowerTabs }));
const PrintSheet = lazy(async () => ({ default: (await import('../canvas/print-sheet.tsx')).PrintSheet }));
// These are loaded when they are opened.
const OperationBar = lazy(async () => ({ default: (await import('../panels/operation-bar.tsx')).OperationBar }));
const LessonReader = lazy(async () => ({ default: (await import('../panels/lesson-reader.tsx')).LessonReader }));
const HelpDialog = lazy(async () => ({ default: (await import('./help-dialog.tsx')).HelpDialog }));
const ConnectDialog = lazy(async () => ({ default: (await import('./connect-dialog.tsx')).ConnectDialog }));
const ExportDialog = lazy(async () => ({ default: (await import('./export-dialog.tsx')).ExportDialog }));
const UncopiedDialog = lazy(async () => ({ default: (await import('./uncopied-dialog.tsx')).UncopiedDialog }));
const PasteDialog = lazy(async () => ({ default: (await import('./paste-dialog.tsx')).PasteDialog }));

/** Without a picture, the rest of the page is loaded after this time in milliseconds. */
const LONGEST_WAIT = 1500;

/** Whether the rest of the page is to be loaded: after the first picture, which it would only delay. */
function useIsComplete(): boolean {
  const drawn = useApp((s) => s.drawn);
  const [hasWaited, setHasWaited] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setHasWaited(true), LONGEST_WAIT);
    return () => clearTimeout(timer);
  }, []);
  return drawn || hasWaited;
}

function ProblemBanner() {
  const problem = useApp((s) => s.problem);
  if (!problem) return null;
  return (
    <div className="problem" role="alert" data-testid="problem">
      <div>
        <strong>{problem.title}.</strong>{' '}
        {problem.lines.length === 0
          ? problem.message
          : problem.lines.map((line) => (
              <p key={line} className="problem-line">
                {line}.
              </p>
            ))}
        {problem.samples.length > 0 && (
          <>
            <p>First unrecognized lines:</p>
            <pre>{problem.samples.map((s) => `${String(s.line).padStart(6)}  ${s.text}`).join('\n')}</pre>
          </>
        )}
      </div>
      <button type="button" className="button" onClick={dismissProblem}>
        Close
      </button>
    </div>
  );
}

function BusyBar() {
  const busy = useApp((s) => s.busy);
  if (!busy) return null;
  const { title, progress } = busy;
  const total = progress?.total;
  const share = progress && total ? progress.done / total : undefined;
  const size = (bytes: number) => formatSize(BigInt(bytes));
  const message = !progress
    ? 'starting…'
    : (progress.label ?? (total === undefined ? size(progress.done) : `${size(progress.done)} of ${size(total)}`));
  return (
    <div className="busy" data-testid="busy">
      <div
        className="bar"
        role="progressbar"
        aria-label={`Reading ${title}`}
        aria-valuenow={share === undefined ? undefined : Math.round(100 * share)}
      >
        <div className="bar-fill" style={{ width: `${100 * (share ?? 0.3)}%` }} />
      </div>
      <span>
        Reading {title}: {message}
      </span>
      <button type="button" className="button" onClick={busy.cancel}>
        Cancel
      </button>
    </div>
  );
}

function Notice() {
  const notice = useApp((s) => s.notice);
  const placed = useApp((s) => s.placed?.text);
  const announcement = useApp((s) => s.announcement);
  return (
    <>
      <p className="visually-hidden" role="status">
        {announcement}
      </p>
      {notice !== '' && notice !== placed && (
        <p className="notice" aria-hidden="true" key={notice}>
          {notice}
        </p>
      )}
    </>
  );
}

type ScreenStyle = CSSProperties & Readonly<Partial<Record<`--${PanelName}-size`, string>>>;

/** Open the dialogs that the panels offer; the same functions at each rendering. */
interface DialogSetters {
  setPaste(isOpen: boolean): void;
  setConnect(isOpen: boolean): void;
}

/** The panels around the picture: side by side in a wide window, otherwise below each other (see app.css). */
function Screen({ isComplete, ...dialogs }: DialogSetters & { isComplete: boolean }) {
  const { sizes, folded } = useApp((s) => s.frame);
  const left = useRef<HTMLDivElement>(null);
  const right = useRef<HTMLDivElement>(null);
  const details = useRef<HTMLDivElement>(null);
  const style: ScreenStyle = Object.fromEntries(
    PANELS.flatMap((name) => (sizes[name] === undefined ? [] : [[`--${name}-size`, `${sizes[name]}px`]])),
  );
  const isFolded = (name: PanelName) => folded.includes(name) || undefined;
  return (
    <main className="screen" style={style} data-details-folded={isFolded('details')}>
      <div ref={left} id="panel-left" className="side left" data-folded={isFolded('left')}>
        {isComplete && <LeftPanels {...dialogs} />}
      </div>
      <SplitterSlot name="left" panel={left} isComplete={isComplete} />
      <div className="middle">
        <Picture isComplete={isComplete} />
        <SplitterSlot name="details" panel={details} isComplete={isComplete} />
        <div ref={details} id="panel-details" className="details" data-folded={isFolded('details')}>
          {isComplete && <Details />}
        </div>
      </div>
      <SplitterSlot name="right" panel={right} isComplete={isComplete} />
      <div ref={right} id="panel-right" className="side right" data-folded={isFolded('right')}>
        {isComplete && <RightPanels />}
      </div>
    </main>
  );
}

const Reader = () => useApp((s) => s.reader !== undefined) && <LessonReader />;

// Not rendered again while a panel is being resized.
const LeftPanels = memo(({ setPaste, setConnect }: DialogSetters) => (
  <LoadBoundary>
    <CaseHead />
    <DevicePanel />
    <GuestPanel />
    <SourcesPanel onPaste={() => setPaste(true)} onConnect={() => setConnect(true)} />
  </LoadBoundary>
));
const RightPanels = memo(() => (
  <LoadBoundary>
    <Reader />
    <ConflictsPanel />
    <Inspector />
  </LoadBoundary>
));
const Picture = memo(({ isComplete }: { isComplete: boolean }) => (
  <>
    <AnswerCard />
    <LoadBoundary>{isComplete && <PlacedNotice />}</LoadBoundary>
    <Minimap />
    <TimelineView />
    <LoadBoundary>{isComplete && <TimeBar />}</LoadBoundary>
    <OperationBarSlot />
  </>
));
function OperationBarSlot() {
  const isOpen = useApp((s) => s.isBarOpen);
  return <LoadBoundary>{isOpen && <OperationBar />}</LoadBoundary>;
}
const Details = memo(() => (
  <LoadBoundary>
    <LowerTabs />
  </LoadBoundary>
));

function useDropAndPaste(setDropping: (dropping: boolean) => void): void {
  useEffect(() => {
    const listeners = new AbortController();
    const { signal } = listeners;
    addEventListener(
      'dragover',
      (event) => {
        if (event.dataTransfer === null || isSourceDrag(event.dataTransfer)) return;
        event.preventDefault();
        setDropping(true);
      },
      { signal },
    );
    addEventListener(
      'dragleave',
      (event) => {
        if (event.relatedTarget === null) setDropping(false);
      },
      { signal },
    );
    addEventListener(
      'drop',
      (event) => {
        event.preventDefault();
        setDropping(false);
        if (event.dataTransfer) openTransfer(event.dataTransfer);
      },
      { signal },
    );
    addEventListener(
      'paste',
      (event) => {
        if (event.target instanceof Element && event.target.closest('input, textarea')) return;
        if (event.clipboardData && openTransfer(event.clipboardData)) event.preventDefault();
      },
      { signal },
    );
    return () => listeners.abort();
  }, [setDropping]);
}

export function App() {
  const theme = useApp((s) => s.theme);
  const drawn = useApp((s) => s.drawn);
  const isComplete = useIsComplete();
  const [help, setHelp] = useState(false);
  const [paste, setPaste] = useState(false);
  const [connect, setConnect] = useState(false);
  const [isExporting, setExporting] = useState(false);
  const [dropping, setDropping] = useState(false);
  useDropAndPaste(setDropping);

  const isLive = useApp((s) => Object.keys(s.live).length > 0);
  useEffect(() => {
    // As the engine does: the server may stop with the agent.
    if (isLive) void Promise.allSettled([import('./export-dialog.tsx'), import('../panels/events.tsx')]);
  }, [isLive]);
  useEffect(() => {
    document.documentElement.dataset.theme = theme;
  }, [theme]);
  useEffect(() => {
    const listeners = new AbortController();
    addEventListener('keydown', (event) => handleKey(event, () => setHelp(true)), { signal: listeners.signal });
    return () => listeners.abort();
  }, []);

  const isUncopied = useApp((s) => s.uncopied !== undefined);
  return (
    <div className="app" data-drawn={drawn}>
      <Toolbar
        isComplete={isComplete}
        onPaste={() => setPaste(true)}
        onConnect={() => setConnect(true)}
        onExport={() => setExporting(true)}
        onHelp={() => setHelp(true)}
      />
      <ProblemBanner />
      <BusyBar />
      <Screen isComplete={isComplete} setPaste={setPaste} setConnect={setConnect} />
      <Notice />
      {isComplete && (
        <LoadBoundary>
          <PrintSheet />
        </LoadBoundary>
      )}
      {dropping && (
        <div className="drop" aria-hidden="true">
          <p>Drop dumps, folders, archives or session files</p>
        </div>
      )}
      <LoadBoundary>
        {help && <HelpDialog isOpen onOpenChange={setHelp} />}
        {paste && <PasteDialog isOpen onOpenChange={setPaste} />}
        {isExporting && <ExportDialog isOpen onOpenChange={setExporting} />}
        {connect && <ConnectDialog isOpen onOpenChange={setConnect} />}
      </LoadBoundary>
      {/* Its own boundary: while it is loaded, the dialog below it must stay. */}
      <LoadBoundary>{isUncopied && <UncopiedDialog />}</LoadBoundary>
    </div>
  );
}
