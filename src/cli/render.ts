import { numberedBands } from '../engine/answers/numbered-bands.ts';
import { subtitleOf } from '../engine/protocol/picture.ts';
import { parseRange } from '../iova/parse.ts';
import type { IovaRange } from '../iova/range.ts';
import type { ScaleKind } from '../timeline/axis/scale.ts';
import { sliceWindow } from '../timeline/axis/slice.ts';
import { fitAll, fitRange, visibleRange } from '../timeline/axis/viewport.ts';
import { paintSvg } from '../timeline/paint/svg.ts';
import { plotWidth } from '../timeline/scene/layout.ts';
import { buildScene } from '../timeline/scene/scene.ts';
import type { ThemeName } from '../timeline/scene/theme.ts';
import { parseVerbArgs } from './args.ts';
import { engineWith, keysOf, openDocument } from './documents.ts';
import { type CliIo, type ExitCode, unusable, type Verb } from './io.ts';

const WIDTH = { least: 320, usual: 1280, most: 8192 };
const BOUNDS_MAX = 200;

const HELP = `usage: iovascope render FILE… -o OUT.svg [--width N] [--theme light|dark]
                 [--scale fold|linear|log] [--range A-B]

Draws the address spaces that the dumps describe, with every group ticked, a legend, the
exact bounds and where they were read: the picture that the browser draws. Files as for
“inspect”; “-o -” writes to standard output.

  --width N    pixels, ${WIDTH.least} to ${WIDTH.most}; ${WIDTH.usual} if not given
  --range A-B  only these addresses, inclusive (also START+SIZE)

Exit code 0: done; 2: a file cannot be read, nothing was recognized, or the call is unusable.`;

const OPTIONS = {
  output: { type: 'string', short: 'o' },
  width: { type: 'string' },
  theme: { type: 'string' },
  scale: { type: 'string' },
  range: { type: 'string' },
} as const;

interface Wishes {
  readonly output: string;
  readonly width: number;
  readonly theme: ThemeName;
  readonly scale: ScaleKind;
  readonly range: IovaRange | undefined;
}

/** Checks the options; a string is what is wrong with them. */
function wishesOf(values: Partial<Record<keyof typeof OPTIONS, string>>): Wishes | string {
  const { output, width = String(WIDTH.usual), theme = 'light', scale = 'fold' } = values;
  if (output === undefined) return 'an output file is missing: -o OUT.svg';
  if (output !== '-' && !output.endsWith('.svg')) return `“${output}”: only .svg can be written`;
  const pixels = Number(width);
  if (!Number.isInteger(pixels) || pixels < WIDTH.least || pixels > WIDTH.most) {
    return `--width “${width}”: expected a whole number from ${WIDTH.least} to ${WIDTH.most}`;
  }
  if (theme !== 'light' && theme !== 'dark') return `--theme “${theme}”: expected light or dark`;
  if (scale !== 'fold' && scale !== 'linear' && scale !== 'log') {
    return `--scale “${scale}”: expected fold, linear or log`;
  }
  const range = values.range === undefined ? undefined : parseRange(values.range);
  if (range && !range.ok) {
    return `--range “${values.range}”: ${range.error.message} (at character ${range.error.position + 1})`;
  }
  return { output, width: pixels, theme, scale, range: range?.value };
}

async function run(args: readonly string[], io: CliIo): Promise<ExitCode> {
  const parsed = parseVerbArgs(args, OPTIONS);
  if (!parsed.ok) return unusable(io, `render: ${parsed.message}`);
  if (parsed.positionals.length === 0) return unusable(io, 'render: a file is missing; - is standard input');
  const wishes = wishesOf(parsed.values);
  if (typeof wishes === 'string') return unusable(io, `render: ${wishes}`);

  const opened = await openDocument('0', parsed.positionals, io);
  if (!opened.ok) return unusable(io, `render: ${opened.message}`);
  const ask = engineWith([opened.document]);
  const selectedGroups = keysOf(opened.document).shown;
  const arrangement = await ask('arrange', { selectedGroups, expanded: [], scale: wishes.scale });
  const { scale, revision } = arrangement;
  const plot = plotWidth(wishes.width);
  const view = wishes.range ? fitRange(scale, wishes.range, plot, 0) : fitAll(scale, plot);
  const spaces = await ask('slice', { revision, window: sliceWindow(view) });
  const bounds = await ask('bounds', { ...visibleRange(view, scale), limit: BOUNDS_MAX });
  const { rows: conflicts } = await ask('conflicts', { selectedGroups });
  const scene = buildScene({
    title: arrangement.title,
    subtitle: subtitleOf(arrangement),
    scale,
    view,
    spaces,
    width: wishes.width,
    numbered: numberedBands(conflicts),
    bounds,
  });
  const svg = paintSvg(scene, wishes.theme);
  if (wishes.output === '-') {
    io.stdout(svg);
    return 0;
  }
  try {
    await io.writeFile(wishes.output, svg);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return unusable(io, `render: ${wishes.output} cannot be written: ${reason}`);
  }
  return 0;
}

export const RENDER: Verb = { help: HELP, run };
