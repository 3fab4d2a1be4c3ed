import { useEffect, useRef, useState } from 'react';
import { attachGestures, type GestureHandlers, type Gestures, type Point } from '../../timeline/axis/gestures.ts';
import { type Bound, type MeasureEnd, measuredRange, nearestBound } from '../../timeline/axis/measure.ts';
import { addressAt, pixelOfEdge } from '../../timeline/axis/viewport.ts';
import { paintCanvas } from '../../timeline/paint/canvas.ts';
import { plotLeft, plotWidth } from '../../timeline/scene/layout.ts';
import type { HitArea, LaneHead, Scene } from '../../timeline/scene/mark.ts';
import { useApp } from '../state/app-state.ts';
import { showFlag } from '../state/conflicts.ts';
import { toggleLane } from '../state/picture.ts';
import { clearSelection, measure, select } from '../state/selection.ts';
import { panBy, setPlotWidth, zoomBy } from '../state/view.ts';
import { showOverlay } from './pointer-overlay.ts';
import { canScroll, seenSpan, toScene } from './scroll-window.ts';
import { sceneOf } from './state-scene.ts';
import { onSystemTheme, screenTheme } from './system-theme.ts';
import './canvas.css';

/** The parts of the state that the picture shows. */
const DRAWN = ['picture', 'view', 'selected', 'measured', 'explained', 'conflicts', 'conflict', 'theme'] as const;

/** The range at a point of the scene; the narrowest of several. A thin one is also hit a few pixels beside it. */
function hitAt(scene: Scene, { x, y }: Point): HitArea | undefined {
  const slack = 3;
  let best: HitArea | undefined;
  for (const hit of scene.hits) {
    const inside = x >= hit.x - slack && x < hit.x + hit.width + slack && y >= hit.y && y < hit.y + hit.height;
    if (inside && (!best || hit.width < best.width)) best = hit;
  }
  return best;
}

function flagAt(scene: Scene, { x, y }: Point) {
  return scene.flags.find((f) => x >= f.x - 2 && x < f.x + f.width + 2 && y >= f.y - 2 && y < f.y + f.height + 2);
}

function sameHeads(a: readonly LaneHead[], b: readonly LaneHead[]): boolean {
  return a.length === b.length && a.every((head, i) => JSON.stringify(head) === JSON.stringify(b[i]));
}

