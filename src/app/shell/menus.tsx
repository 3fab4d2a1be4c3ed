import { Button, Menu, MenuItem, MenuTrigger, Popover, Separator } from 'react-aria-components';
import { exportPng, exportSession, exportSvg } from '../canvas/export.ts';
import { useApp } from '../state/app-state.ts';
import { openSample } from './open-files.ts';
import { SAMPLES } from './samples.ts';

interface MenuProps {
  /** True if the button was pressed before the menu was loaded. */
  readonly isOpenAtFirst: boolean;
}

interface OpenMenuProps extends MenuProps {
  onFiles(): void;
  onFolder(): void;
  onPaste(): void;
  onConnect(): void;
}

export function OpenMenu({ isOpenAtFirst, onFiles, onFolder, onPaste, onConnect }: OpenMenuProps) {
  return (
    <MenuTrigger defaultOpen={isOpenAtFirst}>
      <Button className="button primary">Open ▾</Button>
      <Popover className="popover">
        <Menu className="menu" aria-label="Open">
          <MenuItem className="menu-item" onAction={onFiles}>
            Files…
          </MenuItem>
          <MenuItem className="menu-item" onAction={onFolder}>
            Folder…
          </MenuItem>
          <MenuItem className="menu-item" onAction={onPaste}>
            Paste text…
          </MenuItem>
          <MenuItem className="menu-item" onAction={onConnect}>
            Live host…
          </MenuItem>
          <Separator className="separator" />
          {SAMPLES.map((sample) => (
            <MenuItem
              key={sample.id}
              id={sample.id}
              className="menu-item"
              textValue={sample.title}
              onAction={() => void openSample(sample)}
            >
              <span>{sample.title}</span>
              <span className="second">{sample.hint}</span>
            </MenuItem>
          ))}
        </Menu>
      </Popover>
    </MenuTrigger>
  );
}

export function ExportMenu({ isOpenAtFirst }: MenuProps) {
  const documents = useApp((s) => s.documents);
  return (
    <MenuTrigger defaultOpen={isOpenAtFirst}>
      <Button className="button">Export ▾</Button>
      <Popover className="popover">
        <Menu className="menu" aria-label="Export">
          <MenuItem className="menu-item" textValue="Picture as PNG" onAction={() => void exportPng()}>
            <span>Picture as PNG</span>
            <span className="second">Twice the size on screen, with a table of exact bounds</span>
          </MenuItem>
          <MenuItem className="menu-item" textValue="Picture as SVG" onAction={() => void exportSvg()}>
            <span>Picture as SVG</span>
            <span className="second">The same, with tooltips</span>
          </MenuItem>
          <MenuItem className="menu-item" textValue="Visible lanes as PNG" onAction={() => void exportPng('visible')}>
            <span>Visible lanes as PNG</span>
            <span className="second">Without what is scrolled out of view</span>
          </MenuItem>
          <Separator className="separator" />
          {documents.map(({ id, title }) => (
            <MenuItem
              key={id}
              id={id}
              className="menu-item"
              textValue={title}
              onAction={() => void exportSession(id, title)}
            >
              <span>Session file</span>
              <span className="second">{title}</span>
            </MenuItem>
          ))}
        </Menu>
      </Popover>
    </MenuTrigger>
  );
}
