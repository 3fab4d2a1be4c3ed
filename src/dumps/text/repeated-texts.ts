// Texts that are read again and again: the dumps of a fleet are mostly the same small files. What a text says depends on
// its lines and on what its path says about a group, a device or an IOMMU. So of a text that comes a second time it is
// noted what its readers put into the collector, and from the third time on that is put there without them.

import { isFact } from '../../session/events.ts';
import type { Severity } from '../diagnostic-rule.ts';
import type { DiagnosticCode, DiagnosticParameters } from '../diagnostics.ts';
import { sysfsRoot } from '../fields/sysfs-path.ts';
import type { DumpSource, FactSink } from '../format.ts';
import type { Collector } from '../input/collector.ts';
import type { DumpEvent } from '../input/event-queue.ts';
import type { TextCollector } from './text-collector.ts';

/** Characters of texts and paths that are kept. */
const KEPT_MAX = 4 * 1024 * 1024;

/** Components of a path that may say which group, device or IOMMU a file below them is about (sysfs-path.ts). */
const TELLING =
  /^\d+$|[:*?[\]{}$\\]|^(?:\.\.|class|devices?|iommu|iommu_groups?|kernel|type|virtual|(?:intel|amd)-iommu|virtio\d+)$/;

/**
 * The part of a file's path on which what its text says may depend: from `sys` on, else its last component. Undefined if
 * the components before it may matter too.
 */
export function tellingPath(components: readonly string[]): string | undefined {
  const sys = components.indexOf('sys');
  const at = sys < 0 ? components.length - 1 : sys;
  for (let i = 0; i < at; i++) if (isTelling(components[i] ?? '')) return undefined;
  return components.slice(at).join('/');
}

/** By component: the files of a folder have the same. */
const telling = new Map<string, boolean>();
const REMEMBERED_MAX = 1000;

function isTelling(component: string): boolean {
  const known = telling.get(component);
  if (known !== undefined) return known;
  if (telling.size >= REMEMBERED_MAX) telling.clear();
  const is = TELLING.test(component);
  telling.set(component, is);
  return is;
}

type Format = Parameters<Collector['sink']>[1];

/** Where a text that is known is put. */
interface Place {
  readonly source: string;
  readonly collector: Collector;
  sink(format: Format): FactSink;
}

/** One call of the collector or of a sink. */
type Step = (to: Place) => void;

/** A copy: what takes an event keeps it, and changes it. */
function copied<T extends DumpEvent>(event: T): T {
  return { ...event };
}

/** Notes what a text's readers put into a collector. */
class Recorder implements TextCollector {
  readonly steps: Step[] = [];
  readonly #collector: Collector;

  constructor(collector: Collector) {
    this.#collector = collector;
  }

  get reported(): number {
    return this.#collector.reported;
  }

  get lines(): number {
    return this.#collector.lines;
  }

  set lines(lines: number) {
    const more = lines - this.#collector.lines;
    this.#do(({ collector }) => {
      collector.lines += more;
    });
  }

  get hasDamagedNumbers(): boolean {
    return this.#collector.hasDamagedNumbers;
  }

  set hasDamagedNumbers(value: boolean) {
    this.#do(({ collector }) => {
      collector.hasDamagedNumbers = value;
    });
  }

  sink(source: string, format: Format, host?: string): FactSink {
    const inner = this.#collector.sink(source, format, host);
    const note = (call: (sink: FactSink) => void) => this.steps.push((to) => call(to.sink(format)));
    return {
      fact: (fact, line) => {
        const kept = copied(fact);
        note((sink) => sink.fact(copied(kept), line));
        inner.fact(fact, line);
      },
      group: (group, about, line) => {
        note((sink) => sink.group(group, about, line));
        inner.group(group, about, line);
      },
      diagnostic: (code, parameters, line, severity) => {
        note((sink) => sink.diagnostic(code, parameters, line, severity));
        inner.diagnostic(code, parameters, line, severity);
      },
      recognized: () => {
        note((sink) => sink.recognized());
        inner.recognized();
      },
    };
  }

  push(event: DumpEvent): void {
    const kept = copied(event);
    this.steps.push(({ collector, source }) => {
      const own = copied(kept);
      if (isFact(own)) own.source = source;
      collector.push(own);
    });
    this.#collector.push(event);
  }

  leftover(source: string, line: number, text: string): void {
    this.steps.push((to) => to.collector.leftover(to.source, line, text));
    this.#collector.leftover(source, line, text);
  }

  diagnostic<C extends DiagnosticCode>(
    source: string,
    code: C,
    parameters: DiagnosticParameters<C>,
    line?: number,
    severity?: Severity,
  ): void {
    this.steps.push((to) => to.collector.diagnostic(to.source, code, parameters, line, severity));
    this.#collector.diagnostic(source, code, parameters, line, severity);
  }

  #do(step: Step): void {
    this.steps.push(step);
    step({
      source: '',
      collector: this.#collector,
      sink: (format) => this.#collector.sink('', format),
    });
  }
}

