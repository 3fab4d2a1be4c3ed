import { lazy, Suspense, useRef } from 'react';
import {
  Button,
  Menu,
  MenuItem,
  MenuTrigger,
  Popover,
  Separator,
  ToggleButton,
  ToggleButtonGroup,
} from 'react-aria-components';
import type { ScaleKind } from '../../timeline/axis/scale.ts';
import { exportPng, exportSession, exportSvg } from '../canvas/picture.ts';
import { useApp } from '../state/app-state.ts';
import { setScale } from '../state/picture.ts';
import { setTheme } from '../state/theme.ts';
import { openPicked, openSample } from './open-files.ts';
import { SAMPLES } from './samples.ts';
import './toolbar.css';

// Not needed for the first picture.
const SearchBox = lazy(async () => ({ default: (await import('./search-box.tsx')).SearchBox }));

const SCALES: readonly { readonly id: ScaleKind; readonly hint: string }[] = [
  { id: 'fold', hint: 'every boundary visible, empty stretches torn' },
  { id: 'linear', hint: 'true proportions' },
  { id: 'log', hint: 'powers of two at equal distances' },
];

function OpenMenu({ onPaste, onConnect }: { onPaste: () => void; onConnect: () => void }) {
  const files = useRef<HTMLInputElement>(null);
  const folder = useRef<HTMLInputElement>(null);
  const pick = (input: HTMLInputElement) => {
    if (input.files && input.files.length > 0) void openPicked([...input.files]);
    input.value = '';
  };
  return (
    <>
      <MenuTrigger>
        <Button className="button primary">Open ▾</Button>
        <Popover className="popover">
          <Menu
            className="menu"
            onAction={(key) => {
              if (key === 'files') files.current?.click();
              else if (key === 'folder') folder.current?.click();
              else if (key === 'paste') onPaste();
              else if (key === 'live') onConnect();
              else {
                const sample = SAMPLES.find((s) => s.id === key);
                if (sample) void openSample(sample);
              }
            }}
          >
            <MenuItem id="files" className="menu-item">
              Files …
            </MenuItem>
            <MenuItem id="folder" className="menu-item">
              Folder …
            </MenuItem>
            <MenuItem id="paste" className="menu-item">
              Paste text …
            </MenuItem>
            <MenuItem id="live" className="menu-item">
              Live host …
            </MenuItem>
            <Separator className="separator" />
            {SAMPLES.map((sample) => (
              <MenuItem key={sample.id} id={sample.id} className="menu-item" textValue={sample.title}>
                <span>{sample.title}</span>
                <span className="second">{sample.hint}</span>
              </MenuItem>
            ))}
          </Menu>
        </Popover>
      </MenuTrigger>
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
    </>
  );
}

function ExportMenu() {
  const documents = useApp((s) => s.documents);
  return (
    <MenuTrigger>
      <Button className="button">Export ▾</Button>
      <Popover className="popover">
        <Menu
          className="menu"
          onAction={(key) => {
            if (key === 'png') void exportPng();
            else if (key === 'svg') void exportSvg();
            else {
              const document = documents.find((d) => d.id === key);
              if (document) void exportSession(document.id, document.title);
            }
          }}
        >
          <MenuItem id="png" className="menu-item" textValue="Picture as PNG">
            <span>Picture as PNG</span>
            <span className="second">twice the size of the screen, with the exact bounds below</span>
          </MenuItem>
          <MenuItem id="svg" className="menu-item" textValue="Picture as SVG">
            <span>Picture as SVG</span>
            <span className="second">the same, with tooltips</span>
          </MenuItem>
          <Separator className="separator" />
          {documents.map((document) => (
            <MenuItem key={document.id} id={document.id} className="menu-item" textValue={document.title}>
              <span>Session file</span>
              <span className="second">{document.title}</span>
            </MenuItem>
          ))}
        </Menu>
      </Popover>
    </MenuTrigger>
  );
}

interface ToolbarProps {
  onPaste(): void;
  onConnect(): void;
  onHelp(): void;
}

export function Toolbar({ onPaste, onConnect, onHelp }: ToolbarProps) {
  const scale = useApp((s) => s.scale);
  const theme = useApp((s) => s.theme);
  return (
    <header className="toolbar">
      <h1>iovascope</h1>
      <OpenMenu onPaste={onPaste} onConnect={onConnect} />
      <ExportMenu />
      <ToggleButtonGroup
        className="segments"
        aria-label="Scale"
        selectionMode="single"
        disallowEmptySelection
        selectedKeys={[scale]}
        onSelectionChange={(keys) => {
          const [key] = keys;
          const chosen = SCALES.find((s) => s.id === key);
          if (chosen) setScale(chosen.id);
        }}
      >
        {SCALES.map(({ id, hint }) => (
          <ToggleButton key={id} id={id} className="segment">
            <span title={hint}>{id}</span>
          </ToggleButton>
        ))}
      </ToggleButtonGroup>
      <Suspense fallback={<span className="search-space" />}>
        <SearchBox />
      </Suspense>
      <span className="spring" />
      <Button
        className="button"
        aria-label={theme === 'light' ? 'Dark theme' : 'Light theme'}
        onPress={() => setTheme(theme === 'light' ? 'dark' : 'light')}
      >
        <span aria-hidden="true">{theme === 'light' ? '☾' : '☀'}</span>
      </Button>
      <Button className="button" aria-label="Keys and gestures" onPress={onHelp}>
        ?
      </Button>
    </header>
  );
}
