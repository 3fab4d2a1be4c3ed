import { useEffect, useMemo, useState } from 'react';
import type { DecodedBuffer } from '../../engine/protocol/answers.ts';
import type { DocumentNode } from '../../engine/protocol/documents.ts';
import { formatSize, groupedHex } from '../../iova/format.ts';
import { problemsOf, type UapiNode } from '../../uapi/node.ts';
import { openRanges } from '../shell/open-files.ts';
import { useApp } from '../state/app-state.ts';
import { engine } from '../state/engine.ts';

const BYTES_PER_LINE = 16;
/** More bytes than this are decoded, but not all shown as hex. */
const BYTES_SHOWN = 4096;

interface Stretch {
  readonly offset: number;
  readonly size: number;
}

function contains(stretch: Stretch | undefined, offset: number): boolean {
  return stretch !== undefined && offset >= stretch.offset && offset < stretch.offset + stretch.size;
}

/** The innermost field that holds a byte. */
function fieldAt(node: UapiNode, offset: number): UapiNode | undefined {
  for (const child of node.children) {
    if (child.bits === undefined && contains(child, offset)) return fieldAt(child, offset) ?? child;
  }
  return contains(node, offset) ? node : undefined;
}

function HexView({
  decoded,
  active,
  onPoint,
}: {
  decoded: DecodedBuffer;
  active: Stretch | undefined;
  onPoint: (s: Stretch | undefined) => void;
}) {
  const { bytes, root } = decoded;
  const shown = bytes.subarray(0, BYTES_SHOWN);
  const broken = useMemo(() => new Set(problemsOf(root).map((problem) => problem.offset)), [root]);
  const lines = Array.from({ length: Math.ceil(shown.length / BYTES_PER_LINE) }, (_, i) => i * BYTES_PER_LINE);
  return (
    <div className="hex" role="img" aria-label={`${bytes.length} bytes; the fields beside list them all`}>
      {lines.map((start) => (
        <div key={start} className="hex-line">
          <span className="second">{start.toString(16).padStart(4, '0')}</span>
          {[...shown.subarray(start, start + BYTES_PER_LINE)].map((byte, i) => {
            const offset = start + i;
            const classes = [contains(active, offset) ? 'active' : '', broken.has(offset) ? 'broken' : ''];
            return (
              <span
                // The place is what a byte is.
                key={offset}
                className={classes.filter(Boolean).join(' ') || undefined}
                onPointerEnter={() => onPoint(fieldAt(root, offset))}
                onPointerLeave={() => onPoint(undefined)}
              >
                {byte.toString(16).padStart(2, '0')}
              </span>
            );
          })}
        </div>
      ))}
      {bytes.length > BYTES_SHOWN && <p className="second">and {bytes.length - BYTES_SHOWN} more bytes</p>}
    </div>
  );
}

function Field({
  node,
  active,
  onPoint,
}: {
  node: UapiNode;
  active: Stretch | undefined;
  onPoint: (s: Stretch | undefined) => void;
}) {
  const isActive = active !== undefined && active.offset === node.offset && active.size === node.size;
  const { high, low } = node.bits ?? {};
  const bits = high === undefined ? '' : high === low ? `, bit ${low}` : `, bits ${high}–${low}`;
  const label = `${node.name}${bits}${node.value === undefined ? '' : ` = ${node.value}`}`;
  return (
    <li>
      <button
        type="button"
        className={isActive ? 'field active' : 'field'}
        onPointerEnter={() => onPoint(node)}
        onPointerLeave={() => onPoint(undefined)}
        onFocus={() => onPoint(node)}
        onBlur={() => onPoint(undefined)}
      >
        <span className="mono second">{node.offset.toString(16).padStart(4, '0')}</span>
        <span className="mono">{label}</span>
        {node.meaning !== undefined && <span className="second">{node.meaning}</span>}
      </button>
      {node.problems.map((problem) => (
        <p key={`${problem.code} ${problem.offset}`} className="refused">
          {problem.message} (at offset 0x{problem.offset.toString(16)})
        </p>
      ))}
      {node.children.length > 0 && (
        <ul>
          {node.children.map((child) => (
            <Field
              key={`${child.name} ${child.offset} ${child.bits?.low ?? ''}`}
              node={child}
              active={active}
              onPoint={onPoint}
            />
          ))}
        </ul>
      )}
    </li>
  );
}

