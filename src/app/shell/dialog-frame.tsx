import { type ReactNode, useEffect, useRef } from 'react';
import { Dialog, Heading, Modal, ModalOverlay } from 'react-aria-components';
import './dialogs.css';

/** What every dialog of the page is given. */
export interface DialogProps {
  readonly isOpen: boolean;
  onOpenChange(isOpen: boolean): void;
}

interface FrameProps extends DialogProps {
  readonly title: string;
  readonly children: ReactNode;
}

/**
 * A modal dialog with a title. When a dialog above it closes, nothing has the focus until it is given back, and a key
 * pressed in that moment reaches no dialog: Escape closes the topmost one then, too.
 */
export function Frame({ isOpen, onOpenChange, title, children }: FrameProps) {
  const overlay = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (!isOpen) return;
    const closeTopmost = (event: KeyboardEvent): void => {
      if (event.key !== 'Escape' || event.target !== document.body) return;
      if ([...document.querySelectorAll('.overlay')].at(-1) === overlay.current) onOpenChange(false);
    };
    document.addEventListener('keydown', closeTopmost);
    return () => document.removeEventListener('keydown', closeTopmost);
  }, [isOpen, onOpenChange]);
  return (
    <ModalOverlay ref={overlay} className="overlay" isDismissable isOpen={isOpen} onOpenChange={onOpenChange}>
      <Modal className="modal">
        <Dialog className="dialog">
          <Heading slot="title">{title}</Heading>
          {children}
        </Dialog>
      </Modal>
    </ModalOverlay>
  );
}
