import { useState } from 'react';
import { Button, Label, TextArea, TextField } from 'react-aria-components';
import { type DialogProps, Frame } from './dialog-frame.tsx';
import { openText } from './open-files.ts';

/** Text to open, visible before it is opened. */
export function PasteDialog(props: DialogProps) {
  const [text, setText] = useState('');
  return (
    <Frame {...props} title="Paste a dump">
      <TextField className="paste" value={text} onChange={setText} autoFocus>
        <Label>Text of the dump (quote marks, prompts and log prefixes are tolerated)</Label>
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
