import type { Mark, Scene } from '../scene/mark.ts';
import type { StyleName } from '../scene/style-names.ts';
import { textWidth } from '../scene/text-metrics.ts';
import { cssFont, type Paint, THEMES, type Theme, type ThemeName } from '../scene/theme.ts';
import { SANS_STACK, TEXT, WASH_OPACITY } from '../scene/tokens.ts';

const ESCAPES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

/** Text for XML: escaped, and without the characters that XML forbids. */
function escapeXml(value: string): string {
  return value
    .replace(/[^\P{Cc}\t\n]|\p{Cs}|\p{Bidi_Control}|[\u2028\u2029\ufffe\uffff]/gu, '\ufffd')
    .replace(/[&<>"]/g, (c) => ESCAPES[c] ?? c);
}

function n(value: number): string {
  return String(Math.round(value * 100) / 100);
}

function pattern(style: StyleName, paint: Paint): string {
  const { tile } = paint;
  if (!tile) return '';
  const { size } = tile;
  const shapes = [
    `<rect width="${size}" height="${size}" fill="${paint.fill}"/>`,
    ...tile.lines.map(
      ([x1, y1, x2, y2]) =>
        `<line x1="${x1}" y1="${y1}" x2="${x2}" y2="${y2}" stroke="${paint.pattern}" stroke-width="${tile.lineWidth}"/>`,
    ),
    ...tile.dots.map(([x, y, r]) => `<circle cx="${x}" cy="${y}" r="${r}" fill="${paint.pattern}"/>`),
  ];
  return `<pattern id="p-${style}" width="${size}" height="${size}" patternUnits="userSpaceOnUse">${shapes.join('')}</pattern>`;
}

function markSvg(mark: Mark, theme: Theme): string {
  switch (mark.type) {
    case 'bar': {
      const paint = theme.paint[mark.style];
      const fill = paint.tile ? `url(#p-${mark.style})` : paint.fill;
      const dash = paint.dash ? ` stroke-dasharray="${paint.dash.join(' ')}"` : '';
      const title = mark.title ? `<title>${escapeXml(mark.title)}</title>` : '';
      const box = `x="${n(mark.x)}" y="${n(mark.y)}" width="${n(mark.width)}" height="${n(mark.height)}"`;
      const stroke = ` stroke="${paint.stroke}"${dash}`;
      if (!mark.openLeft && !mark.openRight) return `<rect ${box} fill="${fill}"${stroke}>${title}</rect>`;
      const x1 = mark.x + mark.width;
      const y1 = mark.y + mark.height;
      const sides = [
        `M${n(mark.x)} ${n(mark.y)}H${n(x1)}`,
        `M${n(mark.x)} ${n(y1)}H${n(x1)}`,
        mark.openLeft ? '' : `M${n(mark.x)} ${n(mark.y)}V${n(y1)}`,
        mark.openRight ? '' : `M${n(x1)} ${n(mark.y)}V${n(y1)}`,
      ].join('');
      return `<rect ${box} fill="${fill}">${title}</rect><path d="${sides}" fill="none"${stroke}/>`;
    }
    case 'fill':
      return `<rect x="${n(mark.x)}" y="${n(mark.y)}" width="${n(mark.width)}" height="${n(mark.height)}" fill="${theme.ink[mark.ink]}"/>`;
    case 'wash':
      return `<rect x="${n(mark.x)}" y="${n(mark.y)}" width="${n(mark.width)}" height="${n(mark.height)}" fill="${theme.ink[mark.ink]}" fill-opacity="${WASH_OPACITY}"/>`;
    case 'outline':
      return `<rect x="${n(mark.x)}" y="${n(mark.y)}" width="${n(mark.width)}" height="${n(mark.height)}" fill="none" stroke="${theme.ink[mark.ink]}" stroke-width="2"/>`;
    case 'text': {
      const { weight: fontWeight, family } = cssFont(mark.font);
      const weight = fontWeight === '' ? '' : ` font-weight="${fontWeight}"`;
      const halo = mark.halo
        ? ` paint-order="stroke" stroke="${theme.ink.halo}" stroke-width="${theme.haloWidth}" stroke-linejoin="round"`
        : '';
      const anchor = mark.anchor === 'start' ? '' : ` text-anchor="${mark.anchor}"`;
      return `<text x="${n(mark.x)}" y="${n(mark.y)}" font-size="${mark.size}" font-family="${escapeXml(family)}"${weight}${anchor} fill="${theme.ink[mark.ink]}"${halo}>${escapeXml(mark.text)}</text>`;
    }
    case 'path': {
      const points = mark.points.map(([x, y]) => `${n(x)},${n(y)}`).join(' ');
      return `<polyline points="${points}" fill="none" stroke="${theme.ink[mark.ink]}" stroke-width="${mark.width}"/>`;
    }
    case 'badge': {
      const width = Math.max(13, textWidth(mark.text, TEXT.tiny, 'bold') + 6);
      return (
        `<rect x="${n(mark.x - width / 2)}" y="${n(mark.y - 6.5)}" width="${n(width)}" height="13" rx="6.5" fill="${theme.ink[mark.ink ?? 'badge']}"/>` +
        `<text x="${n(mark.x)}" y="${n(mark.y + 3.5)}" font-size="${TEXT.tiny}" font-family="${escapeXml(SANS_STACK)}" font-weight="600" text-anchor="middle" fill="${theme.ink.ground}">${escapeXml(mark.text)}</text>`
      );
    }
  }
}

/** The scene as a stand-alone SVG file. */
export function paintSvg(scene: Scene, name: Theme | ThemeName): string {
  const theme = typeof name === 'string' ? THEMES[name] : name;
  const used = new Set(scene.marks.flatMap((mark) => (mark.type === 'bar' ? [mark.style] : [])));
  const patterns = [...used].map((style) => pattern(style, theme.paint[style])).join('');
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${scene.width}" height="${scene.height}" viewBox="0 0 ${scene.width} ${scene.height}" role="img">`,
    `<title>${escapeXml(scene.description)}</title>`,
    `<defs>${patterns}</defs>`,
    `<rect width="100%" height="100%" fill="${theme.ink.ground}"/>`,
    ...scene.marks.map((mark) => markSvg(mark, theme)),
    '</svg>\n',
  ].join('\n');
}
