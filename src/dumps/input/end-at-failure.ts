// Apart from streams.ts, which is part of the first load: only decoders of packed files need it.

/**
 * The bytes as a stream that ends where they fail: the decoder would drop what it holds if the stream failed. `failure`
 * then returns what was thrown.
 */
export function endAtFailure(bytes: AsyncIterable<Uint8Array>): {
  readonly stream: ReadableStream<Uint8Array>;
  readonly failure: () => { readonly error: unknown } | undefined;
} {
  const iterator = bytes[Symbol.asyncIterator]();
  let failure: { readonly error: unknown } | undefined;
  const stream = new ReadableStream<Uint8Array>({
    async pull(controller) {
      try {
        const next = await iterator.next();
        if (next.done) controller.close();
        else controller.enqueue(next.value);
      } catch (error) {
        failure = { error };
        controller.close();
      }
    },
    async cancel() {
      await iterator.return?.();
    },
  });
  return { stream, failure: () => failure };
}