export function TimelineView() {
  const scroller = useRef<HTMLDivElement>(null);
  const frame = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const crosshair = useRef<HTMLDivElement>(null);
  const readout = useRef<HTMLDivElement>(null);
  const bubble = useRef<HTMLDivElement>(null);
  const [heads, setHeads] = useState<readonly LaneHead[]>([]);
  const [pinned, setPinned] = useState({ top: 0, height: 0 });
  const [description, setDescription] = useState('');
  const gutter = useRef(0);

  useEffect(() => {
    const area = scroller.current;
    const element = frame.current;
    const surface = canvas.current;
    const [line, label, tip] = [crosshair.current, readout.current, bubble.current];
    if (!area || !element || !surface || !line || !label || !tip) return;
    const listeners = new AbortController();
    const { signal } = listeners;
    let scene: Scene | undefined;
    let width = element.clientWidth;
    let requested = 0;

    /** Where the pointer is, to show the address there after the view moved below it, or once there is a picture. */
    let hovered: Point | undefined;
    /** During a drag, no tooltip covers what is dragged, whatever redraws meanwhile. */
    let isDragging = false;

    const draw = () => {
      requested = 0;
      const state = useApp.getState();
      scene = sceneOf(state, width, { seen: seenSpan(area) });
      if (!scene) return;
      element.style.setProperty('--scene-height', `${scene.height}px`);
      area.parentElement?.style.setProperty('--picture-height', `${scene.height}px`);
      // The zoom can be zero where the canvas is hidden, as while the page is printed.
      const density = (window.devicePixelRatio || 1) * (surface.currentCSSZoom || 1);
      const height = Math.min(scene.height, area.clientHeight);
      const [w, h] = [Math.round(scene.width * density), Math.round(height * density)];
      if (surface.width !== w || surface.height !== h) {
        surface.width = w;
        surface.height = h;
        surface.style.setProperty('--surface-width', `${scene.width}px`);
        surface.style.setProperty('--surface-height', `${height}px`);
      }
      const context = surface.getContext('2d', { alpha: false });
      const theme = screenTheme(state.theme);
      if (context) paintCanvas(context, scene, theme, density, { scrolled: area.scrollTop, height });
      const { heads: newHeads, description: newDescription, pinned: newPinned } = scene;
      setHeads((old) => (sameHeads(old, newHeads) ? old : newHeads));
      const { top, bottom } = newPinned;
      setPinned((old) => (old.top === top && old.height === bottom - top ? old : { top, height: bottom - top }));
      setDescription(newDescription);
      if (hovered) showPointer(hovered);
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
    observer.observe(area);
    measureWidth();
    onSystemTheme(redraw, signal);

    const addressAtPixel = (pixel: number) => {
      const { view, picture } = useApp.getState();
      if (!view || !picture) return undefined;
      return addressAt(view, picture.arrangement.scale, Math.min(view.width, Math.max(0, pixel)));
    };

    const hideOverlay = () => showOverlay({ line, readout: label, tip }, undefined);

    const showPointer = (point: Point | undefined) => {
      hovered = point;
      const address = point && point.x >= gutter.current ? addressAtPixel(point.x - gutter.current) : undefined;
      element.style.cursor = 'default';
      if (!point || address === undefined || !scene) {
        hideOverlay();
        return;
      }
      const { scrollTop, clientHeight } = area;
      const spot = toScene(scene, point, scrollTop);
      const hit = spot.isPinned || isDragging ? undefined : hitAt(scene, spot);
      const isFlag = spot.isPinned && flagAt(scene, spot) !== undefined;
      element.style.cursor = isDragging ? 'grabbing' : hit || isFlag ? 'pointer' : 'grab';
      const up = Math.min(scrollTop, scene.pinned.top);
      showOverlay(
        { line, readout: label, tip },
        {
          x: point.x,
          y: point.y - scrollTop,
          address,
          ruler: { top: scene.pinned.top - up, bottom: scene.pinned.bottom - up },
          width,
          height: Math.min(clientHeight, scene.height),
          hit,
        },
      );
    };

    /** The bounds of all ranges that are drawn. */
    const boundsInView = (): Bound[] => {
      const { view, picture } = useApp.getState();
      if (!view || !picture || !scene) return [];
      const edges = new Set(scene.hits.flatMap(({ target }) => [target.start, target.last + 1n]));
      const { scale } = picture.arrangement;
      return [...edges].map((edge) => ({ edge, pixel: pixelOfEdge(view, scale, edge) }));
    };
    const measureEnd = (pixel: number, bounds: readonly Bound[]): MeasureEnd | undefined => {
      const bound = nearestBound(bounds, pixel);
      if (bound) return { edge: bound.edge };
      const address = addressAtPixel(pixel);
      return address === undefined ? undefined : { address };
    };

    const pick = (point: Point) => {
      if (!scene) return;
      const spot = toScene(scene, point, area.scrollTop);
      const flag = spot.isPinned ? flagAt(scene, spot) : undefined;
      const hit = spot.isPinned ? undefined : hitAt(scene, spot);
      if (flag) void showFlag(flag.numbers);
      else if (hit) void select(hit.target);
      else if (point.x >= gutter.current) clearSelection();
    };

    const handlers: GestureHandlers = {
      zoom: zoomBy,
      pan: panBy,
      scroll: (pixels) => {
        if (!canScroll(area)) return false;
        area.scrollTop += pixels;
        return true;
      },
      hover: (point, isHeld) => {
        isDragging = isHeld;
        showPointer(point);
      },
      measure: (from, to, isFree) => {
        const bounds = isFree ? [] : boundsInView();
        const [a, b] = [measureEnd(from, bounds), measureEnd(to, bounds)];
        const measured = a && b && measuredRange(a, b);
        if (measured) measure(measured.start, measured.last);
      },
      click: pick,
      press: (point) => {
        isDragging = false;
        showPointer(point);
        pick(point);
      },
    };
    const gestures: Gestures[] = [attachGestures(element, () => gutter.current, handlers)];
    let isZoomRequested = false;
    let isGone = false;
    // With the first picture, which does not need d3-zoom itself. A press before that must not be lost to a measurement.
    const loadZoom = () => {
      if (isZoomRequested || !useApp.getState().drawn) return;
      isZoomRequested = true;
      void import('../../timeline/axis/mouse-zoom.ts').then(({ attachMouseZoom }) => {
        if (!isGone) gestures.push(attachMouseZoom(element, () => gutter.current, handlers));
      });
    };
    loadZoom();
    area.addEventListener(
      'scroll',
      () => {
        hovered = undefined;
        hideOverlay();
        // At once: the next frame would show the old rows at the new place.
        draw();
      },
      { signal, passive: true },
    );
    const unsubscribe = useApp.subscribe((now, before) => {
      loadZoom();
      if (DRAWN.some((field) => now[field] !== before[field])) redraw();
    });
    return () => {
      cancelAnimationFrame(requested);
      observer.disconnect();
      listeners.abort();
      isGone = true;
      for (const gesture of gestures) gesture.destroy();
      unsubscribe();
    };
  }, []);

  return (
    <div className="timeline-box">
      <div ref={scroller} className="timeline-scroll" data-testid="timeline-scroll">
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
          <div className="timeline-surface">
            <canvas ref={canvas} />
            <div className="timeline-pointer">
              <div ref={crosshair} className="crosshair" hidden />
              <div ref={readout} className="readout" hidden data-testid="readout" />
              <div ref={bubble} className="bubble" hidden data-testid="tooltip" />
            </div>
          </div>
          <div className="lane-shield" style={{ marginTop: pinned.top }}>
            <div style={{ width: gutter.current, height: pinned.height }} />
          </div>
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
