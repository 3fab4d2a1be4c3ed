import { type ReactNode, useState } from 'react';
import { Button, Dialog, Heading, Input, Label, Modal, ModalOverlay, TextArea, TextField } from 'react-aria-components';
import { copyCollector } from '../canvas/picture.ts';
import { connectLive } from '../state/live-hosts.ts';
import { KEYS } from './keys.ts';
import { openText } from './open-files.ts';
import './dialogs.css';

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

/** Where a live host is: the address that its agent printed. */
export function ConnectDialog(props: Controlled) {
  const [address, setAddress] = useState('');
  const [problem, setProblem] = useState<string>();
  const connect = () => {
    const wrong = connectLive(address);
    setProblem(wrong);
    if (wrong === undefined) props.onOpenChange(false);
  };
  return (
    <Frame {...props} title="Live host">
      <form
        onSubmit={(event) => {
          event.preventDefault();
          connect();
        }}
      >
        <TextField className="paste" value={address} onChange={setAddress} autoFocus>
          <Label>The address that the agent printed, with its token</Label>
          <Input placeholder="http://127.0.0.1:8750/#live=…" spellCheck="false" autoComplete="off" />
        </TextField>
        {problem !== undefined && <p className="severity-error">{problem}</p>}
        <p className="second">
          On the host, or anywhere that reaches it: <code>iovascope agent</code>, or{' '}
          <code>iovascope agent --probe ‘ssh root@host iovascope-probe’</code>. The probe only reads. Where no binary
          may run, a shell script collects the same as text:{' '}
          <a href={`${import.meta.env.BASE_URL}collect.sh`} target="_blank" rel="noreferrer">
            collect.sh
          </a>{' '}
          <button type="button" className="button" onClick={() => void copyCollector()}>
            Copy the script
          </button>
        </p>
        <div className="dialog-buttons">
          <Button className="button" slot="close">
            Cancel
          </Button>
          <Button className="button primary" type="submit" isDisabled={address.trim() === ''}>
            Connect
          </Button>
        </div>
      </form>
    </Frame>
  );
}
