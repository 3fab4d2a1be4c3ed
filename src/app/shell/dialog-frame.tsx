import type { ReactNode } from 'react';
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

export function Frame({ isOpen, onOpenChange, title, children }: FrameProps) {
  return (
    <ModalOverlay className="overlay" isDismissable isOpen={isOpen} onOpenChange={onOpenChange}>
      <Modal className="modal">
        <Dialog className="dialog">
          <Heading slot="title">{title}</Heading>
          {children}
        </Dialog>
      </Modal>
    </ModalOverlay>
  );
}
