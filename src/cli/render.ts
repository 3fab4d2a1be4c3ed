import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseRange } from '../iova/parse.ts';
import type { IovaRange } from '../iova/range.ts';
import type { Dumps } from '../lib/dumps.ts';
import {
  RENDER_WIDTH,
  type ReportOptions,
  renderHtml,
  renderMarkdown,
  renderSvg,
  renderText,
  shareDumps,
} from '../lib/share-dumps.ts';
import { kernelProblem, parseCommandArgs } from './args.ts';
import { GUEST_HELP, guestOf } from './guest-option.ts';
import { type CliIo, type Command, type ExitCode, unusable } from './io.ts';
import { NotPossible } from './not-possible.ts';
import { exitWith, openFiles } from './open-files.ts';
import { PACKAGE_ROOT, packageVersion } from './version.ts';

const HELP = `usage: iovascope render FILE… -o OUT.{svg,png,txt,md,html} [--width N] [--theme light|dark]
                 [--scale fold|linear|log] [--range A-B] [--guest G] [--redact]
                 [--title TEXT] [--notes TEXT] [--base URL] [--kernel V]

Draws the address spaces that the dumps describe, as the browser does, with the answer, a
legend, the exact bounds and their sources. The same input gives the same bytes. .svg and .png
are pictures that iovascope can open again; .png needs Chromium (IOVASCOPE_CHROMIUM or on the
PATH). .txt is ASCII of at most 72 columns, for mail; .md is a bug report in Markdown; .html is
one file with the explorer, which works offline. "-o -" writes an SVG to standard output. See
"iovascope help inspect" for what can be read.

  --width N    pixels, ${RENDER_WIDTH.min} to ${RENDER_WIDTH.max}; default: ${RENDER_WIDTH.default}
  --theme T    light or dark; default: light
  --scale S    fold (gaps compressed), linear or log; default: fold
  --range A-B  only these addresses, inclusive (also START+SIZE)
  --redact     replace names of hosts, files, guests and objects, pointers and free text
  --title T    title instead of the picture's own
  --notes T    text to add below the answer
  --base URL   page for the link in .txt and .md, such as https://iovascope.github.io/iovascope/
  --kernel V   answer by the rules of this kernel version, such as 6.1; default: that of the dumps
  --guest G    also draw and check this guest:
${GUEST_HELP}

Exit code 0: done; 2: usage error, or some input could not be read.`;

const OPTIONS = {
  output: { type: 'string', short: 'o' },
  width: { type: 'string' },
  theme: { type: 'string' },
  scale: { type: 'string' },
  range: { type: 'string' },
  guest: { type: 'string' },
  redact: { type: 'boolean' },
  title: { type: 'string' },
  notes: { type: 'string' },
  base: { type: 'string' },
  kernel: { type: 'string' },
} as const;

const FORMS = ['svg', 'txt', 'md', 'html', 'png'] as const;

/** The page for work without a network; `npm run build` makes it. */
const OFFLINE_PAGE = join(PACKAGE_ROOT, 'dist', 'web', 'offline.html');

async function offlinePage(): Promise<string> {
  return readFile(OFFLINE_PAGE, 'utf8').catch(() => {
    throw new NotPossible('the offline page is not built; run: npm run build');
  });
}

const RENDERERS: Readonly<
  Record<Wanted['form'], (dumps: Dumps, options: ReportOptions) => Promise<string | Uint8Array>>
> = {
  svg: renderSvg,
  txt: renderText,
  md: renderMarkdown,
  html: async (dumps, options) => renderHtml(dumps, await offlinePage(), options),
  png: async (dumps, options) => {
    const [{ paintPng }, { pngWithSession }] = await Promise.all([
      import('./png.ts'),
      import('../session/sharing/png.ts'),
    ]);
    const { scene, session } = await shareDumps(dumps, 'picture', options);
    if (!scene) throw new Error('a picture without a scene');
    return pngWithSession(await paintPng(await offlinePage(), scene, options.theme ?? 'light'), session);
  },
};

