import { type ReactNode, useEffect, useId, useRef, useState } from 'react';
import { Button } from 'react-aria-components';
import type { ReportParts } from '../../engine/protocol/share.ts';
import { LINK_LENGTH } from '../../engine/protocol/share.ts';
import { counted, formatSize } from '../../iova/format.ts';
import type { Replacement } from '../../session/sharing/redact.ts';
import type { ThemeName } from '../../timeline/scene/theme.ts';
import { useApp } from '../state/app-state.ts';
import { copy } from '../state/clipboard.ts';
import { copyPng } from '../state/copy-files.ts';
import { NOTE_MAX } from '../state/notes.ts';
import { saveFile } from '../state/save-file.ts';
import { Turns } from '../state/turns.ts';
import { useAnswer } from '../state/use-answer.ts';
import { useBlobAddress } from '../state/use-blob-address.ts';
import { type DialogProps, Frame } from './dialog-frame.tsx';
import { type Exported, type ExportForm, type ExportOptions, exported } from './export-forms.ts';
import './export-dialog.css';

interface FormRow {
  readonly id: ExportForm;
  readonly title: string;
  readonly hint: string;
  /** Whether names are replaced unless a person decides otherwise: in what is sent to strangers. */
  readonly isRedacted: boolean;
}

const FORMS: readonly FormRow[] = [
  {
    id: 'png',
    title: 'Picture (PNG)',
    hint: 'For issues, chats and slides; opens again in iovascope',
    isRedacted: false,
  },
  { id: 'svg', title: 'Picture (SVG)', hint: 'Sharp at any size; opens again in iovascope', isRedacted: false },
  { id: 'markdown', title: 'Report (Markdown)', hint: 'For bug trackers', isRedacted: true },
  { id: 'text', title: 'Text', hint: 'For mail: ASCII, 72 columns', isRedacted: true },
  {
    id: 'html',
    title: 'Web page (HTML)',
    hint: 'One file: this explorer with the case, works offline',
    isRedacted: false,
  },
  { id: 'session', title: 'Session file', hint: 'All facts and operations', isRedacted: false },
  { id: 'link', title: 'Link', hint: 'Carries the session; nothing is uploaded', isRedacted: true },
];

const isPicture = (form: ExportForm) => form === 'png' || form === 'svg';
const isReport = (form: ExportForm) => form === 'markdown' || form === 'text';

/** Milliseconds without a change after which the preview is made again. */
const PREVIEW_DELAY = 250;
/** Characters of a text that the preview shows. */
const PREVIEW_MAX = 60_000;
const REPLACEMENTS_MAX = 200;

interface CheckProps {
  readonly isOn: boolean;
  readonly children: ReactNode;
  onChange(isOn: boolean): void;
}

function Check({ isOn, onChange, children }: CheckProps) {
  return (
    <label className="export-check">
      <input type="checkbox" checked={isOn} onChange={(event) => onChange(event.target.checked)} />
      <span>{children}</span>
    </label>
  );
}

interface ChoiceProps<T extends string> {
  readonly label: string;
  readonly value: T;
  readonly options: readonly (readonly [T, string])[];
  onChange(value: T): void;
}

function Choice<T extends string>({ label, value, options, onChange }: ChoiceProps<T>) {
  return (
    <label className="export-choice">
      {label}
      <select
        value={value}
        onChange={(event) => {
          const chosen = options.find(([id]) => id === event.target.value);
          if (chosen) onChange(chosen[0]);
        }}
      >
        {options.map(([id, title]) => (
          <option key={id} value={id}>
            {title}
          </option>
        ))}
      </select>
    </label>
  );
}

