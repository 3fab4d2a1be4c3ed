import { useEffect, useMemo, useRef, useState } from 'react';
import { createPortal } from 'react-dom';
import type { JudgedLine } from '../../engine/protocol/lessons.ts';
import type { EventRow } from '../../engine/protocol/sessions.ts';
import { counted, hex, hexRange } from '../../iova/format.ts';
import { type LessonEntry, lessonEntries } from '../../lessons/built-in.ts';
import { lessonName, orderProblems } from '../../lessons/order.ts';
import { type Gate, gateLine, type ShownBlock, type ShownOperation } from '../../lessons/reading.ts';
import { useApp } from '../state/app-state.ts';
import {
  choicesOf,
  closeLesson,
  closeReader,
  copyLessonLink,
  type Given,
  goToStep,
  nextStep,
  type OwnLesson,
  openLesson,
  presentReading,
  previousStep,
  revealAnswer,
  setPresenting,
  takeChoice,
  typeAnswer,
  useLesson,
} from '../state/lesson-reader.ts';
import { showEvent } from '../state/sessions.ts';
import { sinceOf, useAnswer } from '../state/use-answer.ts';
import { handleLessonKey } from './lesson-keys.ts';
import { Markdown } from './markdown.tsx';
import { openNotesWindow } from './notes-window.ts';
import { PracticeChoice } from './practice.tsx';
import { RecordLesson } from './record-lesson.tsx';
import './lesson-reader.css';

const EVENTS_MAX = 1000;

function JudgedLines({ lines }: { lines: readonly JudgedLine[] }) {
  return (
    <ul className="judged">
      {lines.map(({ text, answer, refused }) => (
        <li key={text}>
          <code>{text}</code> → <code>{answer}</code>
          {refused && (
            <span>
              : {refused.message} <span className="second">{refused.rule}</span>
            </span>
          )}
        </li>
      ))}
    </ul>
  );
}

function ChoiceList({ gate, given, isOpen }: { gate: Gate; given: Given | undefined; isOpen: boolean }) {
  return (
    <ol className="choices">
      {choicesOf(gate).map(({ text, reason, line }, i) => {
        const isRight = given?.verdicts[i];
        const isTaken = given?.choice === i;
        const state = !given ? undefined : isRight ? 'right' : isTaken ? 'wrong' : 'other';
        return (
          <li key={`${line} ${text}`}>
            <button
              type="button"
              className="choice"
              data-state={state}
              disabled={!isOpen}
              aria-keyshortcuts={String(i + 1)}
              onClick={() => void takeChoice(i)}
            >
              <span className="choice-key" aria-hidden="true">
                {state === 'right' ? '✓' : state === 'wrong' ? '✗' : i + 1}
              </span>
              <span>{text}</span>
              {state && state !== 'other' && (
                <span className="visually-hidden">, {isRight ? 'right' : 'not right'}</span>
              )}
              {isTaken && <span className="second"> your choice</span>}
            </button>
            {given && (isRight || isTaken) && reason !== undefined && <p className="choice-reason">{reason}</p>}
          </li>
        );
      })}
    </ol>
  );
}

const HINTS = {
  address: '0x1000',
  range: '0x1000-0x1fff',
  operation: 'map a 0x1000 4K rw',
} as const;

/** A range that is drawn or selected on the timeline from now on fills the field in. `set` must stay the same. */
function useDrawn(kind: keyof typeof HINTS, set: (text: string) => void): void {
  useEffect(() => {
    if (kind === 'operation') return;
    return useApp.subscribe((now, before) => {
      const isMeasured = now.measured !== before.measured && now.measured !== undefined;
      const isSelected = now.selected !== before.selected;
      const drawn = isMeasured ? now.measured : isSelected ? now.selected?.target : undefined;
      if (drawn) set(kind === 'address' ? hex(drawn.start) : hexRange(drawn));
    });
  }, [kind, set]);
}