type Values = Partial<Record<Exclude<keyof typeof OPTIONS, 'redact'>, string>> & { readonly redact?: boolean };

interface Wanted {
  readonly output: string;
  readonly form: (typeof FORMS)[number];
  readonly width: number;
  readonly theme: 'light' | 'dark';
  readonly scale: 'fold' | 'linear' | 'log';
  readonly range?: IovaRange;
  readonly redact: boolean;
  readonly title?: string;
  readonly notes?: string;
  readonly base?: string;
  readonly kernel?: string;
}

/** Checks the options; a string is what is wrong with them. */
function wantedOf(values: Values): Wanted | string {
  const { output, width = String(RENDER_WIDTH.default), theme = 'light', scale = 'fold' } = values;
  if (output === undefined) return 'no output file given: -o OUT.svg, .png, .txt, .md or .html';
  const form = output === '-' ? 'svg' : FORMS.find((name) => output.toLowerCase().endsWith(`.${name}`));
  if (!form) return `'${output}': expected a name that ends in ${FORMS.map((name) => `.${name}`).join(' or ')}`;
  const pixels = Number(width);
  if (!Number.isInteger(pixels) || pixels < RENDER_WIDTH.min || pixels > RENDER_WIDTH.max) {
    return `--width '${width}': expected a whole number from ${RENDER_WIDTH.min} to ${RENDER_WIDTH.max}`;
  }
  if (theme !== 'light' && theme !== 'dark') return `--theme '${theme}': expected light or dark`;
  if (scale !== 'fold' && scale !== 'linear' && scale !== 'log') {
    return `--scale '${scale}': expected fold, linear or log`;
  }
  const range = values.range === undefined ? undefined : parseRange(values.range);
  if (range && !range.ok) {
    return `--range '${values.range}': ${range.error.message} (at character ${range.error.position + 1})`;
  }
  const { redact = false, title, notes, base, kernel } = values;
  if (base !== undefined && !/^(?:https?|file):\/\//.test(base)) return `--base '${base}': expected a URL`;
  const wrongKernel = kernelProblem(kernel);
  if (wrongKernel !== undefined) return wrongKernel;
  return {
    ...{ output, form, width: pixels, theme, scale, redact },
    ...(range ? { range: range.value } : {}),
    ...(title === undefined ? {} : { title }),
    ...(notes === undefined ? {} : { notes }),
    ...(base === undefined ? {} : { base }),
    ...(kernel === undefined ? {} : { kernel }),
  };
}

async function run(args: readonly string[], io: CliIo): Promise<ExitCode> {
  const parsed = parseCommandArgs(args, OPTIONS);
  if (!parsed.ok) return unusable(io, `render: ${parsed.message}`);
  if (parsed.positionals.length === 0) return unusable(io, 'render: no file given; use - for standard input');
  const wanted = wantedOf(parsed.values);
  if (typeof wanted === 'string') return unusable(io, `render: ${wanted}`);

  // Only Markdown quotes lines.
  const reading = { keepsData: wanted.form === 'md' };
  const opened = await openFiles(parsed.positionals, io, reading);
  if (!opened.ok) return unusable(io, `render: ${opened.message}`);
  const guest = parsed.values.guest === undefined ? undefined : await guestOf(parsed.values.guest, io, reading);
  if (typeof guest === 'string') return unusable(io, `render: --guest ${guest}`);
  const { output, form, ...rest } = wanted;
  const options = { ...rest, ...(guest ? { guest: guest.guest, guestName: guest.name } : {}) };
  let content: string | Uint8Array;
  try {
    content = await RENDERERS[form](opened.dumps, { ...options, version: packageVersion() });
  } catch (error) {
    if (error instanceof NotPossible) return unusable(io, `render: ${output}: ${error.message}`);
    throw error;
  }
  if (output === '-') io.stdout(String(content));
  else {
    try {
      await io.writeFile(output, content);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      return unusable(io, `render: ${output} cannot be written: ${reason}`);
    }
  }
  return exitWith(0, 'render', [...opened.unread, ...(guest?.unread ?? [])], io);
}

export const RENDER: Command = { help: HELP, run };
