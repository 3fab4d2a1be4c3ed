import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { App } from './shell/app.tsx';
import { openSample } from './shell/open-files.ts';
import { SAMPLES } from './shell/samples.ts';
import { startEngine } from './state/engine-host.ts';
import { openAddressed } from './state/live-hosts.ts';
import { connectEngine, refresh } from './state/store.ts';
import './shell/app.css';

connectEngine(startEngine((reason) => void refresh(reason)));

const root = document.getElementById('root');
if (!root) throw new Error('index.html lost its #root');
createRoot(root).render(
  <StrictMode>
    <App />
  </StrictMode>,
);
// The page of an agent shows its host; any other one begins with a sample.
if (!openAddressed()) void openSample(SAMPLES[0]);