function TypedAnswer({ gate, kind }: { gate: Gate; kind: keyof typeof HINTS }) {
  const [text, setText] = useState('');
  const attempt = useLesson((s) => s.attempt);
  useDrawn(kind, setText);
  const mine = attempt?.line === gateLine(gate) ? attempt : undefined;
  return (
    <form
      className="typed-answer"
      onSubmit={(event) => {
        event.preventDefault();
        void typeAnswer(text);
      }}
    >
      <label>
        Your answer{' '}
        <input
          value={text}
          placeholder={HINTS[kind]}
          spellCheck={false}
          autoComplete="off"
          className="mono"
          onChange={({ target }) => setText(target.value)}
        />
      </label>
      <button type="submit" className="button">
        Check
      </button>
      {kind !== 'operation' && <p className="second">Type it, or draw it on the timeline with Shift-drag.</p>}
      {mine && (
        <div className="attempt">
          <p>
            <strong className="severity-error">Not right: {mine.text}</strong>
            {mine.judged.mistake !== undefined && `: ${mine.judged.mistake}`}
          </p>
          <JudgedLines lines={mine.judged.lines} />
        </div>
      )}
    </form>
  );
}

function GateBlock({ gate }: { gate: Gate }) {
  const given = useLesson((s) => s.answers[gateLine(gate)]);
  const isOpen = given === undefined;
  const kind = gate.kind === 'question' ? gate.question.answer?.kind : undefined;
  const title = gate.kind === 'predict' ? 'What does the kernel answer?' : gate.question.text;
  const sample = gate.kind === 'question' ? gate.question.answer?.sample : undefined;
  return (
    <section
      className="gate"
      data-predicted={(gate.kind === 'predict' && !isOpen) || undefined}
      aria-label={gate.kind === 'predict' ? 'Prediction' : 'Question'}
      data-testid="lesson-gate"
    >
      <p className="gate-title">{title}</p>
      {gate.kind === 'predict' && isOpen && (
        <p className="gate-operation">
          <code>{gate.operation}</code>
        </p>
      )}
      {kind === undefined ? (
        <ChoiceList gate={gate} given={given} isOpen={isOpen} />
      ) : isOpen ? (
        <TypedAnswer gate={gate} kind={kind} />
      ) : (
        <p>
          <code>{given.text ?? sample ?? 'no answer is given in the lesson'}</code>
        </p>
      )}
      {isOpen ? (
        <button type="button" className="link" onClick={() => void revealAnswer()}>
          I don’t know: reveal (V)
        </button>
      ) : (
        <p className="verdict">
          <strong className={given.isRight === false ? 'severity-error' : 'fits'}>
            {given.isRight === undefined ? 'Revealed' : given.isRight ? 'Right' : 'Not right'}
          </strong>
        </p>
      )}
      {given?.judged && gate.kind === 'question' && <JudgedLines lines={given.judged.lines} />}
    </section>
  );
}

/** Operations of a step; those that have happened with their answers, which are shown in the picture on demand. */
function Operations({ operations }: { operations: readonly ShownOperation[] }) {
  const session = useLesson((s) => s.session);
  const document = useApp((s) => s.documents.find(({ id }) => id === session));
  // What is to be predicted is part of the question.
  const happened = operations.filter(({ isHidden }) => !isHidden);
  const shown = happened.length;
  const first = happened[0]?.position ?? 0;
  const params =
    session !== undefined && shown > 0
      ? { id: session, offset: first - 1, limit: Math.min(shown, EVENTS_MAX) }
      : undefined;
  const { value: rows } = useAnswer('events', params, ...sinceOf(document));
  const rowAt = (position: number): EventRow | undefined => rows?.find((row) => row.position === position);
  if (shown === 0) return null;
  return (
    <ul className="lesson-ops">
      {happened.map(({ line, text, position }) => {
        const row = rowAt(position);
        return (
          <li key={line}>
            <code className="lesson-op">{text}</code>{' '}
            {row && document && (
              <button
                type="button"
                className={row.refused ? 'link severity-error' : 'link'}
                title="Show this moment"
                onClick={() => void showEvent(document, row)}
              >
                → {row.answer ?? 'cannot be run'}
              </button>
            )}
            {row?.refused && (
              <p className="op-reason">
                {row.refused.message} <span className="second">{row.refused.rule}</span>
              </p>
            )}
            {row?.hazard !== undefined && <p className="hazard">Kernel bug: {row.hazard}</p>}
          </li>
        );
      })}
    </ul>
  );
}

