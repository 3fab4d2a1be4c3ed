// The page's state with a real engine in the same thread, and with one whose answers come when the test says so.
import { createEngine } from '../../engine/engine.ts';
import type { CallOptions, Engine, Method, Params, Value } from '../../engine/protocol/methods.ts';
import type { EngineResult } from '../../engine/protocol/result.ts';
import { filesOf } from '../../engine/testing/documents.ts';
import { inProcessEngine } from '../../engine/transport/in-process.ts';
import { useApp } from '../state/app-state.ts';
import { open } from '../state/documents.ts';
import { connectEngine } from '../state/engine.ts';

/** Resets the page's state and connects an engine. The plot is 900 pixels wide. */
export function startApp(engine: Engine = inProcessEngine(createEngine())): Engine {
  useApp.setState({ ...useApp.getInitialState(), plotWidth: 900 }, true);
  connectEngine(engine);
  return engine;
}

/** Opens a text; returns the id of its session, or of the host that it went to. */
export async function openText(text: string, name = 'host.txt'): Promise<string> {
  const [placement] = await open(name, filesOf({ [name]: text }));
  if (!placement) throw new Error(useApp.getState().problem?.message ?? `${name} is not open`);
  const { documents } = useApp.getState();
  const document =
    documents.find(({ id }) => id === placement.sourceId) ?? documents.find(({ id }) => id === placement.hostId);
  if (!document) throw new Error(`${name} is not open`);
  return document.id;
}

interface HeldCall {
  readonly method: Method;
  readonly params: unknown;
  readonly options: CallOptions | undefined;
  /** Gives the answer of the engine behind. */
  release(): Promise<void>;
  /** Gives another answer instead. */
  answer(result: EngineResult<unknown>): Promise<void>;
}

/** An engine that holds back the answers to some methods, in the order of the calls. */
export class HeldEngine implements Engine {
  readonly #behind: Engine;
  readonly #methods: ReadonlySet<Method>;
  readonly held: HeldCall[] = [];

  constructor(methods: readonly Method[], behind: Engine = inProcessEngine(createEngine())) {
    this.#methods = new Set(methods);
    this.#behind = behind;
  }

  call<M extends Method>(method: M, params: Params<M>, options?: CallOptions): Promise<EngineResult<Value<M>>> {
    if (!this.#methods.has(method)) return this.#behind.call(method, params, options);
    return new Promise((resolve) => {
      this.held.push({
        method,
        params,
        options,
        release: async () => {
          resolve(await this.#behind.call(method, params, options));
          await settled();
        },
        answer: async (result) => {
          resolve(result as EngineResult<Value<M>>);
          await settled();
        },
      });
    });
  }

  /** The call that was made as number `index`, counted from 0; from the end if negative. */
  at(index: number): HeldCall {
    const call = this.held.at(index);
    if (!call) throw new Error(`only ${this.held.length} calls were made`);
    return call;
  }
}

/** Waits until everything that does not wait for time or for a held answer has been done. */
export async function settled(): Promise<void> {
  for (let i = 0; i < 5; i++) await new Promise((resolve) => setImmediate(resolve));
}
