import { useMemo, useState } from 'react';
import type { DecodedBuffer } from '../../engine/protocol/answers.ts';
import type { DocumentNode } from '../../engine/protocol/documents.ts';
import { counted, formatRange, formatSize } from '../../iova/format.ts';
import { sizeOf } from '../../iova/range.ts';
import { problemsOf, type UapiNode } from '../../uapi/node.ts';
import { useVirtualRows } from '../lists/use-virtual-rows.ts';
import { useApp } from '../state/app-state.ts';
import { engine } from '../state/engine.ts';
import { showEngineError } from '../state/notices.ts';
import { openRanges } from '../state/open-ranges.ts';
import { useAnswer } from '../state/use-answer.ts';
import './buffer.css';

const BYTES_PER_LINE = 16;
/** As in buffer.css, in CSS pixels. */
const LINE_HEIGHT = 19;

/** Bytes of the buffer, from its start. */
interface ByteSpan {
  readonly offset: number;
  readonly size: number;
}

function contains(span: ByteSpan | undefined, offset: number): boolean {
  return span !== undefined && offset >= span.offset && offset < span.offset + span.size;
}

/** The innermost field that holds a byte. */
function fieldAt(node: UapiNode, offset: number): UapiNode | undefined {
  for (const child of node.children) {
    if (child.bits === undefined && contains(child, offset)) return fieldAt(child, offset) ?? child;
  }
  return contains(node, offset) ? node : undefined;
}

/** The bytes, sixteen in a line. */
function HexView({
  decoded,
  active,
  onPoint,
}: {
  decoded: DecodedBuffer;
  active: ByteSpan | undefined;
  onPoint: (span: ByteSpan | undefined) => void;
}) {
  const { bytes, root } = decoded;
  const broken = useMemo(() => new Set(problemsOf(root).map((problem) => problem.offset)), [root]);
  const list = useVirtualRows<HTMLDivElement>({
    count: Math.ceil(bytes.length / BYTES_PER_LINE),
    rowHeight: LINE_HEIGHT,
  });
  return (
    <div
      className="hex"
      role="img"
      aria-label={`${bytes.length} bytes; the list of fields shows all of them`}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls
      tabIndex={0}
      data-scroller
    >
      <div ref={list.ref} className="hex-lines" style={{ height: list.height }}>
        {list.rows.map(({ index, top }) => {
          const start = index * BYTES_PER_LINE;
          return (
            <div key={index} className="hex-line" style={{ top }}>
              <span className="second">{start.toString(16).padStart(4, '0')}</span>
              {[...bytes.subarray(start, start + BYTES_PER_LINE)].map((byte, i) => {
                const offset = start + i;
                const classes = [contains(active, offset) ? 'active' : '', broken.has(offset) ? 'broken' : ''];
                return (
                  <span
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
          );
        })}
      </div>
    </div>
  );
}

function Field({
  node,
  active,
  onPoint,
}: {
  node: UapiNode;
  active: ByteSpan | undefined;
  onPoint: (span: ByteSpan | undefined) => void;
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

interface ContainerName {
  /** Id of the document. */
  readonly id: string;
  readonly container: string;
}

/** Containers of the open sessions of which the model can say what GET_INFO answers. */
function containersOf(documents: readonly DocumentNode[]): ContainerName[] {
  return documents.flatMap((document) =>
    document.spaces.filter((space) => space.hasInfo).map((space) => ({ id: document.id, container: space.title })),
  );
}

/** A buffer of the kernel's UAPI as bytes and fields that highlight each other, and its ranges. */
export function BufferPanel() {
  const documents = useApp((s) => s.documents);
  const [text, setText] = useState('');
  const [struct, setStruct] = useState('');
  const [active, setActive] = useState<ByteSpan>();
  const names = useAnswer('structures', null).value ?? [];
  const hasText = text.trim() !== '';
  const { value: decoded, error } = useAnswer(
    'decode',
    hasText ? { text, ...(struct === '' ? {} : { struct }) } : undefined,
  );

  const readInfo = async (name: ContainerName) => {
    const answer = await engine().call('getInfo', name);
    if (answer.ok) setText(answer.value);
    else showEngineError(`GET_INFO of ${name.container} has no answer`, answer.error);
  };

  return (
    <div className="buffer">
      <label className="paste">
        Hex dump (xxd, hexdump -C, od, gdb, a C array or plain digits)
        <textarea rows={3} spellCheck={false} value={text} onChange={(event) => setText(event.target.value)} />
      </label>
      <div className="bar-row">
        {containersOf(documents).map((name) => (
          <button
            key={`${name.id} ${name.container}`}
            type="button"
            className="button"
            onClick={() => void readInfo(name)}
          >
            GET_INFO of {name.container}
          </button>
        ))}
        <label>
          Structure{' '}
          <select value={struct} onChange={(event) => setStruct(event.target.value)}>
            <option value="">auto-detect</option>
            {names.map(({ name, title }) => (
              <option key={name} value={name}>
                {name}: {title}
              </option>
            ))}
          </select>
        </label>
        {decoded && decoded.ranges.length > 0 && (
          <button type="button" className="button" onClick={() => void openRanges(decoded)}>
            Show {counted(decoded.ranges.length, 'range')} on the timeline
          </button>
        )}
      </div>
      {error && <p className="refused">{error.message}</p>}
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
              {decoded.ranges.map(formatRange).join(', ')}:{' '}
              {formatSize(decoded.ranges.reduce((sum, r) => sum + sizeOf(r), 0n))} in total
            </p>
          )}
        </>
      )}
    </div>
  );
}
