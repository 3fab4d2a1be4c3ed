// The pictures of the gallery: every type of range, every kind of lane, every mark and every state, by the functions that
// draw the timeline.
import { range } from '../../iova/range.ts';
import { foldFor } from '../../timeline/axis/fold.ts';
import { linearScale, type Scale } from '../../timeline/axis/scale.ts';
import { cutSlices, sliceWindow } from '../../timeline/axis/slice.ts';
import { fitAll, fitRange } from '../../timeline/axis/viewport.ts';
import { finished, type LaneKind } from '../../timeline/lanes/kinds.ts';
import { type DescribedRange, describedLane, type SpaceLanes } from '../../timeline/lanes/lane.ts';
import { plotWidth } from '../../timeline/scene/layout.ts';
import type { Mark, Scene } from '../../timeline/scene/mark.ts';
import { buildScene, type SceneInput } from '../../timeline/scene/scene.ts';
import type { StyleName } from '../../timeline/scene/style-names.ts';
import { styleOf } from '../../timeline/scene/styles.ts';
import { type InkName, TEXT } from '../../timeline/scene/tokens.ts';

/** Which types each kind of lane has. */
const STYLES_OF_LANES: Readonly<Record<LaneKind, readonly StyleName[]>> = {
  aperture: ['aperture', 'beyond', 'unknown'],
  reserved: ['msi', 'direct', 'direct-relaxable', 'reserved', 'reserved-other', 'several'],
  doorbells: ['doorbell', 'doorbell-outside'],
  windows: ['window-ram', 'window-pci', 'window-reserved', 'window-other'],
  bars: ['bar'],
  allowed: ['allowed'],
  guest: ['guest-ram', 'guest-device', 'guest-io'],
  areas: ['area', 'area-read-only', 'area-write-only', 'area-no-access'],
  kept: ['kept'],
  cursors: ['cursor'],
  mappings: ['mapping', 'mapping-unsure'],
  requests: ['request-refused'],
  faults: ['fault'],
  notes: ['note'],
  differences: ['differs'],
  holes: ['hole'],
  usable: ['usable', 'reported'],
};

const STEP = 0x1000_0000n;

/** Every other step is a range of one of the styles, followed by a narrow one that has no room for its label. */
function rangesOf(styles: readonly StyleName[]): DescribedRange[] {
  return styles.flatMap((style, i) => {
    const start = STEP * BigInt(2 * i);
    const described = (from: bigint, last: bigint): DescribedRange => {
      const { label } = styleOf(style);
      return { ...range(from, last), style, caption: label, info: { title: label, sentence: '', parts: [] } };
    };
    const narrow = start + STEP + STEP / 2n;
    return [described(start, start + STEP - 1n), described(narrow, narrow + 0xf_ffffn)];
  });
}

function laneOf(kind: LaneKind, rows: readonly (readonly StyleName[])[] = [STYLES_OF_LANES[kind]]) {
  const isExpanded = rows.length > 1;
  return finished(
    describedLane(
      {
        ...{ id: `gallery#${kind}`, kind, title: kind, subtitle: 'a second line' },
        ...{ expandable: kind === 'reserved', expanded: isExpanded },
      },
      rows.map((styles, i) => ({
        ...(isExpanded ? { title: `group ${i}`, note: '0000:00:06.0' } : {}),
        ranges: rangesOf(styles),
      })),
    ),
  );
}

type State = Partial<Pick<SceneInput, 'selected' | 'bands' | 'numbered' | 'answer' | 'notes' | 'footer' | 'leftOut'>>;

function sceneOf(title: string, width: number, lanes: SpaceLanes['lanes'], scale: Scale, state: State = {}): Scene {
  const spaces = [{ id: 'gallery', title, subtitle: '', lanes }];
  const shown = range(0n, STEP * 12n - 1n);
  const plot = plotWidth(width);
  const view = scale.kind === 'fold' ? fitAll(scale, plot) : fitRange(scale, shown, plot, 0);
  const slices = cutSlices(spaces, scale, sliceWindow(view));
  return buildScene({ title, subtitle: `${scale.kind} scale`, scale, view, spaces: slices, width, ...state });
}

