import { type ComponentType, useEffect, useState } from 'react';
import type { SplitterProps } from './splitter.tsx';

interface SplitterSlotProps extends SplitterProps {
  /** Whether to load the parts that the first picture does not need. */
  readonly isComplete: boolean;
}

/** The edge between two panels. Until its splitter is loaded, and if that fails, it is only a line. */
export function SplitterSlot({ isComplete, ...props }: SplitterSlotProps) {
  const [Splitter, setSplitter] = useState<ComponentType<SplitterProps>>();
  useEffect(() => {
    if (!isComplete) return;
    import('./splitter.tsx').then(
      (loaded) => setSplitter(() => loaded.Splitter),
      () => undefined,
    );
  }, [isComplete]);
  return Splitter ? <Splitter {...props} /> : <div className={`splitter splitter-${props.name}`} />;
}