/** What was noted of a text. */
interface Known {
  /** Undefined after the first time. */
  steps: readonly Step[] | undefined;
  /** True if every file with exactly this text, in UTF-8, is read as this text. */
  isExact: boolean;
}

/** What was noted of the texts with one path. */
type KnownTexts = ReadonlyMap<string, Known>;

/** The texts that were read with one set of formats. */
export class RepeatedTexts {
  /** By path, then by text. */
  readonly #known = new Map<string, Map<string, Known>>();
  #kept = 0;

  /** Puts a text into the collector as its readers did before; false if it must be read. */
  replay(source: DumpSource, text: string, collector: Collector): boolean {
    const steps = this.textsAt(source)?.get(text)?.steps;
    return steps !== undefined && this.#replay(source, steps, collector);
  }

  /** The same for a file that was not looked at, of which `texts` are known (`textsAt`). */
  replayFile(source: DumpSource, texts: KnownTexts, text: string, collector: Collector): boolean {
    const known = texts.get(text);
    return known?.steps !== undefined && known.isExact && this.#replay(source, known.steps, collector);
  }

  #replay({ name, path }: DumpSource, steps: readonly Step[], collector: Collector): true {
    const host = sysfsRoot(path);
    const sinks = new Map<string, FactSink>();
    const place: Place = {
      source: name,
      collector,
      sink: (format) => {
        const known = sinks.get(format.name);
        if (known) return known;
        const sink = collector.sink(name, format, host);
        sinks.set(format.name, sink);
        return sink;
      },
    };
    for (const step of steps) step(place);
    return true;
  }

  /** The known texts with this path; undefined if there are none. */
  textsAt({ path: components }: DumpSource): KnownTexts | undefined {
    const path = tellingPath(components);
    return path === undefined ? undefined : this.#known.get(path);
  }

  /**
   * The collector for a text that is read now, and what to call when that has ended without a problem. `isExact`: nothing
   * but its bytes, in UTF-8, made a file this text.
   */
  record(
    { path: components }: DumpSource,
    text: string,
    collector: Collector,
    isExact: boolean,
  ): { readonly to: TextCollector; readonly end: () => void } {
    const path = tellingPath(components);
    const plain = { to: collector, end: () => undefined };
    if (path === undefined) return plain;
    const known = this.#known.get(path)?.get(text);
    if (known) {
      const recorder = new Recorder(collector);
      return {
        to: recorder,
        end: () => {
          known.steps = recorder.steps;
          known.isExact = isExact;
        },
      };
    }
    const length = path.length + 1 + text.length;
    if (this.#kept + length > KEPT_MAX) return plain;
    this.#kept += length;
    return { to: collector, end: () => this.#add(path, text) };
  }

  #add(path: string, text: string): void {
    const texts = this.#known.get(path);
    const known: Known = { steps: undefined, isExact: false };
    if (texts) texts.set(text, known);
    else this.#known.set(path, new Map([[text, known]]));
  }
}
