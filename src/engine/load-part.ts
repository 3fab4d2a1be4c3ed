// Loads parts of the engine on first use. In the page they come from its server, which may be gone.

/** A part could not be loaded; the message is meant for users. */
export class PartNotLoaded extends Error {
  constructor(cause: unknown) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    super(`a part of iovascope could not be loaded (${reason}); check the server of this page and try again`, {
      cause,
    });
  }
}

/** A function that loads a part. It rejects with `PartNotLoaded`; the next call tries again. */
export function loadPart<T>(load: () => Promise<T>): () => Promise<T> {
  return () =>
    load().catch((error: unknown) => {
      throw new PartNotLoaded(error);
    });
}
