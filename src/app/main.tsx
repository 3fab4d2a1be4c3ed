import './shell/tokens.css';
import './shell/base.css';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { App } from './shell/app.tsx';
import { installPageApi } from './shell/install-page-api.ts';
import { openSample } from './shell/open-files.ts';
import { SAMPLES } from './shell/samples.ts';
import { useApp } from './state/app-state.ts';
import { refreshAfterRestart } from './state/documents.ts';
import { connectEngine } from './state/engine.ts';
import { keptAgents } from './state/kept-agents.ts';
import { keepOwnPage, ownSession } from './state/own-session.ts';
import { startEngine } from './state/start-engine.ts';
import { followSystemTheme } from './state/theme.ts';

// True only in the page that is one file, for work without a network.
if (import.meta.env.IOVASCOPE_OFFLINE) keepOwnPage();

connectEngine(startEngine((reason) => void refreshAfterRestart(reason)));

installPageApi();
followSystemTheme();

const root = document.getElementById('root');
if (!root) throw new Error('index.html lost its #root');
createRoot(root).render(
  <StrictMode>
    <App />
  </StrictMode>,
);
// In a frame of another page, which may ask what is shown: nothing but what its link names, whatever comes later.
const isFrame = /[#&]embed=1(?:&|$)/.test(location.hash);
document.documentElement.toggleAttribute('data-embed', isFrame);

async function start(): Promise<void> {
  // The page of an agent shows its host, that of `iovascope open` its files; any other one what its link names, or the
  // case that was kept.
  if (location.hash.includes('live=') && (await import('./state/live-hosts.ts')).connectFromUrl()) return;
  if (!isFrame && keptAgents().length > 0 && (await import('./state/live-hosts.ts')).reconnect()) return;
  if (location.hash.includes('files=') && (await import('./shell/open-served.ts')).openServed()) return;
  const links = () => import('./shell/links.ts');
  const own = import.meta.env.IOVASCOPE_OFFLINE ? ownSession() : undefined;
  if (own) {
    const { openOwn, startLinks } = await links();
    await openOwn(own);
    startLinks();
    return;
  }
  const isLinked = /^#(?:v\d+\.|sample=|lesson=)/.test(location.hash) && (await (await links()).openFirst());
  const { BROWSER_STORE, restoreCase, startAutosave } = await import('./state/autosave.ts');
  const isRestored = !isLinked && !isFrame && (await restoreCase(BROWSER_STORE));
  if (!isFrame) startAutosave(BROWSER_STORE);
  // What was opened meanwhile stays.
  const { documents, busy, problem } = useApp.getState();
  if (!isLinked && !isRestored && documents.length === 0 && !busy) {
    await openSample(SAMPLES[0]);
    // What is wrong with a link is not forgotten because a sample is drawn in its place.
    if (problem) useApp.setState({ problem });
  }
  const { openFirst, startLinks } = await links();
  // A fragment without a target says how to show what was open before.
  if (!isLinked && /^#[a-z]+=/.test(location.hash)) await openFirst();
  startLinks();
}

void start();
