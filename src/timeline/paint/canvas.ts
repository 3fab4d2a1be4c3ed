import type { Mark, Scene } from '../scene/mark.ts';
import type { StyleName } from '../scene/style-names.ts';
import { textWidth } from '../scene/text-metrics.ts';
import { cssFont, THEMES, type Theme, type ThemeName } from '../scene/theme.ts';
import { SANS_STACK, TEXT, WASH_OPACITY } from '../scene/tokens.ts';

type Context = CanvasRenderingContext2D | OffscreenCanvasRenderingContext2D;

/** The patterns of each theme, by style and density. */
const patternCaches = new WeakMap<Theme, Map<string, CanvasPattern>>();

function fillOf(context: Context, theme: Theme, style: StyleName, density: number) {
  const paint = theme.paint[style];
  const { tile } = paint;
  if (!tile) return paint.fill;
  const patternCache = patternCaches.get(theme) ?? new Map<string, CanvasPattern>();
  patternCaches.set(theme, patternCache);
  const key = `${style} ${density}`;
  const cached = patternCache.get(key);
  if (cached) return cached;
  // The tile is drawn at the density of the screen and scaled back, so that it stays sharp.
  const side = Math.max(1, Math.round(tile.size * density));
  const canvas = new OffscreenCanvas(side, side);
  const tileContext = canvas.getContext('2d');
  if (!tileContext) return paint.fill;
  tileContext.scale(side / tile.size, side / tile.size);
  tileContext.fillStyle = paint.fill;
  tileContext.fillRect(0, 0, tile.size, tile.size);
  tileContext.strokeStyle = paint.pattern;
  tileContext.fillStyle = paint.pattern;
  tileContext.lineWidth = tile.lineWidth;
  for (const [x1, y1, x2, y2] of tile.lines) {
    tileContext.beginPath();
    tileContext.moveTo(x1, y1);
    tileContext.lineTo(x2, y2);
    tileContext.stroke();
  }
  for (const [x, y, r] of tile.dots) {
    tileContext.beginPath();
    tileContext.arc(x, y, r, 0, 2 * Math.PI);
    tileContext.fill();
  }
  const made = context.createPattern(canvas, 'repeat');
  if (!made) return paint.fill;
  made.setTransform(new DOMMatrix().scale(tile.size / side, tile.size / side));
  patternCache.set(key, made);
  return made;
}

function paintMark(context: Context, mark: Mark, theme: Theme, density: number): void {
  switch (mark.type) {
    case 'bar': {
      const paint = theme.paint[mark.style];
      context.fillStyle = fillOf(context, theme, mark.style, density);
      context.fillRect(mark.x, mark.y, mark.width, mark.height);
      if (mark.width < 2) {
        context.fillStyle = paint.stroke;
        context.fillRect(mark.x, mark.y, mark.width, mark.height);
        return;
      }
      context.strokeStyle = paint.stroke;
      context.lineWidth = 1;
      context.setLineDash(paint.dash ? [...paint.dash] : []);
      context.beginPath();
      const left = mark.x + 0.5;
      const right = mark.x + mark.width - 0.5;
      const top = mark.y + 0.5;
      const bottom = mark.y + mark.height - 0.5;
      context.moveTo(mark.openLeft ? mark.x : left, top);
      context.lineTo(mark.openRight ? mark.x + mark.width : right, top);
      if (mark.openRight) context.moveTo(mark.x + mark.width, bottom);
      else context.lineTo(right, bottom);
      context.lineTo(mark.openLeft ? mark.x : left, bottom);
      if (!mark.openLeft) context.lineTo(left, top);
      context.stroke();
      context.setLineDash([]);
      return;
    }
    case 'fill':
      context.fillStyle = theme.ink[mark.ink];
      context.fillRect(mark.x, mark.y, mark.width, mark.height);
      return;
    case 'wash':
      context.globalAlpha = WASH_OPACITY;
      context.fillStyle = theme.ink[mark.ink];
      context.fillRect(mark.x, mark.y, mark.width, mark.height);
      context.globalAlpha = 1;
      return;
    case 'outline':
      context.strokeStyle = theme.ink[mark.ink];
      context.lineWidth = 2;
      context.strokeRect(mark.x, mark.y, mark.width, mark.height);
      return;
    case 'text': {
      const { weight, family } = cssFont(mark.font);
      context.font = `${weight} ${mark.size}px ${family}`.trimStart();
      context.textAlign = mark.anchor === 'middle' ? 'center' : mark.anchor;
      if (mark.halo) {
        context.strokeStyle = theme.ink.halo;
        context.lineWidth = theme.haloWidth;
        context.lineJoin = 'round';
        context.strokeText(mark.text, mark.x, mark.y);
      }
      context.fillStyle = theme.ink[mark.ink];
      context.fillText(mark.text, mark.x, mark.y);
      return;
    }
    case 'path':
      context.strokeStyle = theme.ink[mark.ink];
      context.lineWidth = mark.width;
      context.lineJoin = 'round';
      context.beginPath();
      for (const [x, y] of mark.points) context.lineTo(x, y);
      context.stroke();
      return;
    case 'badge': {
      const width = Math.max(13, textWidth(mark.text, TEXT.tiny, 'bold') + 6);
      context.fillStyle = theme.ink[mark.ink ?? 'badge'];
      context.beginPath();
      context.roundRect(mark.x - width / 2, mark.y - 6.5, width, 13, 6.5);
      context.fill();
      context.font = `600 ${TEXT.tiny}px ${SANS_STACK}`;
      context.textAlign = 'center';
      context.fillStyle = theme.ink.ground;
      context.fillText(mark.text, mark.x, mark.y + 3.5);
    }
  }
}

/** The part of a scene that a canvas shows. */
export interface CanvasWindow {
  /** Pixels that the scene is scrolled up; its pinned part stays. */
  readonly scrolled: number;
  /** Height of the canvas in pixels of the scene. */
  readonly height: number;
}

/**
 * Paints the scene, or the part of it that `seen` says. The canvas must be `density` times the size of what is shown in
 * each direction (device pixels a CSS pixel).
 */
export function paintCanvas(
  context: Context,
  scene: Scene,
  theme: Theme | ThemeName,
  density: number,
  seen: CanvasWindow = { scrolled: 0, height: scene.height },
): void {
  const resolved = typeof theme === 'string' ? THEMES[theme] : theme;
  const { ground } = resolved.ink;
  const { from, top, bottom } = scene.pinned;
  const { scrolled, height } = seen;
  const moveUp = (pixels: number) => context.setTransform(density, 0, 0, density, 0, -pixels * density);
  context.setTransform(density, 0, 0, density, 0, 0);
  context.fillStyle = ground;
  context.fillRect(0, 0, scene.width, height);
  if (scrolled > 0) moveUp(scrolled);
  for (const mark of scene.marks.slice(0, from)) paintMark(context, mark, resolved, density);
  if (scrolled > 0) {
    moveUp(Math.min(scrolled, top));
    // The lanes disappear below the ruler.
    context.fillStyle = ground;
    context.fillRect(0, top, scene.width, bottom - top);
  }
  for (const mark of scene.marks.slice(from)) paintMark(context, mark, resolved, density);
}