function Block({ block }: { block: ShownBlock }) {
  if (block.kind === 'text') return <Markdown text={block.text} />;
  if (block.kind === 'code') return <pre>{block.text}</pre>;
  if (block.kind === 'ops') return <Operations operations={block.operations} />;
  return <GateBlock key={gateLine(block.gate)} gate={block.gate} />;
}

const blockKey = (block: ShownBlock, i: number) =>
  block.kind === 'gate' ? `gate ${gateLine(block.gate)}` : `${block.kind} ${i}`;

/** What is wrong with the lesson, for its author. */
function Problems() {
  const opened = useLesson((s) => s.opened);
  const name = useLesson((s) => s.name);
  if (!opened || opened.problems.length === 0) return null;
  return (
    <details className="lesson-problems" open>
      <summary>{counted(opened.problems.length, 'problem')} in this lesson</summary>
      <ul>
        {opened.problems.map(({ line, message }) => (
          <li key={`${line} ${message}`}>
            <span className="mono">
              {name}:{line}
            </span>
            : {message}
          </li>
        ))}
      </ul>
    </details>
  );
}

/** The first sentence of a text. */
function firstSentence(text: string): string {
  return /^[\s\S]*?[.!?](?=\s|$)/.exec(text)?.[0] ?? text;
}

/** What is said below the picture of the presenter's view: what is asked, else what happened, else the first sentence. */
function presented(blocks: readonly ShownBlock[], open: Gate | undefined): readonly ShownBlock[] {
  const lastOps = blocks.findLast((block) => block.kind === 'ops');
  const last = lastOps?.operations.at(-1);
  const ops: ShownBlock[] = last ? [{ kind: 'ops', operations: [last] }] : [];
  const gate = blocks.findLast((block) => block.kind === 'gate');
  if (gate) return [gate, ...(open || gate.gate.kind === 'question' ? [] : ops)];
  const text = blocks.find((block) => block.kind === 'text');
  return [...ops, ...(text ? [{ ...text, text: firstSentence(text.text) }] : [])];
}

function StepContent() {
  const isPresenting = useLesson((s) => s.isPresenting);
  const opened = useLesson((s) => s.opened);
  const step = useLesson((s) => s.step);
  useLesson((s) => s.answers);
  const reading = presentReading();
  if (!opened || !reading) return null;
  const Title = isPresenting ? 'h2' : 'h3';
  return (
    <>
      <Title className="step-title">{opened.lesson.steps[step]?.title}</Title>
      {(isPresenting ? presented(reading.blocks, reading.open) : reading.blocks).map((block, i) => (
        <Block key={`${step} ${blockKey(block, i)}`} block={block} />
      ))}
    </>
  );
}

/** The whole step for the teacher, with answers, and what comes next. */
function Notes() {
  const opened = useLesson((s) => s.opened);
  const step = useLesson((s) => s.step);
  const now = opened?.lesson.steps[step];
  const next = opened?.lesson.steps[step + 1];
  if (!opened || !now) return null;
  return (
    <main className="notes">
      <p className="second">
        {opened.lesson.head.title}, step {step + 1} of {opened.steps.length}
      </p>
      <h1>{now.title}</h1>
      {now.blocks.map((block, i) => {
        const key = `${step} ${i}`;
        if (block.kind === 'text') return <Markdown key={key} text={block.text} />;
        if (block.kind === 'code') return <pre key={key}>{block.text}</pre>;
        if (block.kind === 'ops') {
          return <pre key={key}>{block.operations.map(({ text, line }) => `${line}  ${text}`).join('\n')}</pre>;
        }
        if (block.kind !== 'predict' && block.kind !== 'question') return null;
        const choices = block.kind === 'predict' ? block.choices : block.question.choices;
        return (
          <section key={key}>
            <p>
              <strong>{block.kind === 'predict' ? 'Predict' : block.question.text}</strong>
            </p>
            <ul>
              {choices.map(({ text, reason }) => (
                <li key={text}>
                  <code>{text}</code>
                  {reason === undefined ? '' : `: ${reason}`}
                </li>
              ))}
            </ul>
          </section>
        );
      })}
      <p className="second">{next ? `Next: ${next.title}` : 'This is the last step.'}</p>
    </main>
  );
}

