import './shell/tokens.css';
import './shell/base.css';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { App } from './shell/app.tsx';
import { openSample } from './shell/open-files.ts';
import { openServed } from './shell/open-served.ts';
import { installPageApi } from './shell/page-api.ts';
import { SAMPLES } from './shell/samples.ts';
import { refreshAfterRestart } from './state/documents.ts';
import { connectEngine } from './state/engine.ts';
import { connectFromUrl } from './state/live-hosts.ts';
import { startEngine } from './state/start-engine.ts';

connectEngine(startEngine((reason) => void refreshAfterRestart(reason)));

installPageApi();

const root = document.getElementById('root');
if (!root) throw new Error('index.html lost its #root');
createRoot(root).render(
  <StrictMode>
    <App />
  </StrictMode>,
);
// The page of an agent shows its host, that of `iovascope open` its files; any other one begins with a sample.
if (!connectFromUrl() && !openServed()) void openSample(SAMPLES[0]);
