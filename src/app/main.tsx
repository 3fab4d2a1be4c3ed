import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { App } from './app.tsx';
import { startEngine } from './engine-host.ts';
import { openAddressed } from './live-hosts.ts';
import { openSample } from './open-files.ts';
import { SAMPLES } from './samples.ts';
import { connectEngine, refresh } from './store.ts';
import './app.css';

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
