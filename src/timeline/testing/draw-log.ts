// A canvas that draws nothing and logs what was asked of it: tests of pictures without pixels.
import { vi } from 'vitest';

/** Logs every call as `name(arguments)` and every property that is set as `name = value`. */
function logged(log: string[], methods: Readonly<Record<string, (...args: never[]) => unknown>> = {}): object {
  return new Proxy(
    {},
    {
      get:
        (_, name: string) =>
        (...args: never[]) => {
          log.push(`${name}(${args.map(text).join(', ')})`);
          return methods[name]?.(...args);
        },
      set: (_, name: string, value: unknown) => {
        log.push(`${name} = ${text(value)}`);
        return true;
      },
    },
  );
}

function text(value: unknown): string {
  if (value instanceof FakePattern) return value.name;
  if (typeof value === 'number') return String(Math.round(value * 1000) / 1000);
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

class FakePattern {
  readonly name: string;
  scale: unknown;

  constructor(name: string) {
    this.name = name;
  }

  setTransform(matrix: { readonly factor: number }): void {
    this.scale = matrix.factor;
  }
}

/** A context whose calls are in `log`; those on tiles of patterns are in `tiles`, by tile. */
export function fakeContext(): {
  readonly context: CanvasRenderingContext2D;
  readonly log: string[];
  readonly tiles: string[][];
} {
  const log: string[] = [];
  const tiles: string[][] = [];
  class FakeCanvas {
    readonly #log: string[];
    constructor(width: number, height: number) {
      this.#log = [`canvas ${width} × ${height}`];
      tiles.push(this.#log);
    }
    getContext() {
      return logged(this.#log);
    }
    toJSON() {
      return 'tile';
    }
  }
  vi.stubGlobal('OffscreenCanvas', FakeCanvas);
  vi.stubGlobal(
    'DOMMatrix',
    class {
      scale = (factor: number) => ({ factor });
    },
  );
  const createPattern = () => new FakePattern(`pattern ${tiles.length}`);
  return { context: logged(log, { createPattern }) as CanvasRenderingContext2D, log, tiles };
}
