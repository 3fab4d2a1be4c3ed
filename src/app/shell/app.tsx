import { lazy, Suspense, useEffect, useState } from 'react';
import { ProgressBar } from 'react-aria-components';
import { formatSize } from '../../iova/format.ts';
import { Minimap } from '../canvas/minimap.tsx';
import { TimelineView } from '../canvas/timeline-view.tsx';
import { ConflictsPanel } from '../panels/conflicts.tsx';
import { Inspector } from '../panels/inspector.tsx';
import { LowerTabs } from '../panels/lower-tabs.tsx';
import { SourcesPanel } from '../panels/sources.tsx';
import { useApp } from '../state/app-state.ts';
import { dismissProblem } from '../state/notices.ts';
import { handleKey } from './keys.ts';
import { openTransfer } from './open-files.ts';
import { Toolbar } from './toolbar.tsx';
import './app.css';

// Not needed for the first picture: loaded when they are opened.
const GuestPanel = lazy(async () => ({ default: (await import('../panels/guest.tsx')).GuestPanel }));
const HelpDialog = lazy(async () => ({ default: (await import('./dialogs.tsx')).HelpDialog }));
const ConnectDialog = lazy(async () => ({ default: (await import('./dialogs.tsx')).ConnectDialog }));
const PasteDialog = lazy(async () => ({ default: (await import('./dialogs.tsx')).PasteDialog }));

function ProblemBanner() {
  const problem = useApp((s) => s.problem);
  if (!problem) return null;
  return (
    <div className="problem" role="alert" data-testid="problem">
      <div>
        <strong>{problem.title}.</strong> {problem.message}
        {problem.samples.length > 0 && (
          <>
            <p>The first lines that were not understood:</p>
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
  const { progress } = busy;
  const total = progress?.total;
  const message = progress
    ? `${formatSize(BigInt(progress.done))}${total === undefined ? '' : ` of ${formatSize(BigInt(total))}`}`
    : 'starting';
  return (
    <div className="busy" data-testid="busy">
      <ProgressBar
        aria-label={`Reading ${busy.title}`}
        isIndeterminate={total === undefined || total === 0}
        value={progress && total ? (100 * progress.done) / total : 0}
      >
        {({ percentage }) => (
          <div className="bar">
            <div className="bar-fill" style={{ width: `${percentage ?? 30}%` }} />
          </div>
        )}
      </ProgressBar>
      <span>
        Reading {busy.title}: {message}
      </span>
      <button type="button" className="button" onClick={busy.cancel}>
        Cancel
      </button>
    </div>
  );
}

function Notice() {
  const notice = useApp((s) => s.notice);
  const selected = useApp((s) => s.selected);
  const message = selected ? `${selected.title}, ${selected.laneTitle}` : notice;
  return (
    <>
      <p className="visually-hidden" role="status">
        {message}
      </p>
      {notice !== '' && (
        <p className="notice" aria-hidden="true" key={notice}>
          {notice}
        </p>
      )}
    </>
  );
}

function useDropAndPaste(setDropping: (dropping: boolean) => void): void {
  useEffect(() => {
    const listeners = new AbortController();
    const { signal } = listeners;
    const hasFiles = (event: DragEvent) => event.dataTransfer !== null;
    addEventListener(
      'dragover',
      (event) => {
        if (!hasFiles(event)) return;
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
  const [help, setHelp] = useState(false);
  const [paste, setPaste] = useState(false);
  const [connect, setConnect] = useState(false);
  const [dropping, setDropping] = useState(false);
  useDropAndPaste(setDropping);

  useEffect(() => {
    document.documentElement.dataset.theme = theme;
  }, [theme]);
  useEffect(() => {
    const listeners = new AbortController();
    addEventListener('keydown', (event) => handleKey(event, () => setHelp(true)), { signal: listeners.signal });
    return () => listeners.abort();
  }, []);

  return (
    <div className="app" data-drawn={drawn}>
      <Toolbar onPaste={() => setPaste(true)} onConnect={() => setConnect(true)} onHelp={() => setHelp(true)} />
      <ProblemBanner />
      <BusyBar />
      <main className="screen">
        <div className="side left">
          <SourcesPanel />
          <Suspense fallback={null}>
            <GuestPanel />
          </Suspense>
        </div>
        <div className="middle">
          <Minimap />
          <TimelineView />
          <LowerTabs />
        </div>
        <div className="side right">
          <ConflictsPanel />
          <Inspector />
        </div>
      </main>
      <Notice />
      {dropping && (
        <div className="drop" aria-hidden="true">
          <p>Drop dumps, folders, archives or session files</p>
        </div>
      )}
      <Suspense fallback={null}>
        {help && <HelpDialog isOpen onOpenChange={setHelp} />}
        {paste && <PasteDialog isOpen onOpenChange={setPaste} />}
        {connect && <ConnectDialog isOpen onOpenChange={setConnect} />}
      </Suspense>
    </div>
  );
}
