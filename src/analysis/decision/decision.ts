// How a model decided one operation: the checks in the kernel's order, the search for an IOVA, what remains usable after an
// attach, the walk of an unmap, how a buffer is filled.
import { groupedHex } from '../../iova/format.ts';
import { IOVA_MAX } from '../../iova/iova.ts';
import { type IovaRange, range, rangeOfLength, WHOLE_SPACE } from '../../iova/range.ts';
import type { AllocatorEvent } from '../../kernel/dma-iommu/events.ts';
import { DmaIommuModel } from '../../kernel/dma-iommu/model.ts';
import { IOMMUFD_RFC_SOURCE } from '../../kernel/iommufd-rfc/rules.ts';
import { type AddressSpaceView, type KernelModel, type Outcome, pageSizesOf } from '../../kernel/model.ts';
import { nearestKernel } from '../../kernel/models.ts';
import type { Refusal } from '../../kernel/shared/refusal.ts';
import { type KernelRules, kernelLabel, kernelRules } from '../../kernel/version-changes.ts';
import type { Operation, SessionHeader } from '../../session/events.ts';
import { allocatorStepText } from '../space/next-dma.ts';
import { type Check, checksOf } from './checks.ts';
import { choiceSteps } from './choice.ts';
import { infoSteps } from './info.ts';
import { narrowingSteps } from './narrowing.ts';
import type { DecisionStep } from './step.ts';
import { unmapSteps, type Walk } from './unmapping.ts';

/** What a session says about the kernel. */
type Header = Pick<SessionHeader, 'page_size' | 'huge_page_size' | 'kernel'>;

/** Size of a buffer that has room for every capability, in bytes. */
const LARGE_BUFFER = 1 << 20;

/**
 * The steps of one operation in the state of `model`, which is not changed. The last step is the answer. Empty for an operation
 * that the model cannot run. `kernel`: a version that replaces the header's.
 */
export function decisionSteps(
  model: KernelModel,
  operation: Operation,
  header: Header,
  kernel: string | undefined = header.kernel,
): DecisionStep[] {
  const after = model.clone();
  const outcome = after.apply(operation, 0);
  if (!outcome.ok && outcome.invalid) return [];
  const rules = kernelRules(nearestKernel(model.name, kernel));
  const refusal = outcome.ok ? undefined : outcome.refusal;
  const { before, behind } = checksOf(operation, model.name, rules);
  const refuses = (check: Check) => refusal !== undefined && check.rules.includes(refusal.rule);
  const note = ({ passed: text }: Check): DecisionStep => ({ text, verdict: 'note' });
  const failed = before.findIndex(refuses);
  const failedBehind = behind.findIndex(refuses);
  const passed = (failed < 0 ? before : before.slice(0, failed)).map(note);
  const isLater = refusal !== undefined && failed < 0;
  const middle = failed < 0 ? middleSteps(model, after, operation, outcome, header, rules) : [];
  const atEnd = failedBehind >= 0;
  const late = (outcome.ok ? behind : behind.slice(0, Math.max(0, failedBehind))).map(note);
  // Without a table of checks it is unknown which checks passed before a refusal.
  const isKnown = before.length > 0 && (!isLater || atEnd || middle.length > 0 || isAfterChecks(refusal));
  return [...(isKnown ? passed : []), ...middle, ...late, answerStep(outcome)];
}

/** Rules that refuse after all of the listed checks: choosing and pinning. */
function isAfterChecks(refusal: Refusal | undefined): boolean {
  return refusal !== undefined && /^(?:choose-|memory-)/.test(refusal.rule);
}

function answerStep(outcome: Outcome): DecisionStep {
  if (outcome.ok) {
    const { ret, iova, unmapped, dma_addr } = outcome.answer;
    const more =
      iova !== undefined
        ? `, IOVA ${groupedHex(iova)}`
        : dma_addr !== undefined
          ? `, DMA address ${groupedHex(dma_addr)}`
          : unmapped !== undefined
            ? `, ${groupedHex(unmapped)} bytes unmapped`
            : '';
    return { text: `Answer: ${ret}${more}`, verdict: 'yes' };
  }
  const { refusal } = outcome;
  if (!refusal) return { text: 'Cannot be run', verdict: 'no' };
  const { obstacle, requested } = refusal;
  const lit =
    obstacle?.start !== undefined && obstacle.last !== undefined
      ? range(obstacle.start, obstacle.last)
      : requested?.start === undefined
        ? undefined
        : rangeOfLength(requested.start, requested.length);
  return {
    text: `Refused, -${refusal.errno} (${refusal.rule}): ${refusal.message.replace(/\.$/, '')}`,
    verdict: 'no',
    source: refusal.source,
    ...(lit ? { range: lit } : {}),
  };
}

