import { type FormEvent, useState } from 'react';
import { Button, Input, Label, TextField } from 'react-aria-components';
import { copy } from '../state/clipboard.ts';
import { copyCollector } from '../state/copy-files.ts';
import { connectLive } from '../state/live-hosts.ts';
import { type DialogProps, Frame } from './dialog-frame.tsx';

/** How the agent is started: from the package, or in a checkout with the development server. */
const AGENT = import.meta.env.DEV ? 'npm run cli -- agent' : 'npx iovascope agent';

function Command({ text }: { text: string }) {
  return (
    <span className="command">
      <code>{text}</code>
      <button type="button" className="button" onClick={() => void copy(text, text)}>
        Copy
      </button>
    </span>
  );
}

/** Asks for the URL of a live host, as its agent printed it. */
export function ConnectDialog(props: DialogProps) {
  const [url, setUrl] = useState('');
  const [problem, setProblem] = useState<string>();
  const connect = (event: FormEvent) => {
    event.preventDefault();
    const found = connectLive(url);
    setProblem(found);
    if (found === undefined) props.onOpenChange(false);
  };
  return (
    <Frame {...props} title="Live host">
      <form onSubmit={connect}>
        <TextField className="paste" value={url} onChange={setUrl} autoFocus>
          <Label>URL that the agent printed, including the token</Label>
          <Input placeholder="http://127.0.0.1:8750/#live=…" spellCheck="false" autoComplete="off" />
        </TextField>
        {problem !== undefined && <p className="severity-error">{problem}</p>}
        <p className="dialog-text">Start the agent on the host:</p>
        <Command text={AGENT} />
        <p className="dialog-text">Or on another machine, with the probe on the host:</p>
        <Command text={`${AGENT} --probe 'ssh root@host iovascope-probe'`} />
        <p className="dialog-text second">
          The probe only reads. If you cannot run binaries on the host, the shell script{' '}
          {import.meta.env.IOVASCOPE_OFFLINE ? (
            'collect.sh'
          ) : (
            <a href={`${import.meta.env.BASE_URL}collect.sh`} target="_blank" rel="noreferrer">
              collect.sh
            </a>
          )}{' '}
          collects the same data as text.{' '}
          <button type="button" className="button" onClick={() => void copyCollector()}>
            Copy the script
          </button>
        </p>
        <div className="dialog-buttons">
          <Button className="button" slot="close">
            Cancel
          </Button>
          <Button className="button primary" type="submit" isDisabled={url.trim() === ''}>
            Connect
          </Button>
        </div>
      </form>
    </Frame>
  );
}
