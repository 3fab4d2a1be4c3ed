// Log entries that contain the line as a value: `time="…" level=error msg="…"` (logfmt), `{"log":"…"}` (Docker and others)
// and `{"return":"…"}`, the answer to QEMU's human-monitor-command. An entry may hold several lines.

const LOGFMT = /^(?:[\w.]{1,32}=(?:"(?:[^"\\]|\\.){0,4000}"|[^\s"]{0,200}) ){1,12}?(?=(?:msg|error|err|log|message)=")/;
const LOGFMT_BARE = /^(?:msg|error|err|log|message)="/;
const LOGFMT_VALUE = /\b(?:msg|error|err|log|message)="((?:[^"\\]|\\.){0,60000})"/g;
const JSON_KEYS: readonly string[] = ['log', 'msg', 'message', 'MESSAGE', 'error', 'err', 'return'];

/** The lines inside a log entry; undefined if the text is no log entry. */
export function linesOfLogEntry(text: string): string[] | undefined {
  const messages = text.startsWith('{') ? jsonMessages(text.replace(/,$/, '')) : logfmtMessages(text);
  // A line break at the end of a message ends its line.
  return messages.length > 0 ? messages.flatMap((message) => message.replace(/\r?\n$/, '').split(/\r?\n/)) : undefined;
}

function jsonMessages(text: string): string[] {
  if (!text.endsWith('}')) return [];
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== 'object' || value === null) return [];
    const fields: Readonly<Record<string, unknown>> = { ...value };
    return JSON_KEYS.map((key) => textOf(fields[key])).filter((field) => field !== undefined);
  } catch {
    return [];
  }
}

/** The journal writes a text that is not plain as the numbers of its bytes. */
function textOf(field: unknown): string | undefined {
  if (typeof field === 'string') return field;
  if (!Array.isArray(field) || field.length === 0 || field.length > 60_000) return undefined;
  const bytes = field.filter((byte) => typeof byte === 'number' && byte >= 0 && byte < 256);
  return bytes.length === field.length ? new TextDecoder().decode(Uint8Array.from(bytes)) : undefined;
}

function logfmtMessages(text: string): string[] {
  if (!text.includes('="') || !(LOGFMT.test(text) || LOGFMT_BARE.test(text))) return [];
  return [...text.matchAll(LOGFMT_VALUE)].map(([, value = '']) => unescapeValue(value));
}

function unescapeValue(text: string): string {
  return text.replace(/\\(["\\nrt])/g, (_, letter: string) => ({ n: '\n', r: '', t: '\t' })[letter] ?? letter);
}