/** The window with the notes, if it is open. */
function useNotes(): { readonly notes: HTMLElement | undefined; open(): void } {
  const [notes, setNotes] = useState<Window>();
  const theme = useApp((s) => s.theme);
  useEffect(() => () => notes?.close(), [notes]);
  useEffect(() => {
    if (notes) notes.document.documentElement.dataset.theme = theme;
  }, [notes, theme]);
  return {
    notes: notes?.document.body,
    open() {
      const opened = openNotesWindow(
        (event) => handleLessonKey(event),
        () => setNotes(undefined),
      );
      setNotes(opened);
    },
  };
}

function LessonHeader({ onNotes }: { onNotes(): void }) {
  const { opened, name, isBuiltIn, step, isPresenting } = useLesson();
  if (!opened) return null;
  const { lesson, steps } = opened;
  // The page's own heading is not shown then.
  const Title = isPresenting ? 'h1' : 'h2';
  return (
    <header className="lesson-head">
      <Title className={isPresenting ? 'visually-hidden' : 'lesson-title'}>{lesson.head.title}</Title>
      <p className="second lesson-progress">
        <progress value={step + 1} max={steps.length} aria-label="Progress of the lesson" />
        <span data-testid="lesson-step">
          step {step + 1} of {steps.length}
        </span>
      </p>
      <div className="lesson-tools">
        <button type="button" className="link" onClick={() => setPresenting(!isPresenting)} aria-keyshortcuts="z">
          {isPresenting ? 'Leave the presenter’s view' : 'Present'}
        </button>
        {isPresenting && (
          <button type="button" className="link" onClick={onNotes} aria-haspopup="dialog">
            Notes window
          </button>
        )}
        {isBuiltIn && !isPresenting && (
          <button
            type="button"
            className="link"
            onClick={() => void copyLessonLink(name, 'the link to this step', step)}
          >
            Copy link
          </button>
        )}
        {!isPresenting && (
          <>
            <button type="button" className="link" onClick={() => void closeLesson()}>
              All lessons
            </button>
            <button type="button" className="quiet" aria-label="Close the lesson" onClick={() => void closeReader()}>
              ×
            </button>
          </>
        )}
      </div>
    </header>
  );
}

function OpenLesson() {
  const opened = useLesson((s) => s.opened);
  const step = useLesson((s) => s.step);
  const isPresenting = useLesson((s) => s.isPresenting);
  const { notes, open } = useNotes();
  const content = useRef<HTMLDivElement>(null);
  // A step begins at its top.
  // biome-ignore lint/correctness/useExhaustiveDependencies: for each step
  useEffect(() => {
    content.current?.scrollTo(0, 0);
  }, [step]);
  useEffect(() => {
    document.documentElement.toggleAttribute('data-present', isPresenting);
    return () => document.documentElement.removeAttribute('data-present');
  }, [isPresenting]);
  if (!opened) return null;
  return (
    <>
      <LessonHeader onNotes={open} />
      <Problems />
      <div ref={content} className="lesson-step">
        <StepContent />
      </div>
      <footer className="lesson-foot">
        <button type="button" className="button" disabled={step === 0} onClick={() => void previousStep()}>
          ‹ Back
        </button>
        <label className="lesson-goto">
          <span className="visually-hidden">Step</span>
          <select value={step} onChange={({ target }) => void goToStep(Number(target.value))}>
            {opened.lesson.steps.map(({ title, line }, i) => (
              <option key={line} value={i}>
                {i + 1}. {title}
              </option>
            ))}
          </select>
        </label>
        <button type="button" className="button primary" onClick={() => void nextStep()}>
          Next ›
        </button>
      </footer>
      {notes && createPortal(<Notes />, notes)}
    </>
  );
}

/** A lesson in the list; `problems`: names of lessons that should come first and do not exist. */
interface ListedLesson extends LessonEntry {
  readonly open: Parameters<typeof openLesson>[0];
  readonly problems: readonly string[];
}

