import { useEffect, useRef, useState } from 'react';
import { formatSize, groupedHex } from '../../iova/format.ts';
import type { GestureHandlers, Gestures } from '../../timeline/axis/gestures.ts';
import { addressAt } from '../../timeline/axis/viewport.ts';
import { paintCanvas } from '../../timeline/paint/canvas.ts';
import { plotLeft, plotWidth } from '../../timeline/scene/layout.ts';
import type { HitArea, LaneHead, Scene } from '../../timeline/scene/mark.ts';
import { styleOf } from '../../timeline/scene/styles.ts';
import { useApp } from '../state/app-state.ts';
import { showFlag } from '../state/conflicts.ts';
import { toggleLane } from '../state/picture.ts';
import { clearSelection, measure, select } from '../state/selection.ts';
import { panBy, setPlotWidth, zoomBy } from '../state/view.ts';
import { sceneOf } from './state-scene.ts';
import './canvas.css';

/** The parts of the state that the picture shows. */
const DRAWN = ['picture', 'view', 'selected', 'measured', 'explained', 'conflicts', 'conflict', 'theme'] as const;

/** The range at a point of the scene; the narrowest of several. A thin one is also hit a few pixels beside it. */
function hitAt(scene: Scene, x: number, y: number): HitArea | undefined {
  const slack = 3;
  let best: HitArea | undefined;
  for (const hit of scene.hits) {
    const inside = x >= hit.x - slack && x < hit.x + hit.width + slack && y >= hit.y && y < hit.y + hit.height;
    if (inside && (!best || hit.width < best.width)) best = hit;
  }
  return best;
}

function sameHeads(a: readonly LaneHead[], b: readonly LaneHead[]): boolean {
  return a.length === b.length && a.every((head, i) => JSON.stringify(head) === JSON.stringify(b[i]));
}

function tooltip({ style, target: { start, last, count } }: HitArea): string {
  const message = count > 1 ? `${count} ranges` : styleOf(style).label;
  return `${message}\n${groupedHex(start)} – ${groupedHex(last)}\n${formatSize(last - start + 1n)}`;
}

