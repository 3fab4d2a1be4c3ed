// Wheel and drag of a mouse as deltas. d3-zoom recognizes them; its own transform is in doubles and would lose addresses, so
// only the change since the last event is used.
import { type D3ZoomEvent, select, zoom, zoomIdentity } from 'd3';
import { type GestureHandlers, type Gestures, placeIn } from './gestures.ts';

/** Listens on `element`, beside `attachGestures`. `plotLeft` answers where the plot begins inside it, in pixels. */
export function attachMouseZoom(
  element: HTMLElement,
  plotLeft: () => number,
  handlers: Pick<GestureHandlers, 'zoom' | 'pan'>,
): Gestures {
  const at = placeIn(element);
  let before = zoomIdentity;
  const behaviour = zoom<HTMLElement, unknown>()
    .filter((event: MouseEvent) => !event.shiftKey && !event.button && !(event.ctrlKey && event.type === 'mousedown'))
    .touchable(() => false)
    .on('zoom', (event: D3ZoomEvent<HTMLElement, unknown>) => {
      const { transform, sourceEvent } = event;
      const factor = transform.k / before.k;
      if (factor !== 1 && sourceEvent instanceof WheelEvent) handlers.zoom(at(sourceEvent).x - plotLeft(), factor);
      else handlers.pan(transform.x - before.x);
      before = transform;
    })
    .on('end', () => {
      // Back to the start, so that the factor never saturates however far a person zooms.
      before = zoomIdentity;
      Object.assign(element, { __zoom: zoomIdentity });
    });
  const selection = select(element);
  selection.call(behaviour).on('dblclick.zoom', null);
  return { destroy: () => void selection.on('.zoom', null) };
}