/** What is replaced, before anything leaves. */
function Replacements({ replacements }: { replacements: readonly Replacement[] }) {
  const more = replacements.length - REPLACEMENTS_MAX;
  if (replacements.length === 0) return <p className="second">Nothing needs to be replaced.</p>;
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, and a keyboard has to reach that
    <section className="export-replacements" aria-label="Replaced values" tabIndex={0}>
      <table data-testid="replacements">
        <thead>
          <tr>
            <th scope="col">Field</th>
            <th scope="col">Value</th>
            <th scope="col">Replaced by</th>
            <th scope="col">Count</th>
          </tr>
        </thead>
        <tbody>
          {replacements.slice(0, REPLACEMENTS_MAX).map(({ field, value, replacement, count }) => (
            <tr key={`${field} ${value}`}>
              <td>{field}</td>
              <td className="mono">{value.length > 120 ? `${value.slice(0, 120)}…` : value}</td>
              <td className="mono">{replacement === '' ? '(removed)' : replacement}</td>
              <td>{count}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {more > 0 && <p>and {counted(more, 'more value')}</p>}
    </section>
  );
}

function Preview({ form, made }: { form: ExportForm; made: Exported | string | undefined }) {
  const isMade = typeof made === 'object';
  const address = useBlobAddress(isMade && isPicture(form) ? made.data : undefined);
  if (made === undefined) return <p className="second">Making the preview…</p>;
  if (typeof made === 'string') return <p className="severity-error">{made}</p>;
  const size = formatSize(BigInt(made.data.size));
  if (isPicture(form)) {
    return address ? <img src={address} alt={`Preview: ${made.name}`} data-testid="export-preview" /> : null;
  }
  if (form === 'html') {
    return (
      <p data-testid="export-preview">
        {made.name}: one file of {size}. It opens in any browser, even without a network.
      </p>
    );
  }
  const text = made.text ?? '';
  return (
    <>
      <p className="second">
        {made.name}, {form === 'link' ? `${text.length} characters` : size}
      </p>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, and a keyboard has to reach that */}
      <pre className="export-text" data-form={form} data-testid="export-preview" tabIndex={0}>
        {text.slice(0, PREVIEW_MAX)}
        {text.length > PREVIEW_MAX ? '\n…' : ''}
      </pre>
    </>
  );
}

interface Made {
  readonly form: ExportForm;
  /** The choices that it was made with. */
  readonly key: string;
  readonly result: Exported | string;
}

/**
 * Makes the form again a moment after the last change; late answers to earlier choices are dropped. Until then the one
 * before is shown, but it is not what may leave: `ready` is what was made with the present choices.
 */
function usePreview(
  form: ExportForm,
  options: ExportOptions,
): { readonly shown: Exported | string | undefined; readonly ready: Exported | undefined } {
  const [made, setMade] = useState<Made>();
  const turns = useRef(new Turns());
  const key = JSON.stringify([form, options]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: `key` is all of them
  useEffect(() => {
    const turn = turns.current.next();
    const timer = setTimeout(
      async () => {
        const result = await exported(form, options);
        if (turns.current.isCurrent(turn)) setMade({ form, key, result });
      },
      made?.form === form ? PREVIEW_DELAY : 0,
    );
    return () => clearTimeout(timer);
  }, [key]);
  const shown = made?.form === form ? made.result : undefined;
  return { shown, ready: made?.key === key && typeof shown === 'object' ? shown : undefined };
}

/** Everything that can be taken away: a picture, a report, a file, a link; with what goes in, and a preview. */
export function ExportDialog(props: DialogProps) {
  const [form, setForm] = useState<ExportForm>('png');
  const [title, setTitle] = useState('');
  const [notes, setNotes] = useState('');
  const [lanes, setLanes] = useState<'all' | 'visible'>('all');
  const [theme, setTheme] = useState<ThemeName>('light');
  const [parts, setParts] = useState<ReportParts>({ conflicts: true, lines: true, versions: true });
  const [hasLink, setHasLink] = useState(true);
  /** As a person decided, by form. */
  const [decided, setDecided] = useState<Partial<Record<ExportForm, boolean>>>({});
  const [pciAddresses, setPciAddresses] = useState(false);
  const [keepsNotes, setKeepsNotes] = useState(true);
  const documents = useApp((s) => s.documents);
  const { value: noted = [] } = useAnswer('notes', null, documents);
  const headingId = useId();
  const row = FORMS.find(({ id }) => id === form);
  const isRedacted = decided[form] ?? row?.isRedacted ?? true;
  const options: ExportOptions = {
    title: title.trim() === '' ? undefined : title.trim(),
    notes: notes.trim() === '' ? undefined : notes,
    lanes,
    theme,
    parts,
    hasLink,
    redact: isRedacted ? { pciAddresses, notes: keepsNotes } : undefined,
  };
  const { shown, ready } = usePreview(form, options);
  const preview = typeof shown === 'object' ? shown : undefined;
  const isTooLong = form === 'link' && (preview?.text?.length ?? 0) > LINK_LENGTH.max;
  const canCopy = ready !== undefined && form !== 'html' && !isTooLong;
  const copyForm = () => {
    if (!ready) return;
    if (form === 'png') void copyPng(ready.data, ready.name);
    else void copy(ready.text ?? '', form === 'link' ? 'link' : ready.name);
  };
  return (
    <Frame {...props} title="Export">
      <div className="export">
        <div className="export-choices">
          <fieldset className="export-forms">
            <legend>Format</legend>
            {FORMS.map(({ id, title: name, hint }) => (
              <label key={id} className="export-form">
                <input type="radio" name="export-form" checked={id === form} onChange={() => setForm(id)} />
                <span>
                  {name}
                  {id === form && <span className="second">{hint}</span>}
                </span>
              </label>
            ))}
          </fieldset>
          <label className="export-field">
            Title
            <input value={title} onChange={(event) => setTitle(event.target.value)} maxLength={200} />
          </label>
          <label className="export-field">
            Notes
            <textarea rows={3} value={notes} onChange={(event) => setNotes(event.target.value)} maxLength={NOTE_MAX} />
          </label>
          {isPicture(form) && (
            <>
              <Choice<'all' | 'visible'>
                label="Lanes"
                value={lanes}
                options={[
                  ['all', 'all'],
                  ['visible', 'visible'],
                ]}
                onChange={setLanes}
              />
              <Choice<ThemeName>
                label="Theme"
                value={theme}
                options={[
                  ['light', 'light'],
                  ['dark', 'dark'],
                ]}
                onChange={setTheme}
              />
            </>
          )}
          {isReport(form) && (
            <>
              <Check isOn={parts.conflicts !== false} onChange={(conflicts) => setParts({ ...parts, conflicts })}>
                Conflicts
              </Check>
              <Check isOn={parts.versions !== false} onChange={(versions) => setParts({ ...parts, versions })}>
                Kernel, model and versions
              </Check>
              {form === 'markdown' && !isRedacted && (
                <Check isOn={parts.lines !== false} onChange={(lines) => setParts({ ...parts, lines })}>
                  Lines of the dumps
                </Check>
              )}
              <Check isOn={hasLink} onChange={setHasLink}>
                Link
              </Check>
            </>
          )}
          <Check isOn={isRedacted} onChange={(isOn) => setDecided({ ...decided, [form]: isOn })}>
            Replace names, pointers and free text
          </Check>
          {isRedacted && (
            <Check isOn={pciAddresses} onChange={setPciAddresses}>
              Also replace PCI addresses
            </Check>
          )}
          {isRedacted && noted.length > 0 && (
            <Check isOn={keepsNotes} onChange={setKeepsNotes}>
              Keep the texts of {counted(noted.length, 'note')}
            </Check>
          )}
        </div>
        <section className="export-result" aria-labelledby={headingId}>
          <h3 id={headingId}>Preview</h3>
          <div className="export-preview">
            <Preview form={form} made={shown} />
          </div>
          {preview?.remarks.map((remark) => (
            <p key={remark} className="severity-warning">
              {remark}
            </p>
          ))}
          {preview && isRedacted && <Replacements replacements={preview.replacements} />}
        </section>
      </div>
      <div className="dialog-buttons">
        <Button className="button" slot="close">
          Close
        </Button>
        {form !== 'html' && (
          <Button className="button" isDisabled={!canCopy} onPress={copyForm}>
            Copy
          </Button>
        )}
        <Button className="button primary" isDisabled={!ready} onPress={() => ready && saveFile(ready)}>
          Save
        </Button>
      </div>
    </Frame>
  );
}
