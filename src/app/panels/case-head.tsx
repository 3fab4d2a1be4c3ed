import type { CaseNode } from '../../engine/protocol/case.ts';
import { formatSize } from '../../iova/format.ts';
import { useApp } from '../state/app-state.ts';
import { forget, newCase, setKernel, undo } from '../state/case-actions.ts';
import './case-head.css';

const NO_KERNELS: readonly string[] = [];

type ToldKernels = CaseNode['toldKernels'];

const NONE_TOLD: ToldKernels = [];

/** `auto: 6.12.4 (from dmesg.txt)`, `auto: each source its own (2 versions)` */
function autoLabel(told: ToldKernels, newest: string | undefined) {
  const [first] = told;
  if (told.length > 1) return `auto: each source its own (${told.length} versions)`;
  if (first) return `auto: ${first.version} (from ${first.source})`;
  return newest === undefined ? 'auto' : `auto: newest (${newest})`;
}

/** Versions that are named; the rest is counted. */
const NAMED_MAX = 4;

/** What sources of several kernels mean for the answers. */
function SeveralKernels({ told }: { told: ToldKernels }) {
  const more = told.length - NAMED_MAX;
  const named = told.slice(0, NAMED_MAX).map(({ version, source }) => `${version} (${source})`);
  return (
    <p className="second" data-testid="several-kernels">
      The sources name different kernels: {named.join(', ')}
      {more > 0 && ` and ${more} more`}. Each is checked by its own kernel's rules; choose one for all.
    </p>
  );
}

/** Whose rules answer: those of the kernel that the sources name, or of another one. */
function KernelChoice() {
  const known = useApp((s) => s.caseNode?.knownKernels ?? NO_KERNELS);
  const told = useApp((s) => s.caseNode?.toldKernels ?? NONE_TOLD);
  const kernel = useApp((s) => s.caseNode?.kernel);
  const chosen = kernel?.isChosen ? kernel.version : undefined;
  const newest = known.at(-1);
  const others = known.toReversed();
  return (
    <>
      <label className="case-kernel" title="The kernel whose rules answer">
        Kernel{' '}
        <select
          data-testid="kernel"
          value={chosen ?? ''}
          onChange={({ target }) => void setKernel(target.value === '' ? null : target.value)}
        >
          <option value="">{autoLabel(told, newest)}</option>
          {chosen !== undefined && !known.includes(chosen) && <option value={chosen}>{chosen}</option>}
          {others.map((version) => (
            <option key={version} value={version}>
              {version === newest ? `${version} (newest)` : version}
            </option>
          ))}
        </select>
      </label>
      {chosen === undefined && told.length > 1 && <SeveralKernels told={told} />}
    </>
  );
}

const KEPT_HINT =
  'Saved to reopen the case after a reload: files, hosts, names, choices, the position in each session, and what live hosts reported. Not saved: undo, zoom, measurements, connections. Nothing leaves this machine.';

/** What this browser keeps of the case, to open it again after a reload. */
function Kept() {
  const kept = useApp((s) => s.kept);
  const size = kept === undefined ? '' : formatSize(BigInt(kept.bytes));
  const message =
    kept === undefined
      ? 'Not saved in this browser'
      : kept.isComplete
        ? `Saved in this browser: ${size}`
        : 'Too large to save in this browser: only names are saved';
  return (
    <p className="second" data-testid="kept" title={KEPT_HINT}>
      {message}
    </p>
  );
}

/** What concerns the case as a whole. */
export function CaseHead() {
  const label = useApp((s) => s.caseNode?.undo);
  const isEmpty = useApp((s) => s.documents.length === 0);
  const isKept = useApp((s) => s.kept !== undefined);
  return (
    <section className="case-head" aria-label="Case">
      <div className="case-buttons">
        <h2>Case</h2>
        <button
          type="button"
          className="link"
          disabled={label === undefined}
          title={label === undefined ? 'Nothing to undo' : `Undo: ${label}`}
          onClick={() => void undo()}
        >
          Undo
        </button>
        <button
          type="button"
          className="link"
          disabled={isEmpty}
          title="Close everything; can be undone"
          onClick={() => void newCase()}
        >
          New case
        </button>
        <button
          type="button"
          className="link"
          disabled={isEmpty && !isKept}
          title="Close everything and delete the case from this browser; cannot be undone"
          onClick={() => void forget()}
        >
          Forget
        </button>
      </div>
      {!isEmpty && <KernelChoice />}
      <Kept />
    </section>
  );
}
