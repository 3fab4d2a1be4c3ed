import { type ReactNode, useState } from 'react';
import { Button, Dialog, Heading, Label, Modal, ModalOverlay, TextArea, TextField } from 'react-aria-components';
import { KEYS } from './keys.ts';
import { openText } from './open-files.ts';

interface Controlled {
  readonly isOpen: boolean;
  onOpenChange(open: boolean): void;
}

function Frame({ isOpen, onOpenChange, title, children }: Controlled & { title: string; children: ReactNode }) {
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

/** All keys, and what the page can do with a mouse. */
export function HelpDialog(props: Controlled) {
  return (
    <Frame {...props} title="Keys and gestures">
      <dl className="keys">
        {KEYS.map(({ keys, does }) => (
          <div key={does} className="pair">
            <dt>
              {keys.map((key) => (
                <kbd key={key}>{key}</kbd>
              ))}
            </dt>
            <dd>{does}</dd>
          </div>
        ))}
      </dl>
      <p className="second">
        Drop files or folders anywhere, or paste text anywhere outside a text field. Nothing that you open leaves this
        page.
      </p>
      <Button className="button" slot="close">
        Close
      </Button>
    </Frame>
  );
}

/** For those who want to see what they paste. */
export function PasteDialog(props: Controlled) {
  const [text, setText] = useState('');
  return (
    <Frame {...props} title="Paste a dump">
      <TextField className="paste" value={text} onChange={setText} autoFocus>
        <Label>The text as you have it: quote marks, prompts and log prefixes may stay</Label>
        <TextArea rows={14} spellCheck="false" placeholder="cat /sys/kernel/iommu_groups/7/reserved_regions …" />
      </TextField>
      <div className="dialog-buttons">
        <Button className="button" slot="close">
          Cancel
        </Button>
        <Button
          className="button primary"
          isDisabled={text.trim() === ''}
          onPress={() => {
            props.onOpenChange(false);
            setText('');
            void openText(text);
          }}
        >
          Open
        </Button>
      </div>
    </Frame>
  );
}
