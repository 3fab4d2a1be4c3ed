import { lazy, useRef, useState } from 'react';
import type { ScaleKind } from '../../timeline/axis/scale.ts';
import { useApp } from '../state/app-state.ts';
import { setScale } from '../state/picture.ts';
import { setTheme } from '../state/theme.ts';
import { openPicked } from './open-files.ts';
import './toolbar.css';
import { LoadBoundary } from '../panels/load-boundary.tsx';

const SearchBox = lazy(async () => ({ default: (await import('./search-box.tsx')).SearchBox }));
const OpenMenu = lazy(async () => ({ default: (await import('./menus.tsx')).OpenMenu }));
const ExportMenu = lazy(async () => ({ default: (await import('./menus.tsx')).ExportMenu }));

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

interface MenuButtonProps {
  readonly label: string;
  readonly className: string;
  onPress(): void;
}

/** The button of a menu that is not loaded yet: pressed, the menu opens as soon as it is there. */
function MenuButton({ label, className, onPress }: MenuButtonProps) {
  return (
    <button type="button" className={className} aria-haspopup="menu" onClick={onPress}>
      {label} ▾
    </button>
  );
}

interface ToolbarProps {
  /** Whether to load the parts that the first picture does not need. */
  readonly isComplete: boolean;
  onPaste(): void;
  onConnect(): void;
  onHelp(): void;
}

export function Toolbar({ isComplete, onPaste, onConnect, onHelp }: ToolbarProps) {
  const theme = useApp((s) => s.theme);
  const files = useRef<HTMLInputElement>(null);
  const folder = useRef<HTMLInputElement>(null);
  /** The menu whose button was pressed before it was loaded. */
  const [pressed, setPressed] = useState<'open' | 'export'>();
  const pick = (input: HTMLInputElement) => {
    if (input.files && input.files.length > 0) void openPicked([...input.files]);
    input.value = '';
  };
  const openButton = <MenuButton label="Open" className="button primary" onPress={() => setPressed('open')} />;
  const exportButton = <MenuButton label="Export" className="button" onPress={() => setPressed('export')} />;
  const searchSpace = <span className="search-space" />;
  const areMenusWanted = isComplete || pressed !== undefined;
  return (
    <header className="toolbar">
      <h1>iovascope</h1>
      <LoadBoundary fallback={openButton}>
        {areMenusWanted ? (
          <OpenMenu
            isOpenAtFirst={pressed === 'open'}
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
      <LoadBoundary fallback={exportButton}>
        {areMenusWanted ? <ExportMenu isOpenAtFirst={pressed === 'export'} /> : exportButton}
      </LoadBoundary>
      <ScaleChoice />
      <LoadBoundary fallback={searchSpace}>{isComplete ? <SearchBox /> : searchSpace}</LoadBoundary>
      <span className="spring" />
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
    </header>
  );
}
