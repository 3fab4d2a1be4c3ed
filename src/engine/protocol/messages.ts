// Messages between the page and the engine in its worker. Every call has an id, so that no answer depends on order.
import type { Method, Progress } from './methods.ts';
import type { EngineResult } from './result.ts';

export type Request =
  | { readonly type: 'call'; readonly id: number; readonly method: Method; readonly params: unknown }
  | { readonly type: 'cancel'; readonly id: number };

export type Response =
  | { readonly type: 'result'; readonly id: number; readonly result: EngineResult<unknown> }
  | { readonly type: 'progress'; readonly id: number; readonly progress: Progress };
