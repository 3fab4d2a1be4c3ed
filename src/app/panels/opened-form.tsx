import { type ReactNode, useEffect, useRef, useState } from 'react';

interface Props {
  /** Text of the button. */
  readonly button: string;
  /** The form in place of the button, which gets the focus back when the form is closed. */
  readonly children: (close: () => void) => ReactNode;
}

/** A button that opens a form in its place. */
export function OpenedForm({ button, children }: Props) {
  const [isOpen, setOpen] = useState(false);
  const opener = useRef<HTMLButtonElement>(null);
  const wasOpen = useRef(false);
  useEffect(() => {
    if (!isOpen && wasOpen.current) opener.current?.focus();
    wasOpen.current = isOpen;
  }, [isOpen]);
  if (isOpen) return children(() => setOpen(false));
  return (
    <button ref={opener} type="button" className="button" onClick={() => setOpen(true)}>
      {button}
    </button>
  );
}
