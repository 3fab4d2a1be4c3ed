// The protocol between an agent and the watchers of a live host: JSON texts over a WebSocket. Facts are lines of a session
// file: a line is the identity of its fact, so that changes are sets of lines.
//
//   watcher                         agent
//   hello (version, resume?)  →
//                             ←     welcome (run, sequence)
//                             ←     snapshot … (in parts), or what was missed since `resume`
//                             ←     change | stream | status, each with the next sequence number
//
// A run is one process of the agent: sequence numbers of different runs are unrelated.
import * as v from 'valibot';

/** Incremented when a message changes so that an older end would misread it. */
export const LIVE_VERSION = 1;
/** WebSocket subprotocol. The token is a second one, `token.` plus its text, because a page cannot set headers. */
export const LIVE_SUBPROTOCOL = 'iovascope.live';
export const TOKEN_SUBPROTOCOL = 'token.';

/** Why an agent closed the connection: the WebSocket's close code and a message. */
export const LIVE_CLOSE = {
  malformed: { code: 4400, message: 'malformed message' },
  token: { code: 4401, message: 'the token is missing or wrong' },
  origin: { code: 4403, message: 'origin not allowed' },
  version: { code: 4426, message: 'the agent and the page speak different versions' },
  flood: { code: 4429, message: 'too many messages' },
  full: { code: 4503, message: 'too many connections' },
  ended: { code: 1001, message: 'the agent was stopped' },
} as const;

/** True if connecting again with the same URL cannot help. */
export function isFinalClose(code: number): boolean {
  return [LIVE_CLOSE.malformed, LIVE_CLOSE.token, LIVE_CLOSE.origin, LIVE_CLOSE.version].some((c) => c.code === code);
}

const sequence = v.pipe(v.number(), v.integer(), v.minValue(0));
const lines = v.array(v.string());
/** Seconds since 1970, with decimals. */
const time = v.number();

export const CLIENT_MESSAGE = v.variant('type', [
  v.strictObject({
    type: v.literal('hello'),
    version: v.number(),
    /** The last message received, to get only those after it. */
    resume: v.optional(v.strictObject({ run: v.pipe(v.string(), v.maxLength(64)), sequence })),
  }),
  /** Reads the host again, or starts and stops what puts load on the host. */
  v.strictObject({ type: v.literal('ask'), what: v.picklist(['snapshot', 'page_tables', 'trace', 'untrace']) }),
]);

export const SERVER_MESSAGE = v.variant('type', [
  v.looseObject({ type: v.literal('welcome'), version: v.number(), run: v.string(), sequence, name: v.string() }),
  /**
   * All facts of the host, in parts: `part` counts from 0, the last one is `parts` - 1. `events`: number of stream facts so far
   * in this run; those that the watcher missed are not sent again.
   */
  v.looseObject({
    type: v.literal('snapshot'),
    sequence,
    time,
    part: sequence,
    parts: sequence,
    name: v.optional(v.string()),
    events: v.optional(sequence),
    facts: lines,
  }),
  /** Facts that hold from now on, and facts that no longer do. */
  v.looseObject({ type: v.literal('change'), sequence, time, name: v.optional(v.string()), added: lines, gone: lines }),
  /** Facts that happened, such as mappings; `lost` of them were dropped. */
  v.looseObject({ type: v.literal('stream'), sequence, time, facts: lines, lost: sequence }),
  v.looseObject({
    type: v.literal('status'),
    sequence,
    time,
    probe: v.picklist(['starting', 'running', 'down']),
    message: v.string(),
  }),
]);
export type ServerMessage = v.InferOutput<typeof SERVER_MESSAGE>;

/** Parses a message of the given kind; returns a string that says what is wrong with it if that fails. */
export function parseMessage<const S extends typeof CLIENT_MESSAGE | typeof SERVER_MESSAGE>(
  schema: S,
  text: string,
): v.InferOutput<S> | string {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return 'not JSON';
  }
  const result = v.safeParse(schema, value, { abortEarly: true });
  if (result.success) return result.output;
  const issue: v.BaseIssue<unknown> = result.issues[0];
  const path = v.getDotPath(issue);
  return `${path === null ? '' : `field '${path}': `}${issue.message}`;
}
