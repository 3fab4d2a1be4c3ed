/** What may be behind memory (docs/session-format.md), offered as completions; RAM if none is given, and any other word is kept. */
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
