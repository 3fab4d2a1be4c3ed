// Exercises from a number: their kinds, and sheets for paper.
import { useCallback, useEffect, useState } from 'react';
import { createPortal } from 'react-dom';
import {
  PRACTICE_KINDS,
  type Practice,
  type PracticeKind,
  parseSeed,
  practiceName,
} from '../../lessons/practice-name.ts';
import { copyLessonLink, openLesson } from '../state/lesson-reader.ts';
import { showError } from '../state/notices.ts';
import { Markdown } from './markdown.tsx';
import './practice.css';

const KIND_LABELS: Readonly<Record<PracticeKind, string>> = {
  overlap: 'Overlap',
  aperture: 'Aperture',
  alignment: 'Alignment',
  unmap: 'Unmap',
  order: 'Order of error codes',
};

/** By difficulty. The kinds can also be chosen one by one. */
const LEVELS: readonly { readonly label: string; readonly kinds: readonly PracticeKind[] }[] = [
  { label: 'All', kinds: PRACTICE_KINDS },
  { label: 'Easy', kinds: ['overlap', 'aperture'] },
  { label: 'Medium', kinds: ['alignment', 'unmap'] },
  { label: 'Hard', kinds: ['unmap', 'order'] },
];

const haveSame = (a: readonly PracticeKind[], b: readonly PracticeKind[]) =>
  a.length === b.length && a.every((kind) => b.includes(kind));

const randomSeed = () => String(Math.floor(Math.random() * 1e6));

/** Exercises on paper. */
interface Paper {
  readonly seed: number;
  /** Markdown. */
  readonly exercises: string;
  /** Markdown; undefined for a sheet without them. */
  readonly answers: string | undefined;
}

/** Makes a sheet. The exercises need whole models: they are loaded here, not with the reader. Rejects if they cannot be. */
async function paperOf(practice: Practice, hasAnswers: boolean): Promise<Paper> {
  const { practiceSheet } = await import('../../lessons/practice.ts');
  const { exercises, answers } = practiceSheet(practice);
  return { seed: practice.seed, exercises, answers: hasAnswers ? answers : undefined };
}

/** The sheet in place of the page, while it is printed. */
function PaperSheet({ paper, onPrinted }: { paper: Paper; onPrinted(): void }) {
  const { exercises, answers } = paper;
  useEffect(() => {
    const { title } = document;
    // Browsers name the file after the title.
    document.title = `Practice ${paper.seed}${paper.answers === undefined ? '' : ', answers'} – ${title}`;
    document.documentElement.toggleAttribute('data-paper', true);
    addEventListener('afterprint', onPrinted);
    print();
    return () => {
      removeEventListener('afterprint', onPrinted);
      document.documentElement.removeAttribute('data-paper');
      document.title = title;
    };
  }, [paper, onPrinted]);
  return createPortal(
    <div className="paper" data-testid="paper">
      <Markdown text={exercises} />
      {answers !== undefined && (
        <div className="paper-answers">
          <Markdown text={answers} />
        </div>
      )}
    </div>,
    document.body,
  );
}

/** Ten exercises of the chosen kinds, as a lesson, a link or printed sheets. `isAdded`: other open sources stay. */
export function PracticeChoice({ isAdded }: { isAdded: boolean }) {
  const [kinds, setKinds] = useState<readonly PracticeKind[]>(PRACTICE_KINDS);
  const [number, setNumber] = useState(randomSeed);
  const [paper, setPaper] = useState<Paper>();
  const endPrinting = useCallback(() => setPaper(undefined), []);
  const seed = parseSeed(number.trim());
  const practice = seed === undefined || kinds.length === 0 ? undefined : { seed, kinds };
  const level = LEVELS.find((one) => haveSame(one.kinds, kinds));
  const toggle = (kind: PracticeKind, isWanted: boolean) =>
    setKinds(PRACTICE_KINDS.filter((one) => (one === kind ? isWanted : kinds.includes(one))));
  const printPaper = async (practice: Practice, hasAnswers: boolean) => {
    try {
      setPaper(await paperOf(practice, hasAnswers));
    } catch (error) {
      showError('The exercises were not printed', error instanceof Error ? error.message : String(error));
    }
  };
  return (
    <form
      className="practice"
      onSubmit={(event) => {
        event.preventDefault();
        if (practice) void openLesson({ name: practiceName(practice) }, { isAdded });
      }}
    >
      <h3>Practice</h3>
      <p className="second">Ten exercises, always the same for the same number.</p>
      <p className="practice-row">
        <label>
          Difficulty{' '}
          <select
            value={level?.label ?? ''}
            onChange={({ target }) => setKinds(LEVELS.find(({ label }) => label === target.value)?.kinds ?? kinds)}
          >
            {!level && <option value="">Custom</option>}
            {LEVELS.map(({ label }) => (
              <option key={label}>{label}</option>
            ))}
          </select>
        </label>
        <label>
          Number{' '}
          <input
            value={number}
            size={8}
            inputMode="numeric"
            aria-invalid={seed === undefined}
            onChange={({ target }) => setNumber(target.value)}
          />
        </label>
        <button type="button" className="link" onClick={() => setNumber(randomSeed())}>
          New number
        </button>
      </p>
      <fieldset className="practice-kinds">
        <legend className="visually-hidden">Kinds, easiest first</legend>
        {PRACTICE_KINDS.map((kind) => (
          <label key={kind}>
            <input
              type="checkbox"
              checked={kinds.includes(kind)}
              onChange={({ target }) => toggle(kind, target.checked)}
            />{' '}
            {KIND_LABELS[kind]}
          </label>
        ))}
      </fieldset>
      {seed === undefined && <p className="severity-error">Enter a number from 0 to 4294967295</p>}
      {kinds.length === 0 && <p className="severity-error">Choose at least one kind</p>}
      <p className="practice-row">
        <button type="submit" className="button" disabled={!practice}>
          Start
        </button>
        {practice && (
          <>
            <button
              type="button"
              className="link"
              onClick={() => void copyLessonLink(practiceName(practice), 'the link to these exercises')}
            >
              Copy link
            </button>
            <button type="button" className="link" onClick={() => void printPaper(practice, false)}>
              Print
            </button>
            <button type="button" className="link" onClick={() => void printPaper(practice, true)}>
              Print with answers
            </button>
          </>
        )}
      </p>
      {paper && <PaperSheet paper={paper} onPrinted={endPrinting} />}
    </form>
  );
}
