import type { SessionHeader } from '../session/events.ts';
import { isBefore } from './change.ts';
import { DmaIommuModel } from './dma-iommu/model.ts';
import { IommufdModel } from './iommufd/model.ts';
import { IommufdRfcModel } from './iommufd-rfc/model.ts';
import { IommufdVfioModel } from './iommufd-vfio/model.ts';
import { DEFAULT_MODEL, type KernelModel, type ModelSettings, pageSizesOf } from './model.ts';
import { Type1Model } from './type1/model.ts';
import { type KernelRules, kernelRules, MODEL_SINCE, RECORDED_VERSIONS } from './version-changes.ts';
import { parseKernelVersion } from './versions.ts';

/** One row per model: its name in session headers, and how to make an empty one. */
const MODELS: Readonly<Record<string, (settings: ModelSettings) => KernelModel>> = {
  iommufd: (settings) => new IommufdModel(settings),
  'iommufd-vfio': (settings) => new IommufdVfioModel(settings),
  type1: (settings) => new Type1Model(settings),
  'iommufd-rfc': (settings) => new IommufdRfcModel(settings),
  'dma-iommu': ({ rules }) => new DmaIommuModel(rules),
};

export const MODEL_NAMES: readonly string[] = Object.keys(MODELS);

export type ModelResult =
  | {
      readonly ok: true;
      readonly model: KernelModel;
      /** What is assumed about the kernel, sentences without their full stop: empty if its rules are known. */
      readonly notes: readonly string[];
    }
  | { readonly ok: false; readonly message: string };

/** What a session says about how its operations were run. */
export type ModelHeader = Pick<SessionHeader, 'model' | 'page_size' | 'huge_page_size' | 'kernel' | 'memlock'>;

export interface ModelOptions {
  /** A kernel version that is used in place of the header's. */
  readonly kernel?: string | undefined;
  /** Rules that are used in place of those of any version. */
  readonly rules?: KernelRules | undefined;
}

/**
 * An empty model for a session: `name`, or that of its header. A kernel that is not a version, or that did not have the
 * model, is answered by the nearest rules, with a note. `message`: unknown name, or invalid page sizes.
 */
export function createModel(
  header: ModelHeader,
  name: string = header.model ?? DEFAULT_MODEL,
  { kernel = header.kernel, rules }: ModelOptions = {},
): ModelResult {
  const make = Object.hasOwn(MODELS, name) ? MODELS[name] : undefined;
  if (!make) return { ok: false, message: `unknown model '${name}'; known: ${MODEL_NAMES.join(', ')}` };
  const sizes = pageSizesOf(header);
  if (!sizes) return { ok: false, message: 'page_size and huge_page_size must be powers of two' };
  const model = make({ ...sizes, rules: rules ?? kernelRules(nearestKernel(name, kernel)), memlock: header.memlock });
  return { ok: true, model, notes: kernelNotes(name, kernel) };
}

/** The version by whose rules a model answers: that of the kernel, or the first that has the model. */
export function nearestKernel(model: string, kernel: string | undefined): string | undefined {
  const since = MODEL_SINCE[model];
  return kernel !== undefined && since !== undefined && isBefore(kernel, since) ? since : kernel;
}

/** What is assumed about a kernel, sentences without their full stop. */
function kernelNotes(model: string, kernel: string | undefined): string[] {
  // The posting of 2022 is one version by itself.
  if (kernel === undefined || model === 'iommufd-rfc') return [];
  if (!parseKernelVersion(kernel)) {
    return [`'${kernel}' is not a kernel version such as 6.12: the newest known rules are used`];
  }
  const since = MODEL_SINCE[model];
  if (since !== undefined && isBefore(kernel, since)) {
    return [`Linux ${kernel} does not have ${model} (since ${since}): the rules of Linux ${since} are used`];
  }
  const [oldest, newest = oldest] = [RECORDED_VERSIONS[0], RECORDED_VERSIONS.at(-1)];
  if (isBefore(kernel, oldest)) {
    return [`Linux ${kernel} is older than ${oldest}, the oldest known: the rules of Linux ${oldest} are used`];
  }
  if (isBefore(newest, kernel)) {
    return [`Linux ${kernel} is newer than ${newest}, the newest known: the rules of Linux ${newest} are used`];
  }
  return [];
}
