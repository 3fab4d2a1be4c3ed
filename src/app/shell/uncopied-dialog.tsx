import { useEffect, useRef, useState } from 'react';
import { Button } from 'react-aria-components';
import { useApp } from '../state/app-state.ts';
import { useBlobAddress } from '../state/use-blob-address.ts';
import { Frame } from './dialog-frame.tsx';

/** Lines that are seen without scrolling. */
const ROWS_MAX = 12;

/** The whole text, selected. */
function SelectedText({ text, label }: { text: string; label: string }) {
  const field = useRef<HTMLTextAreaElement>(null);
  useEffect(() => {
    field.current?.focus();
    field.current?.select();
  }, []);
  return (
    <textarea
      ref={field}
      className="uncopied mono"
      aria-label={label}
      rows={Math.min(ROWS_MAX, text.split('\n').length + 1)}
      readOnly
      value={text}
    />
  );
}

function Picture({ data, label }: { data: Blob; label: string }) {
  const address = useBlobAddress(data);
  return address && <img className="uncopied" src={address} alt={label} />;
}

/** Gives the focus back to what had it before: the button may be in another dialog, which then gets the next key. */
function useFocusBack(): void {
  const [before] = useState(() => document.activeElement);
  useEffect(
    () => () => {
      requestAnimationFrame(() => before instanceof HTMLElement && before.focus());
    },
    [before],
  );
}

/** What the browser did not let the page copy, for a person to copy. */
export function UncopiedDialog() {
  useFocusBack();
  const uncopied = useApp((s) => s.uncopied);
  if (!uncopied) return null;
  const { what, content } = uncopied;
  const close = () => useApp.setState({ uncopied: undefined });
  return (
    <Frame isOpen onOpenChange={close} title="Nothing was copied">
      {typeof content === 'string' ? (
        <>
          <p className="dialog-text">
            The browser denied access to the clipboard. The text is selected: press Ctrl+C (Cmd+C on a Mac).
          </p>
          <SelectedText text={content} label={what} />
        </>
      ) : (
        <>
          <p className="dialog-text">
            The browser denied access to the clipboard. Copy the picture with its context menu, which leaves the session
            out, or save it as a file.
          </p>
          <Picture data={content} label={what} />
        </>
      )}
      <div className="dialog-buttons">
        <Button className="button" onPress={close}>
          Close
        </Button>
      </div>
    </Frame>
  );
}
