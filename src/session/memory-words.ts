/** Values of `memory` (docs/session-format.md), offered as completions. RAM if absent; unknown words are kept. */
export const MEMORY_WORDS = [
  'hole',
  'tail-hole',
  'past-eof',
  'read-only',
  'pfnmap',
  'pfnmap-off',
  'hugetlb',
  'disk-file',
  'other-file',
  'no-file',
] as const;
