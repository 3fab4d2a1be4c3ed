// A page for development: all marks of the timeline, widgets and states beside each other, in the theme of the page and on
// paper. `npm run dev`, then /gallery.html; it is not built.
import '../shell/tokens.css';
import '../shell/base.css';
import '../shell/app.css';
import '../shell/toolbar.css';
import '../shell/dialogs.css';
import '../canvas/canvas.css';
import '../panels/answer.css';
import '../panels/conflicts.css';
import '../panels/slider.css';
import '../panels/lower-tabs.css';
import './gallery.css';
import { StrictMode, useEffect, useRef, useState } from 'react';
import { Tab, TabList, TabPanel, Tabs } from 'react-aria-components';
import { createRoot } from 'react-dom/client';
import { paintCanvas } from '../../timeline/paint/canvas.ts';
import type { Scene } from '../../timeline/scene/mark.ts';
import { STYLE_NAMES } from '../../timeline/scene/style-names.ts';
import { styleOf } from '../../timeline/scene/styles.ts';
import { PRINT } from '../../timeline/scene/theme.ts';
import { CORNERS, INKS, type InkName, SECOND, SPACES, TEXT } from '../../timeline/scene/tokens.ts';
import { onSystemTheme, screenTheme } from '../canvas/system-theme.ts';
import { useApp } from '../state/app-state.ts';
import { followSystemTheme, setTheme } from '../state/theme.ts';
import { inkScene, lanesPicture, statePictures, typeScene } from './pictures.ts';

const WIDTH = 960;
const INK_NAMES = Object.keys(INKS.light) as InkName[];

interface DrawingProps {
  readonly scene: Scene;
  readonly name: string;
  /** What it is one of, for tests. */
  readonly kind: 'type' | 'ink' | 'state' | 'lanes';
  readonly isPaper?: boolean;
}

/** A scene on a canvas, in the theme of the page or on paper. */
function Drawing({ scene, name, kind, isPaper = false }: DrawingProps) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const chosen = useApp((s) => s.theme);
  useEffect(() => {
    const surface = canvas.current;
    const context = surface?.getContext('2d');
    if (!surface || !context) return;
    const paint = () => {
      paintCanvas(context, scene, isPaper ? PRINT : screenTheme(chosen), 2);
      surface.dataset.painted = isPaper ? 'print' : chosen;
    };
    paint();
    const listeners = new AbortController();
    onSystemTheme(paint, listeners.signal);
    return () => listeners.abort();
  }, [scene, chosen, isPaper]);
  return (
    <canvas
      ref={canvas}
      width={scene.width * 2}
      height={scene.height * 2}
      style={{ width: scene.width, height: scene.height }}
      role="img"
      aria-label={`${name}${isPaper ? ', on paper' : ''}`}
      {...{ [`data-${kind}`]: name }}
    />
  );
}

function Pictures() {
  const [types] = useState(() => STYLE_NAMES.map((style) => ({ style, scene: typeScene(style) })));
  const [inks] = useState(() => INK_NAMES.map((ink) => ({ ink, scene: inkScene(ink) })));
  const [lanes] = useState(() => lanesPicture(WIDTH));
  const [states] = useState(() => Object.entries(statePictures(WIDTH)));
  return (
    <>
      <section aria-labelledby="types">
        <h2 id="types">Types of ranges</h2>
        <ul className="gallery-grid">
          {types.map(({ style, scene }) => (
            <li key={style}>
              <p>
                <span className="mono">{style}</span> <span className="second">{styleOf(style).label}</span>
              </p>
              <Drawing kind="type" name={style} scene={scene} />
              <Drawing kind="type" name={style} scene={scene} isPaper />
            </li>
          ))}
        </ul>
      </section>
      <section aria-labelledby="inks">
        <h2 id="inks">Inks, by each mark that has one</h2>
        <ul className="gallery-grid">
          {inks.map(({ ink, scene }) => (
            <li key={ink}>
              <p className="mono">{ink}</p>
              <Drawing kind="ink" name={ink} scene={scene} />
            </li>
          ))}
        </ul>
      </section>
      <section aria-labelledby="lanes">
        <h2 id="lanes">Kinds of lanes</h2>
        <Drawing kind="lanes" name="kinds of lanes" scene={lanes} />
      </section>
      <section aria-labelledby="states">
        <h2 id="states">States of a picture</h2>
        {states.map(([name, scene]) => (
          <div key={name}>
            <h3>{name}</h3>
            <Drawing kind="state" name={name} scene={scene} />
          </div>
        ))}
      </section>
    </>
  );
}

const SEVERITIES = ['fatal', 'warning', 'note', 'clean'] as const;

