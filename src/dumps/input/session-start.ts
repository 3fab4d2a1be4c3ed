// Session files by their first characters: their reader is loaded for what may be one.

export const SESSION_FORMAT = { name: 'session', title: 'session file' };

/** False if the text is certainly no session file; `looksLikeSession` (session-file.ts) knows. */
export function maybeSession(head: string): boolean {
  const [line = ''] = head
    .replace(/^\uFEFF/, '')
    .trimStart()
    .split('\n', 1);
  return /^\{\s*"(?:kind|op)"\s*:\s*"|^\{.*"format"\s*:\s*"iova-trace"/.test(line);
}