/** The lessons of the program and those of a person, each with what is wrong with its place in the order. */
function listedLessons(
  builtIn: readonly LessonEntry[],
  own: readonly OwnLesson[],
): { readonly builtIn: ListedLesson[]; readonly own: ListedLesson[] } {
  const known = [...builtIn.map(({ name }) => name), ...own.map(({ file }) => lessonName(file))];
  return {
    builtIn: builtIn.map((entry) => {
      const problems = orderProblems(entry, entry.name, known).map(({ message }) => message);
      return { ...entry, open: { name: entry.name }, problems };
    }),
    own: own.map(({ file, text, head }) => {
      const { title, audience, minutes, after = [] } = head;
      const name = lessonName(file);
      const problems = orderProblems(head, name, known).map(({ line, message }) => `${file}:${line}: ${message}`);
      const about = { audience, minutes: minutes?.toString(), after };
      return { name, title: title || file, ...about, open: { file, text }, problems };
    }),
  };
}

function LessonEntries({ entries, titles, isAdded }: EntriesProps) {
  return (
    <ol className="lesson-list">
      {entries.map(({ name, title, audience, minutes, after, open, problems }) => (
        <li key={name}>
          <button type="button" className="link" onClick={() => void openLesson(open, { isAdded })}>
            {title}
          </button>
          <span className="second">
            {[
              ...(minutes === undefined ? [] : [`${minutes} min`]),
              ...(audience === undefined ? [] : [audience]),
              ...(after.length === 0 ? [] : [`after ${after.map((one) => `“${titles.get(one) ?? one}”`).join(', ')}`]),
            ].join(' · ')}
          </span>
          {problems.map((problem) => (
            <span key={problem} className="severity-error">
              {problem}
            </span>
          ))}
        </li>
      ))}
    </ol>
  );
}

interface EntriesProps {
  readonly entries: readonly ListedLesson[];
  /** By name. */
  readonly titles: ReadonlyMap<string, string>;
  readonly isAdded: boolean;
}

function LessonList() {
  const [entries, setEntries] = useState<readonly LessonEntry[]>([]);
  const own = useLesson((s) => s.own);
  const [isAdded, setAdded] = useState(false);
  const hasOpen = useApp((s) => s.documents.some(({ id }) => !s.sampleIds.includes(id)));
  useEffect(() => {
    lessonEntries().then(setEntries, () => undefined);
  }, []);
  const lists = useMemo(() => listedLessons(entries, own), [entries, own]);
  const titles = new Map([...lists.builtIn, ...lists.own].map(({ name, title }) => [name, title]));
  return (
    <>
      <header className="lesson-head">
        <h2 className="lesson-title">Lessons</h2>
        <div className="lesson-tools">
          <button type="button" className="quiet" aria-label="Close the lessons" onClick={() => void closeReader()}>
            ×
          </button>
        </div>
      </header>
      {hasOpen && (
        <label className="lesson-added">
          <input type="checkbox" checked={isAdded} onChange={({ target }) => setAdded(target.checked)} /> Keep the
          current case open
        </label>
      )}
      <LessonEntries entries={lists.builtIn} titles={titles} isAdded={isAdded} />
      {own.length > 0 && (
        <>
          <h3>Your lessons</h3>
          <LessonEntries entries={lists.own} titles={titles} isAdded={isAdded} />
        </>
      )}
      <PracticeChoice isAdded={isAdded} />
      <p className="second">A lesson is a Markdown file: drop your own, or a folder of them, onto the page.</p>
      <RecordLesson />
    </>
  );
}

/** Lessons, read step by step beside the picture that follows them. */
export function LessonReader() {
  const name = useLesson((s) => (s.opened ? s.name : undefined));
  useEffect(() => {
    const listeners = new AbortController();
    // Before the keys of the page: Space and the arrows go through the steps here.
    addEventListener('keydown', handleLessonKey, { capture: true, signal: listeners.signal });
    return () => listeners.abort();
  }, []);
  return (
    <section className="lesson" aria-label="Lesson" data-testid="lesson" data-lesson={name}>
      {name !== undefined ? <OpenLesson /> : <LessonList />}
    </section>
  );
}