/** Containers of the open sessions, of which the model can say what GET_INFO would answer now. */
function containersOf(documents: readonly DocumentNode[]) {
  return documents.flatMap((document) =>
    document.spaces.filter((space) => space.hasInfo).map((space) => ({ id: document.id, container: space.title })),
  );
}

/** A buffer of the kernel's UAPI as bytes and fields that point at each other, and the ranges that it holds. */
export function BufferPanel() {
  const documents = useApp((s) => s.documents);
  const [text, setText] = useState('');
  const [struct, setStruct] = useState('');
  const [decoded, setDecoded] = useState<DecodedBuffer>();
  const [problem, setProblem] = useState('');
  const [active, setActive] = useState<Stretch>();
  const [names, setNames] = useState<readonly { readonly name: string; readonly title: string }[]>([]);
  const containers = containersOf(documents);

  useEffect(() => {
    void engine()
      .call('structures', null)
      .then((answer) => answer.ok && setNames(answer.value));
  }, []);

  useEffect(() => {
    let stale = false;
    setProblem('');
    if (text.trim() === '') setDecoded(undefined);
    else {
      void engine()
        .call('decode', { text, ...(struct === '' ? {} : { struct }) })
        .then((answer) => {
          if (stale) return;
          setDecoded(answer.ok ? answer.value : undefined);
          if (!answer.ok) setProblem(answer.error.message);
        });
    }
    return () => {
      stale = true;
    };
  }, [text, struct]);

  const look = async (index: number) => {
    const wanted = containers[index];
    if (!wanted) return;
    const answer = await engine().call('getInfo', wanted);
    if (answer.ok) setText(answer.value);
    else setProblem(answer.error.message);
  };

  return (
    <div className="buffer">
      <label className="paste">
        A hex dump: xxd, hexdump -C, od, gdb, a C array, or plain digits
        <textarea rows={3} spellCheck={false} value={text} onChange={(event) => setText(event.target.value)} />
      </label>
      <div className="pager">
        {containers.map(({ id, container }, i) => (
          <button key={`${id} ${container}`} type="button" className="button" onClick={() => void look(i)}>
            GET_INFO of {container} now
          </button>
        ))}
        <label>
          read as{' '}
          <select value={struct} onChange={(event) => setStruct(event.target.value)}>
            <option value="">what it looks like</option>
            {names.map(({ name, title }) => (
              <option key={name} value={name}>
                {name}: {title}
              </option>
            ))}
          </select>
        </label>
        {decoded && decoded.ranges.length > 0 && (
          <button type="button" className="button" onClick={() => void openRanges(decoded)}>
            Show its {decoded.ranges.length} ranges on the timeline
          </button>
        )}
      </div>
      {problem !== '' && <p className="refused">{problem}</p>}
      {decoded && (
        <>
          {decoded.problems.map((p) => (
            <p key={`${p.line} ${p.column} ${p.message}`} className="refused">
              line {p.line}, column {p.column}: {p.message}
            </p>
          ))}
          <div className="buffer-views">
            <HexView decoded={decoded} active={active} onPoint={setActive} />
            <ul className="fields">
              <Field node={decoded.root} active={active} onPoint={setActive} />
            </ul>
          </div>
          {decoded.ranges.length > 0 && (
            <p className="second">
              {decoded.ranges.map((r) => `${groupedHex(r.start)} – ${groupedHex(r.last)}`).join(', ')};{' '}
              {formatSize(decoded.ranges.reduce((sum, r) => sum + (r.last - r.start + 1n), 0n))} in all
            </p>
          )}
        </>
      )}
    </div>
  );
}
