import { Component, type ReactNode, Suspense } from 'react';

interface LoadBoundaryProps {
  /** What is shown while a part is being loaded. */
  readonly fallback?: ReactNode;
  readonly children: ReactNode;
}

interface LoadBoundaryState {
  readonly error: Error | undefined;
}

/** For parts that are loaded on demand: if one cannot be loaded, the rest of the page stays usable. */
export class LoadBoundary extends Component<LoadBoundaryProps, LoadBoundaryState> {
  override readonly state: LoadBoundaryState = { error: undefined };

  static getDerivedStateFromError(error: unknown): LoadBoundaryState {
    return { error: error instanceof Error ? error : new Error(String(error)) };
  }

  override render() {
    const { fallback = null, children } = this.props;
    const { error } = this.state;
    if (!error) return <Suspense fallback={fallback}>{children}</Suspense>;
    return (
      <p className="severity-error" role="alert">
        This part of the page could not be loaded: {error.message}. If the server is running, reload the page.
      </p>
    );
  }
}
