import { type KeyboardEvent, type RefObject, useEffect, useRef, useState } from 'react';
import { useMove } from 'react-aria/useMove';
import { useApp } from '../state/app-state.ts';
import { foldPanel, resizePanel, togglePanel } from '../state/frame.ts';
import type { PanelName } from '../state/initial-frame.ts';

const LABELS: Readonly<Record<PanelName, string>> = {
  left: 'Width of the left panel',
  right: 'Width of the right panel',
  details: 'Height of the details',
};

/** Pixels that an arrow key moves. */
const KEY_STEP = 16;
/** A panel that is dragged to less than this size is folded away. */
const FOLD_SIZE = 80;

interface Extent {
  readonly size: number;
  readonly room: number;
}

/** Size of a panel and of what it shares with others, in pixels along the axis of its splitter. */
function extentOf(panel: HTMLElement, isVertical: boolean): Extent {
  const parent = panel.parentElement;
  return isVertical
    ? { size: panel.offsetHeight, room: parent?.clientHeight ?? 0 }
    : { size: panel.offsetWidth, room: parent?.clientWidth ?? 0 };
}

export interface SplitterProps {
  readonly name: PanelName;
  readonly panel: RefObject<HTMLElement | null>;
}

/** The edge of a panel: drag it, or move it with the arrow keys; Enter folds the panel, a double click resets its size. */
export function Splitter({ name, panel }: SplitterProps) {
  const isFolded = useApp((s) => s.frame.folded.includes(name));
  const isVertical = name === 'details';
  const [share, setShare] = useState(0);
  /** Size that the pointer has dragged the panel to, with fractions and below the minimum. */
  const dragged = useRef(0);

  useEffect(() => {
    const element = panel.current;
    const parent = element?.parentElement;
    if (!element || !parent) return;
    const observer = new ResizeObserver(() => {
      const { size, room } = extentOf(element, isVertical);
      setShare(room > 0 ? Math.round((100 * size) / room) : 0);
    });
    observer.observe(element);
    observer.observe(parent);
    return () => observer.disconnect();
  }, [panel, isVertical]);

  const { moveProps } = useMove({
    onMoveStart: () => {
      dragged.current = panel.current ? extentOf(panel.current, isVertical).size : 0;
    },
    onMove: ({ deltaX, deltaY, pointerType }) => {
      const element = panel.current;
      if (!element) return;
      const delta = name === 'left' ? deltaX : name === 'right' ? -deltaX : -deltaY;
      dragged.current += pointerType === 'keyboard' ? delta * KEY_STEP : delta;
      const isTooSmall = dragged.current < FOLD_SIZE;
      if (isTooSmall && pointerType !== 'keyboard') foldPanel(name, true);
      else if (!isTooSmall) resizePanel(name, Math.min(dragged.current, extentOf(element, isVertical).room));
    },
    onMoveEnd: ({ pointerType }) => {
      // What was dragged beyond the limits is not remembered. (A key has not been rendered yet; the next one begins at
      // the size that the panel then has.)
      if (pointerType === 'keyboard') return;
      const size = panel.current ? extentOf(panel.current, isVertical).size : 0;
      if (size > 0) resizePanel(name, size);
    },
  });
  const onKeyDown = (event: KeyboardEvent<HTMLElement>) => {
    if (event.key !== 'Enter') {
      moveProps.onKeyDown?.(event);
      return;
    }
    event.preventDefault();
    togglePanel(name);
  };

  return (
    // A separator that can be focused is a widget (WAI-ARIA, window splitter); an <hr> cannot be one.
    // biome-ignore lint/a11y/useSemanticElements: see above
    <div
      {...moveProps}
      onKeyDown={onKeyDown}
      onDoubleClick={() => resizePanel(name, undefined)}
      className={`splitter splitter-${name}`}
      role="separator"
      tabIndex={0}
      aria-label={LABELS[name]}
      aria-orientation={isVertical ? 'horizontal' : 'vertical'}
      aria-controls={`panel-${name}`}
      aria-valuenow={isFolded ? 0 : share}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuetext={isFolded ? 'folded' : `${share} %`}
    />
  );
}