/** All kinds of lanes, each with all types that it has. */
export function lanesPicture(width: number): Scene {
  const lanes = (Object.keys(STYLES_OF_LANES) as LaneKind[]).map((kind) => laneOf(kind));
  return sceneOf('Kinds of lanes', width, lanes, linearScale());
}

const LANES = [laneOf('aperture'), laneOf('reserved'), laneOf('usable')];
const REQUEST = range(STEP / 2n, STEP * 3n);

/** The states of a picture by name; `plain` is the one without any. */
export function statePictures(width: number): Readonly<Record<string, Scene>> {
  const [linear, fold] = [linearScale(), foldFor([{ id: 'gallery', title: '', subtitle: '', lanes: LANES }])];
  const of = (state: State, lanes: SpaceLanes['lanes'] = LANES, scale = linear) =>
    sceneOf('State of a picture', width, lanes, scale, state);
  const numbered = (ink: 'alarm' | 'caution' | 'muted', number: number, at: bigint) => ({
    ...range(at, at + STEP / 4n),
    ...{ number, ink, message: 'a conflict' },
  });
  return {
    plain: of({}),
    selected: of({ selected: { laneId: 'gallery#reserved', ...range(0n, STEP - 1n) } }),
    refused: of({ bands: [{ ...REQUEST, message: 'requested', ink: 'alarm' }] }),
    measured: of({ bands: [{ ...REQUEST, message: 'measured', ink: 'accent' }] }),
    'fatal conflict': of({ numbered: [numbered('alarm', 1, STEP)] }),
    'warning and note': of({ numbered: [numbered('caution', 2, STEP), numbered('muted', 3, STEP * 5n)] }),
    folded: of({}, LANES, fold),
    expanded: of({}, [laneOf('aperture'), laneOf('reserved', [['msi'], ['direct', 'reserved']]), laneOf('usable')]),
    exported: of({
      answer: { severity: 'fatal', text: 'The map was refused (EINVAL).', remedies: ['Move the region.'] },
      ...{ notes: ['What a person wrote.'], footer: ['Linux 6.12'], leftOut: ['reserved: 2 ranges'] },
    }),
  };
}

/** The marks of one picture. */
export function markScene(width: number, height: number, marks: readonly Mark[]): Scene {
  const plot = { x: 0, y: 0, width, height };
  const pinned = { from: marks.length, top: 0, bottom: 0 };
  return { width, height, plot, marks, pinned, hits: [], heads: [], flags: [], description: '' };
}

/** A type as it is drawn: a bar with its label, one that continues outside of the plot, and one of a pixel. */
export function typeScene(style: StyleName): Scene {
  const { label } = styleOf(style);
  const bar = { type: 'bar', y: 4, height: 32, style } as const;
  const text = {
    type: 'text',
    y: 24,
    size: TEXT.label,
    font: 'sans',
    ink: 'ink',
    anchor: 'start',
    halo: true,
  } as const;
  return markScene(260, 40, [
    { ...bar, x: 4, width: 160 },
    { ...text, x: 12, text: label.slice(0, 20) },
    { ...bar, x: 174, width: 60, openRight: true },
    { ...bar, x: 246, width: 1 },
  ]);
}

/** Every mark that a painter knows in an ink. */
export function inkScene(ink: InkName): Scene {
  const box = { y: 6, width: 34, height: 28, ink } as const;
  const text = { type: 'text', y: 24, text: 'Ab0', ink, anchor: 'start' } as const;
  return markScene(340, 40, [
    { type: 'fill', x: 6, ...box },
    { type: 'wash', x: 48, ...box },
    { type: 'outline', x: 90, ...box },
    { ...text, x: 134, size: TEXT.label, font: 'sans' },
    { ...text, x: 168, size: TEXT.label, font: 'bold', halo: true },
    { ...text, x: 204, size: TEXT.small, font: 'mono' },
    { ...text, x: 236, size: TEXT.tiny, font: 'mono-bold' },
    { type: 'badge', x: 278, y: 20, text: '12', ink },
    {
      ...{ type: 'path', ink, width: 1 },
      points: [
        [296, 32],
        [312, 8],
        [330, 32],
      ],
    },
  ]);
}
