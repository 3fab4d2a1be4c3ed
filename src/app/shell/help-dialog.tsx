import { Button } from 'react-aria-components';
import { type DialogProps, Frame } from './dialog-frame.tsx';
import { KEYS } from './key-help.ts';

/** All keys and mouse gestures. */
export function HelpDialog(props: DialogProps) {
  return (
    <Frame {...props} title="Keys and gestures">
      <dl className="keys">
        {KEYS.map(({ keys, action }) => (
          <div key={action} className="pair">
            <dt>
              {keys.map((key) => (
                <kbd key={key}>{key}</kbd>
              ))}
            </dt>
            <dd>{action}</dd>
          </div>
        ))}
      </dl>
      <p className="second">
        Drop files or folders anywhere, or paste text anywhere outside a text field. Your files never leave your
        browser.
      </p>
      <Button className="button" slot="close">
        Close
      </Button>
    </Frame>
  );
}
