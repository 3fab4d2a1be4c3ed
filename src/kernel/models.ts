import type { SessionHeader } from '../session/events.ts';
import { DmaIommuModel } from './dma-iommu/model.ts';
import { IommufdModel } from './iommufd/model.ts';
import { IommufdRfcModel } from './iommufd-rfc/model.ts';
import { DEFAULT_MODEL, type KernelModel, type PageSizes, pageSizesOf } from './model.ts';
import { Type1Model } from './type1/model.ts';

/** One row per model: its name in session headers, and how to make an empty one for a version of the kernel. */
const MODELS: Readonly<Record<string, (sizes: PageSizes, kernel: string | undefined) => KernelModel>> = {
  iommufd: (sizes) => new IommufdModel(sizes),
  type1: (sizes) => new Type1Model(sizes),
  'iommufd-rfc': (sizes) => new IommufdRfcModel(sizes),
  'dma-iommu': (_sizes, kernel) => new DmaIommuModel(kernel),
};

export const MODEL_NAMES: readonly string[] = Object.keys(MODELS);

export type ModelResult =
  | { readonly ok: true; readonly model: KernelModel }
  | { readonly ok: false; readonly message: string };

/** An empty model for a session: `name`, or that of its header. `message`: unknown name, or invalid page sizes. */
export function createModel(
  header: Pick<SessionHeader, 'model' | 'page_size' | 'huge_page_size' | 'kernel'>,
  name: string = header.model ?? DEFAULT_MODEL,
): ModelResult {
  const make = Object.hasOwn(MODELS, name) ? MODELS[name] : undefined;
  if (!make) return { ok: false, message: `unknown model '${name}'; known: ${MODEL_NAMES.join(', ')}` };
  const sizes = pageSizesOf(header);
  if (!sizes) return { ok: false, message: 'page_size and huge_page_size must be powers of two' };
  return { ok: true, model: make(sizes, header.kernel) };
}
