import { lazy, type RefObject, useRef, useState } from 'react';
import type { ScaleKind } from '../../timeline/axis/scale.ts';
import { LoadBoundary } from '../panels/load-boundary.tsx';
import { useApp } from '../state/app-state.ts';
import { togglePanel } from '../state/frame.ts';
import type { PanelName } from '../state/initial-frame.ts';
import { setScale } from '../state/picture.ts';
import { setTheme } from '../state/theme.ts';
import { openPicked } from './open-files.ts';
import { SearchSlot } from './search-slot.tsx';
import './toolbar.css';

const OpenMenu = lazy(async () => ({ default: (await import('./menus.tsx')).OpenMenu }));

const SCALES: readonly { readonly id: ScaleKind; readonly hint: string }[] = [
  { id: 'fold', hint: 'Every boundary visible, gaps compressed' },
  { id: 'linear', hint: 'True proportions' },
  { id: 'log', hint: 'Powers of two at equal distances' },
];

function ScaleChoice() {
  const scale = useApp((s) => s.scale);
  return (
    <div className="segments" role="radiogroup" aria-label="Scale">
      {SCALES.map(({ id, hint }) => (
        <label key={id} className="segment" title={hint} data-selected={id === scale || undefined}>
          <input type="radio" name="scale" aria-label={id} checked={id === scale} onChange={() => setScale(id)} />
          {id}
        </label>
      ))}
    </div>
  );
}

type MenuName = 'Open';

interface MenuButtonProps {
  readonly label: MenuName;
  readonly className: string;
  /** The button that has the focus: it stays there when the button is replaced by another one of the same name. */
  readonly focused: RefObject<MenuName | undefined>;
  onPress(): void;
}

/** The button of a menu that is not loaded yet: pressed, the menu opens as soon as it is there. */
function MenuButton({ label, className, focused, onPress }: MenuButtonProps) {
  return (
    <button
      type="button"
      // Removing the focused element fires no event: what is focused stays known.
      ref={(button) => {
        if (focused.current === label) button?.focus();
      }}
      className={className}
      aria-haspopup="menu"
      onClick={onPress}
      onFocus={() => {
        focused.current = label;
      }}
      onBlur={() => {
        focused.current = undefined;
      }}
    >
      {label} ▾
    </button>
  );
}

const PANEL_BUTTONS: readonly { readonly name: PanelName; readonly label: string; readonly key: string }[] = [
  { name: 'left', label: 'Left panel', key: 'L' },
  { name: 'details', label: 'Details', key: 'B' },
  { name: 'right', label: 'Right panel', key: 'I' },
];

/** Shows and folds the panels; only where they are side by side. */
function PanelButtons() {
  const folded = useApp((s) => s.frame.folded);
  return (
    <div className="panel-buttons">
      {PANEL_BUTTONS.map(({ name, label, key }) => (
        <button
          key={name}
          type="button"
          className="button"
          aria-label={label}
          title={`${label} (${key})`}
          aria-keyshortcuts={key}
          aria-expanded={!folded.includes(name)}
          aria-controls={`panel-${name}`}
          onClick={() => togglePanel(name)}
        >
          <span className={`panel-icon panel-icon-${name}`} aria-hidden="true" />
        </button>
      ))}
    </div>
  );
}

interface ToolbarProps {
  /** Whether to load the parts that the first picture does not need. */
  readonly isComplete: boolean;
  onPaste(): void;
  onConnect(): void;
  onExport(): void;
  onHelp(): void;
}

export function Toolbar({ isComplete, onPaste, onConnect, onExport, onHelp }: ToolbarProps) {
  const theme = useApp((s) => s.theme);
  const files = useRef<HTMLInputElement>(null);
  const folder = useRef<HTMLInputElement>(null);
  /** The menu whose button was pressed before it was loaded. */
  const [pressed, setPressed] = useState<MenuName>();
  const focused = useRef<MenuName>(undefined);
  const pick = (input: HTMLInputElement) => void openPicked(input);
  const openButton = (
    <MenuButton label="Open" className="button primary" focused={focused} onPress={() => setPressed('Open')} />
  );
  const areMenusWanted = isComplete || pressed !== undefined;
  return (
    <header className="toolbar">
      <h1>iovascope</h1>
      <LoadBoundary fallback={openButton}>
        {areMenusWanted ? (
          <OpenMenu
            isOpenAtFirst={pressed === 'Open'}
            focused={focused}
            onFiles={() => files.current?.click()}
            onFolder={() => folder.current?.click()}
            onPaste={onPaste}
            onConnect={onConnect}
          />
        ) : (
          openButton
        )}
      </LoadBoundary>
      <input
        ref={files}
        type="file"
        multiple
        hidden
        data-testid="pick-files"
        onChange={(event) => pick(event.currentTarget)}
      />
      <input
        ref={folder}
        type="file"
        hidden
        data-testid="pick-folder"
        {...{ webkitdirectory: '' }}
        onChange={(event) => pick(event.currentTarget)}
      />
      <button type="button" className="button" aria-haspopup="dialog" onClick={onExport}>
        Export…
      </button>
      <ScaleChoice />
      <LoadBoundary>
        <SearchSlot isComplete={isComplete} />
      </LoadBoundary>
      <div className="toolbar-end">
        <PanelButtons />
        <button
          type="button"
          className="button"
          aria-label={theme === 'light' ? 'Dark theme' : 'Light theme'}
          onClick={() => setTheme(theme === 'light' ? 'dark' : 'light')}
        >
          <span aria-hidden="true">{theme === 'light' ? '☾' : '☀'}</span>
        </button>
        <button type="button" className="button" aria-label="Keys and gestures" onClick={onHelp}>
          ?
        </button>
      </div>
    </header>
  );
}