export function TimelineView() {
  const frame = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const crosshair = useRef<HTMLDivElement>(null);
  const readout = useRef<HTMLDivElement>(null);
  const bubble = useRef<HTMLDivElement>(null);
  const [heads, setHeads] = useState<readonly LaneHead[]>([]);
  const [description, setDescription] = useState('');
  const gutter = useRef(0);

  useEffect(() => {
    const element = frame.current;
    const surface = canvas.current;
    if (!element || !surface) return;
    let scene: Scene | undefined;
    let width = element.clientWidth;
    let requested = 0;

    const draw = () => {
      requested = 0;
      const state = useApp.getState();
      scene = sceneOf(state, width);
      if (!scene) return;
      const density = window.devicePixelRatio || 1;
      const [w, h] = [Math.round(scene.width * density), Math.round(scene.height * density)];
      if (surface.width !== w || surface.height !== h) {
        surface.width = w;
        surface.height = h;
        surface.style.width = `${scene.width}px`;
        surface.style.height = `${scene.height}px`;
      }
      const context = surface.getContext('2d', { alpha: false });
      if (context) paintCanvas(context, scene, state.theme, density);
      const { heads: newHeads, description: newDescription } = scene;
      setHeads((old) => (sameHeads(old, newHeads) ? old : newHeads));
      setDescription(newDescription);
    };
    const redraw = () => {
      requested ||= requestAnimationFrame(draw);
    };

    const measureWidth = () => {
      width = element.clientWidth;
      gutter.current = plotLeft(width);
      setPlotWidth(plotWidth(width));
      redraw();
    };
    const observer = new ResizeObserver(measureWidth);
    observer.observe(element);
    measureWidth();

    const addressAtPixel = (pixel: number) => {
      const { view, picture } = useApp.getState();
      if (!view || !picture) return undefined;
      return addressAt(view, picture.arrangement.scale, Math.min(view.width, Math.max(0, pixel)));
    };

    const showPointer = (point: { x: number; y: number } | undefined) => {
      const address = point && point.x >= gutter.current ? addressAtPixel(point.x - gutter.current) : undefined;
      const [line, message, tip] = [crosshair.current, readout.current, bubble.current];
      if (!line || !message || !tip) return;
      line.hidden = address === undefined;
      message.hidden = address === undefined;
      tip.hidden = true;
      element.style.cursor = 'default';
      if (!point || address === undefined) return;
      line.style.transform = `translateX(${point.x}px)`;
      message.textContent = groupedHex(address);
      const hit = scene && hitAt(scene, point.x, point.y);
      element.style.cursor = hit ? 'pointer' : 'grab';
      if (!hit) return;
      tip.textContent = tooltip(hit);
      tip.hidden = false;
      const left = Math.min(point.x + 14, width - tip.offsetWidth - 4);
      tip.style.transform = `translate(${Math.max(4, left)}px, ${point.y + 16}px)`;
    };

    let gestures: Gestures | undefined;
    let areGesturesRequested = false;
    let isGone = false;
    const handlers: GestureHandlers = {
      zoom: zoomBy,
      pan: panBy,
      hover: showPointer,
      measure: (from, to) => {
        const [a, b] = [addressAtPixel(from), addressAtPixel(to)];
        if (a !== undefined && b !== undefined) measure(a, b);
      },
      click: (x, y) => {
        const flag = scene?.flags.find(
          (f) => x >= f.x - 2 && x < f.x + f.width + 2 && y >= f.y - 2 && y < f.y + f.height + 2,
        );
        const hit = scene && hitAt(scene, x, y);
        if (flag) void showFlag(flag.numbers);
        else if (hit) void select(hit.target);
        else if (x >= gutter.current) clearSelection();
      },
    };
    // With the first picture, which does not need d3-zoom itself.
    const loadGestures = () => {
      if (areGesturesRequested || !useApp.getState().drawn) return;
      areGesturesRequested = true;
      void import('../../timeline/axis/gestures.ts').then(({ attachGestures }) => {
        if (!isGone) gestures = attachGestures(element, () => gutter.current, handlers);
      });
    };
    loadGestures();
    const unsubscribe = useApp.subscribe((now, before) => {
      loadGestures();
      if (DRAWN.some((field) => now[field] !== before[field])) redraw();
    });
    return () => {
      cancelAnimationFrame(requested);
      observer.disconnect();
      isGone = true;
      gestures?.destroy();
      unsubscribe();
    };
  }, []);

  return (
    <div className="timeline-box">
      <div ref={readout} className="readout" hidden data-testid="readout" />
      <div className="timeline-scroll">
        <div
          ref={frame}
          className="timeline"
          // biome-ignore lint/a11y/noNoninteractiveTabindex: it handles keys itself, as the role says
          tabIndex={0}
          role="application"
          aria-label="Timeline"
          aria-describedby="timeline-description"
          data-testid="timeline"
        >
          <canvas ref={canvas} />
          <div ref={crosshair} className="crosshair" hidden />
          <div ref={bubble} className="bubble" hidden />
          <p id="timeline-description" className="visually-hidden">
            {description}. Arrow keys pan and zoom, n and p select the next and previous range. The table below lists
            all ranges.
          </p>
          {heads
            .filter((head) => head.expandable)
            .map((head) => (
              <button
                key={head.laneId}
                type="button"
                className="lane-head"
                style={{ top: head.y + 2, height: 36, width: gutter.current - 6 }}
                aria-expanded={head.expanded}
                aria-label={`${head.laneId.replace(/^.*#/, '')}: one row per contributor`}
                onClick={() => toggleLane(head.laneId)}
              />
            ))}
        </div>
      </div>
    </div>
  );
}
