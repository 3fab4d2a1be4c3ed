/** Numbers from 0 to 2^32−1 that look random and are not (xorshift): the same in every run for a seed, which is not 0. */
export function numbers(seed: number): () => number {
  let state = seed;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    return state;
  };
}
