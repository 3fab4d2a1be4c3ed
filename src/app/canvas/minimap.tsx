import { useEffect, useRef } from 'react';
import type { Arrangement } from '../../engine/protocol/picture.ts';
import { groupedHex } from '../../iova/format.ts';
import { placeIn } from '../../timeline/axis/gestures.ts';
import { boundsInView, fitAll, pixelOf, worldAt } from '../../timeline/axis/viewport.ts';
import { plotLeft } from '../../timeline/scene/layout.ts';
import { minimapBars } from '../../timeline/scene/minimap.ts';
import { THEMES, type Theme } from '../../timeline/scene/theme.ts';
import { useApp } from '../state/app-state.ts';
import { engine } from '../state/engine.ts';
import { centreOn } from '../state/view.ts';
import { onSystemTheme, screenTheme } from './system-theme.ts';
import './canvas.css';

const HEIGHT = 26;
/** The parts of the state that this shows. */
const SHOWN = ['picture', 'view', 'plotWidth', 'theme'] as const;

/** The whole address space with a frame around what the timeline shows. Click or drag to move the frame. */
export function Minimap() {
  const box = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const windowFrame = useRef<HTMLDivElement>(null);

  useEffect(() => {
    const element = box.current;
    const surface = canvas.current;
    if (!element || !surface) return;
    let drawnFor: { readonly picture: Arrangement; readonly width: number; readonly theme: Theme } | undefined;

    const left = () => plotLeft(element.clientWidth);

    const paint = async () => {
      const { picture, plotWidth, theme: chosen } = useApp.getState();
      if (!picture || plotWidth === 0) return;
      const named = screenTheme(chosen);
      const theme = typeof named === 'string' ? THEMES[named] : named;
      const { arrangement } = picture;
      if (drawnFor?.picture === arrangement && drawnFor.width === plotWidth && drawnFor.theme === theme) return;
      drawnFor = { picture: arrangement, width: plotWidth, theme };
      const all = fitAll(arrangement.scale, plotWidth);
      const cut = await engine().call('slice', { revision: arrangement.revision, window: all });
      if (!cut.ok || drawnFor.picture !== arrangement) return;
      const density = window.devicePixelRatio || 1;
      surface.width = Math.round(plotWidth * density);
      surface.height = Math.round(HEIGHT * density);
      surface.style.width = `${plotWidth}px`;
      surface.style.height = `${HEIGHT}px`;
      const context = surface.getContext('2d');
      if (!context) return;
      context.scale(density, density);
      const { paint: paints, ink } = theme;
      // A prescribed color for lines may be as strong as that of the bars.
      context.fillStyle = typeof named === 'string' ? ink.hairline : ink.ground;
      context.fillRect(0, 0, plotWidth, HEIGHT);
      for (const { style, x, y, width, height } of minimapBars(cut.value, arrangement.scale, plotWidth, HEIGHT)) {
        context.fillStyle = paints[style].stroke;
        context.fillRect(x, y, width, height);
      }
    };

    const frame = () => {
      const { picture, view } = useApp.getState();
      const marker = windowFrame.current;
      if (!picture || !view || !marker) return;
      const all = fitAll(picture.arrangement.scale, view.width);
      const x0 = Math.max(0, pixelOf(all, worldAt(view, 0)));
      const x1 = Math.min(view.width, pixelOf(all, worldAt(view, view.width)));
      marker.style.transform = `translateX(${left() + Math.min(x0, view.width - 4)}px)`;
      marker.style.width = `${Math.max(4, x1 - x0)}px`;
      const seen = boundsInView(view, picture.arrangement.scale);
      element.setAttribute('aria-label', `Overview. Shown: ${groupedHex(seen.start)} to ${groupedHex(seen.last)}`);
    };

    const update = () => {
      surface.style.marginLeft = `${left()}px`;
      frame();
      void paint();
    };
    const at = placeIn(element);
    const go = (event: PointerEvent) => {
      const { picture, view } = useApp.getState();
      if (!picture || !view) return;
      const pixel = at(event).x - left();
      const all = fitAll(picture.arrangement.scale, view.width);
      centreOn(worldAt(all, Math.min(view.width, Math.max(0, pixel))));
    };
    const listeners = new AbortController();
    const { signal } = listeners;
    element.addEventListener(
      'pointerdown',
      (event) => {
        element.setPointerCapture(event.pointerId);
        // A finger may be about to scroll the page.
        if (event.pointerType !== 'touch') go(event);
      },
      { signal },
    );
    for (const type of ['pointermove', 'pointerup'] as const) {
      element.addEventListener(
        type,
        (event) => {
          if (element.hasPointerCapture(event.pointerId)) go(event);
        },
        { signal },
      );
    }
    onSystemTheme(() => void paint(), signal);
    const unsubscribe = useApp.subscribe((now, before) => {
      if (SHOWN.some((field) => now[field] !== before[field])) update();
    });
    update();
    return () => {
      unsubscribe();
      listeners.abort();
    };
  }, []);

  return (
    <div ref={box} className="minimap" role="img" aria-label="Overview" data-testid="minimap">
      <canvas ref={canvas} />
      <div ref={windowFrame} className="minimap-window" data-testid="minimap-window" />
    </div>
  );
}