function Widgets() {
  return (
    <section aria-labelledby="widgets">
      <h2 id="widgets">Widgets</h2>
      <div className="bar-row">
        <button type="button" className="button primary">
          Primary
        </button>
        <button type="button" className="button">
          Button
        </button>
        <button type="button" className="button" disabled>
          Disabled
        </button>
        <button type="button" className="quiet">
          Quiet
        </button>
        <button type="button" className="link">
          Link
        </button>
        <label>
          <input type="checkbox" defaultChecked /> Box
        </label>
        <select aria-label="Choice">
          <option>Choice</option>
        </select>
      </div>
      {SEVERITIES.map((severity) => (
        <div key={severity} className={`case-answer answer-${severity}`}>
          <div className="answer-head">
            <p>
              <strong className="answer-severity">{severity}.</strong> The map was refused (EINVAL): it overlaps the MSI
              window of group 2, <span className="mono">0xfee00000-0xfeefffff</span>.
            </p>
          </div>
        </div>
      ))}
      <div className="conflicts">
        <ol>
          {SEVERITIES.slice(0, 3).map((severity, i) => (
            <li key={severity} className={`conflict conflict-${severity}${i === 1 ? ' current' : ''}`}>
              <button type="button" className="conflict-title" aria-expanded={false}>
                <span className="conflict-number">{i + 1}</span>
                <span>
                  <span className="severity">{severity}</span> The firmware memory map does not reserve the RMRR
                </span>
              </button>
            </li>
          ))}
        </ol>
      </div>
      <div className="problem">
        <div>
          <strong>Nothing was recognized.</strong> The file has no line of a known format.
        </div>
        <button type="button" className="button">
          Close
        </button>
      </div>
      <div className="busy">
        <div className="bar" role="progressbar" aria-label="Reading a trace" aria-valuenow={40}>
          <div className="bar-fill" style={{ width: '40%' }} />
        </div>
        <span>4 MiB of 10 MiB</span>
      </div>
      <Tabs className="tabs">
        <div className="tabs-head">
          <TabList aria-label="Tabs" className="tab-list">
            <Tab id="one" className="tab">
              Selected
            </Tab>
            <Tab id="two" className="tab">
              Other
            </Tab>
          </TabList>
        </div>
        <TabPanel id="one" className="tab-panel">
          <table>
            <thead>
              <tr>
                <th>Lane</th>
                <th>Start</th>
              </tr>
            </thead>
            <tbody>
              <tr>
                <td>reserved</td>
                <td className="mono">0xfee0_0000</td>
              </tr>
              <tr className="current">
                <td>usable</td>
                <td className="mono">0x0</td>
              </tr>
            </tbody>
          </table>
        </TabPanel>
        <TabPanel id="two" className="tab-panel">
          <p className="hint">A hint.</p>
        </TabPanel>
      </Tabs>
      <p>
        <span className="fits">fits</span> · <span className="hazard">hazard</span> ·{' '}
        <span className="severity-error">error</span> · <span className="second">second</span>
      </p>
      <h3>Sizes of text</h3>
      {Object.entries(TEXT).map(([name, size]) => (
        <p key={name} style={{ fontSize: `var(--text-${name})` }}>
          {name}: {size} px, 0xfee0_0000
        </p>
      ))}
      <p className="second">second line: {SECOND} of the text around it</p>
      <h3>Corners</h3>
      <div className="bar-row">
        {Object.entries(CORNERS).map(([name, radius]) => (
          <span key={name} className="button" style={{ borderRadius: `var(--corner-${name})` }}>
            {name}: {radius} px
          </span>
        ))}
      </div>
      <h3>Distances</h3>
      <ul className="gallery-distances">
        {SPACES.map((space, i) => (
          <li key={space}>
            <span className="gallery-distance" style={{ width: `var(--space-${i + 1})` }} /> {space} px
          </li>
        ))}
      </ul>
    </section>
  );
}

function Gallery() {
  const theme = useApp((s) => s.theme);
  useEffect(() => {
    document.documentElement.dataset.theme = theme;
  }, [theme]);
  return (
    <div className="gallery">
      <header className="toolbar">
        <h1>Gallery</h1>
        <button type="button" className="button" onClick={() => setTheme(theme === 'light' ? 'dark' : 'light')}>
          {theme === 'light' ? 'Dark theme' : 'Light theme'}
        </button>
      </header>
      <main>
        <Pictures />
        <Widgets />
      </main>
    </div>
  );
}

followSystemTheme();
const root = document.getElementById('root');
if (!root) throw new Error('gallery.html lost its #root');
createRoot(root).render(
  <StrictMode>
    <Gallery />
  </StrictMode>,
);
