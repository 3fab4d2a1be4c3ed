// `window.iovascope`: the page as scripts drive it. What they do is what a person does with the mouse.
import type { Answered, ConflictRow } from '../../engine/protocol/answers.ts';
import type { Placement } from '../../engine/protocol/case.ts';
import { LINK_LENGTH } from '../../engine/protocol/share.ts';
import { hex } from '../../iova/format.ts';
import type { Scene } from '../../timeline/scene/mark.ts';
import type { ThemeName } from '../../timeline/scene/theme.ts';
import { useApp } from '../state/app-state.ts';
import { newCase, setDevice, setKernel } from '../state/case-actions.ts';
import { setGuest } from '../state/conflicts.ts';
import { dismissProblem } from '../state/notices.ts';
import { arranged, seenRange } from '../state/picture.ts';
import { shownSession } from '../state/shown-session.ts';
import type { Exported, ExportForm } from './export-forms.ts';
import { openAll, openText } from './open-files.ts';

const { getState: get } = useApp;

/** Bounds inclusive, in hex. */
interface HexRange {
  readonly start: string;
  readonly last: string;
}

interface RemedyInfo {
  readonly text: string;
  /** An option or a command to copy. */
  readonly copy?: string | undefined;
}

interface ConflictInfo {
  readonly severity: string;
  readonly text: string;
  readonly ranges: readonly (HexRange & { readonly role: string; readonly text: string })[];
  readonly errno: string | undefined;
  readonly rule: string;
  readonly remedies: readonly string[];
}

function hexRange({ start, last }: { readonly start: bigint; readonly last: bigint }): HexRange {
  return { start: hex(start), last: hex(last) };
}

/** Waits until the page shows the present state: the picture and the answer are there and drawn. */
async function shown(): Promise<void> {
  await arranged();
  // A hidden page gets no animation frames.
  await new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, 200);
    requestAnimationFrame(() =>
      requestAnimationFrame(() => {
        clearTimeout(timer);
        resolve();
      }),
    );
  });
}

async function after<T>(action: Promise<T>): Promise<T> {
  const value = await action;
  await shown();
  return value;
}

async function current(): Promise<Answered | undefined> {
  await shown();
  return get().documents.length > 0 ? get().conflicts : undefined;
}

function conflictInfo({ severity, title, marks, errno, rule, remedy, remedies = [] }: ConflictRow): ConflictInfo {
  return {
    severity,
    text: title,
    ranges: marks.map((mark) => ({ ...hexRange(mark), role: mark.role, text: mark.message })),
    errno,
    rule,
    remedies: [remedy, ...remedies.map(({ text }) => text)],
  };
}

/** Throws an error with the page's own message if an action failed. */
async function checked(action: Promise<boolean>): Promise<void> {
  if (!(await after(action))) throw new RangeError(get().problem?.message ?? 'not possible');
}

async function chooseGuest(guest: string | null): Promise<void> {
  if (guest === null) {
    await setGuest(undefined);
    return;
  }
  const { parseGuest } = await import('../../engine/picture/guests.ts');
  const parsed = parseGuest(guest);
  if (!parsed) throw new RangeError(`"${guest}": expected MACHINE:RAM[,OPTION…] such as q35:8G`);
  if (!parsed.ok) throw new RangeError(`"${guest}": ${parsed.message}`);
  await setGuest(parsed.choice);
}

async function chooseDevice(device: string | null, host: string | undefined): Promise<boolean> {
  const hosts = get().documents.filter(({ kind }) => kind === 'host');
  const found = host === undefined ? undefined : hosts.find(({ id, title }) => id === host || title === host);
  if (host !== undefined && !found) throw new RangeError(`"${host}": no host of the case has this id or name`);
  return setDevice(device, found?.id);
}

async function reset(): Promise<void> {
  dismissProblem();
  await newCase();
}