function middleSteps(
  model: KernelModel,
  after: KernelModel,
  operation: Operation,
  outcome: Outcome,
  header: Header,
  rules: KernelRules,
): DecisionStep[] {
  const isRfc = model.name === 'iommufd-rfc';
  const by = isRfc ? IOMMUFD_RFC_SOURCE : kernelLabel(rules);
  const search = { outcome, header, by, isLimited: rules.has('iommufd-choice') && !isRfc };
  switch (operation.op) {
    case 'ioas.map':
      return !operation.flags.includes('fixed')
        ? chosen(model.space(operation.ioas), operation.user_va, operation.length, search)
        : [];
    case 'ioas.copy': {
      const [source] = model.space(operation.src)?.areas(operation.src_iova, operation.src_iova) ?? [];
      if (operation.flags.includes('fixed') || !source) return [];
      const userVa = source.userVa + (operation.src_iova - source.start);
      return chosen(model.space(operation.dst), userVa, operation.length, search);
    }
    case 'device.attach': {
      const space = operation.ioas === undefined ? undefined : model.space(operation.ioas);
      return outcome.ok && space && model.name === 'iommufd' ? narrowingSteps(space, operation, false, by).steps : [];
    }
    case 'container.attach_group': {
      const space = model.space(operation.container);
      return outcome.ok && space ? narrowingSteps(space, operation, model.name === 'type1', by).steps : [];
    }
    case 'ioas.unmap':
      return unmapped(model, after, operation.ioas, operation.iova, operation.length, by);
    case 'container.unmap_dma': {
      const isAll = operation.flags.includes('all');
      const [start, length] = isAll ? [0n, IOVA_MAX] : [operation.iova, operation.size];
      return unmapped(model, after, operation.container, start, length, by);
    }
    case 'container.get_info':
      return model.name === 'type1' ? info(model, operation, by) : [];
    case 'dma.map':
    case 'dma.unmap':
      return model instanceof DmaIommuModel ? model.stepsOf(operation).map((event) => allocatorStep(event, by)) : [];
    default:
      return [];
  }
}

/** The result of a search for an IOVA, and the rules that apply. `isLimited`: as for `choiceSteps`. */
interface Search {
  readonly outcome: Outcome;
  readonly header: Header;
  /** The kernel, as sources name it. */
  readonly by: string;
  readonly isLimited: boolean;
}

/** The search for an IOVA, if it gives the model's answer. In older kernels, rounding may wrap around. */
function chosen(
  space: AddressSpaceView | undefined,
  userVa: bigint,
  length: bigint,
  { outcome, header, by, isLimited }: Search,
): DecisionStep[] {
  const sizes = pageSizesOf(header);
  const isSearched = outcome.ok || outcome.refusal?.rule.endsWith('choose-no-space');
  if (!space || !sizes || length === 0n || !isSearched) return [];
  const source = `${by}, iopt_alloc_iova`;
  const found = choiceSteps(space, { userVa, length, sizes, isLimited, source });
  if (found.chosen !== (outcome.ok ? outcome.answer.iova : undefined)) {
    const text = found.isCut
      ? 'The search passes more gaps than are shown'
      : 'Rounding up to the alignment wraps around at 2^64 in this version, so that the search does not end at the first gap that fits';
    return [...found.steps.slice(0, 1), { text, verdict: 'note', source }];
  }
  return found.steps;
}

/** The kernel code that performs an unmap. */
function walkOf(model: KernelModel, space: AddressSpaceView): Walk {
  if (model.name === 'iommufd-rfc') return 'iommufd-rfc';
  return model.name === 'type1' ? (space.version ?? 'type1v2') : 'iommufd';
}

function unmapped(
  model: KernelModel,
  after: KernelModel,
  id: string,
  start: bigint,
  length: bigint,
  by: string,
): DecisionStep[] {
  const space = model.space(id);
  const requested: IovaRange | undefined =
    start === 0n && length === IOVA_MAX ? WHOLE_SPACE : rangeOfLength(start, length);
  if (!space || !requested) return [];
  return unmapSteps(space, after.space(id), requested, walkOf(model, space), by).steps;
}

function info(
  model: KernelModel,
  operation: Extract<Operation, { op: 'container.get_info' }>,
  by: string,
): DecisionStep[] {
  const full = model.clone().apply({ ...operation, argsz: LARGE_BUFFER }, 0);
  const hex = full.ok ? full.answer.hex : undefined;
  return hex === undefined ? [] : infoSteps(operation.argsz, hex, by);
}

/** A step of the allocator as a decision step. */
function allocatorStep(event: AllocatorEvent, by: string): DecisionStep {
  const lit = 'range' in event ? event.range : undefined;
  const isDone =
    event.event === 'found' || event.event === 'cache-hit' || event.event === 'kept' || event.event === 'freed';
  const isPassed = event.event === 'full' || event.event === 'known-full' || event.event === 'cache-miss';
  return {
    text: allocatorStepText(event),
    verdict: isDone ? 'yes' : isPassed ? 'no' : 'note',
    source: `${by}, iommu_dma_alloc_iova and alloc_iova_fast`,
    ...(lit ? { range: lit } : {}),
  };
}
