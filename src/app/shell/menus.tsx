import { type ReactNode, type RefObject, useEffect, useRef, useState } from 'react';
import { Button, Menu, MenuItem, MenuTrigger, Popover, Separator } from 'react-aria-components';
import { openSample } from './open-files.ts';
import { SAMPLES } from './samples.ts';

interface MenuProps {
  /** True if the button was pressed before the menu was loaded. */
  readonly isOpenAtFirst: boolean;
  /** The button that had the focus when it was replaced by the one of the loaded menu. */
  readonly focused: RefObject<string | undefined>;
}

interface TriggerProps extends MenuProps {
  readonly label: string;
  readonly className: string;
  readonly children: ReactNode;
}

/** The button takes the focus over before the menu opens: that returns it to where it was when it closes. */
function Trigger({ label, className, isOpenAtFirst, focused, children }: TriggerProps) {
  const button = useRef<HTMLButtonElement>(null);
  const [isOpen, setOpen] = useState(false);
  // Only when it appears: later the props say what was.
  // biome-ignore lint/correctness/useExhaustiveDependencies: see above
  useEffect(() => {
    if (focused.current === label || isOpenAtFirst) button.current?.focus();
    if (isOpenAtFirst) setOpen(true);
  }, []);
  return (
    <MenuTrigger isOpen={isOpen} onOpenChange={setOpen}>
      <Button ref={button} className={className}>
        {label} ▾
      </Button>
      <Popover className="popover">
        <Menu className="menu" aria-label={label}>
          {children}
        </Menu>
      </Popover>
    </MenuTrigger>
  );
}

interface OpenMenuProps extends MenuProps {
  onFiles(): void;
  onFolder(): void;
  onPaste(): void;
  onConnect(): void;
}

export function OpenMenu({ onFiles, onFolder, onPaste, onConnect, ...props }: OpenMenuProps) {
  return (
    <Trigger {...props} label="Open" className="button primary">
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
      <MenuItem
        className="menu-item"
        onAction={() => void import('../state/lesson-reader.ts').then(({ openReader }) => openReader())}
      >
        Lessons…
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
    </Trigger>
  );
}