/** What a script can choose of an export. `redact`: replaces names, pointers and free text. */
interface ExportChoice {
  readonly redact?: boolean;
  readonly title?: string;
  readonly notes?: string;
  readonly theme?: 'light' | 'dark';
  readonly hasLink?: boolean;
}

/** Reports have no link unless it is asked for: the command line does not know the page's address either. */
const withoutLink = (options: ExportChoice): ExportChoice => ({ hasLink: false, ...options });

/** A form of the case; undefined if nothing is open. */
async function made(form: ExportForm, { redact = false, ...options }: ExportChoice): Promise<Exported | undefined> {
  await shown();
  if (get().documents.length === 0) return undefined;
  const { exported } = await import('./export-forms.ts');
  const result = await exported(form, { ...options, ...(redact ? { redact: {} } : {}) });
  if (typeof result === 'string') throw new Error(result);
  return result;
}

async function textOf(form: ExportForm, options: ExportChoice): Promise<string | undefined> {
  return (await made(form, options))?.text;
}

export const pageApi = {
  open(files: readonly { name: string; data: string | BufferSource | Blob }[]): Promise<readonly Placement[]> {
    return after(openAll(files.map(({ name, data }) => ({ name, data: new Blob([data]) }))));
  },
  paste: (text: string): Promise<readonly Placement[]> => after(openText(text)),
  async hosts() {
    await shown();
    const hosts = get().documents.filter(({ kind }) => kind === 'host');
    return hosts.map(({ id, title, sources, groups }) => ({
      id,
      name: title,
      sources: sources.map(({ name }) => name),
      groups: groups.map((group) => group.title),
    }));
  },
  async answer(): Promise<{ severity: string; text: string; remedies: readonly RemedyInfo[] } | undefined> {
    const answer = (await current())?.answer;
    if (!answer) return undefined;
    const { severity, text, remedies } = answer;
    return {
      severity,
      text,
      remedies: remedies.map(({ text: label, copy }) => ({ text: label, ...(copy === undefined ? {} : { copy }) })),
    };
  },
  conflicts: async (): Promise<readonly ConflictInfo[]> => ((await current())?.rows ?? []).map(conflictInfo),
  setGuest: (guest: string | null): Promise<void> => after(chooseGuest(guest)),
  setDevice: (device: string | null, host?: string): Promise<void> => checked(chooseDevice(device, host)),
  setKernel: (version: string | null): Promise<void> => checked(setKernel(version)),
  async state() {
    await shown();
    const { scale, selected } = get();
    const seen = seenRange(get());
    const session = shownSession(get());
    return {
      range: seen && hexRange(seen),
      scale,
      selection: selected ? { title: selected.title, ...hexRange(selected.target) } : undefined,
      /** Events that are applied in the session that is shown. */
      step: session?.hasHistory ? session.position : undefined,
    };
  },
  svg: (options: ExportChoice = {}): Promise<string | undefined> => textOf('svg', { theme: get().theme, ...options }),
  async png(options: ExportChoice = {}): Promise<Blob | undefined> {
    return (await made('png', { theme: get().theme, ...options }))?.data;
  },
  async paint(scene: Scene, theme: ThemeName = 'light'): Promise<Blob> {
    const { paintPng } = await import('./export-forms.ts');
    const png = await paintPng(scene, theme);
    if (typeof png === 'string') throw new Error(png);
    return png;
  },
  text: async (options: ExportChoice = {}): Promise<string> => (await textOf('text', withoutLink(options))) ?? '',
  markdown: async (options: ExportChoice = {}): Promise<string> =>
    (await textOf('markdown', withoutLink(options))) ?? '',
  async link({ redact = true }: { readonly redact?: boolean } = {}): Promise<string> {
    const link = await textOf('link', { redact });
    if (link === undefined) throw new RangeError('nothing is open');
    if (link.length > LINK_LENGTH.max) throw new RangeError('the session is too large for a link: save a file');
    return link;
  },
  reset: (): Promise<void> => after(reset()),
  help: async (): Promise<string> => (await import('./page-api-help.ts')).PAGE_API_HELP,
};
