// Exercises from a number: their kinds, and sheets for paper.
import { useEffect, useState } from 'react';
import { createPortal } from 'react-dom';
import { practiceSheet } from '../../lessons/practice.ts';
import { PRACTICE_KINDS, type Practice, type PracticeKind, practiceName } from '../../lessons/practice-name.ts';
import { copy } from '../state/clipboard.ts';
import { openLesson } from '../state/lesson-reader.ts';
import { Markdown } from './markdown.tsx';
import './practice.css';

const KIND_LABELS: Readonly<Record<PracticeKind, string>> = {
  overlap: 'Overlap',
  aperture: 'Aperture',
  alignment: 'Alignment',
  unmap: 'Unmap',
  order: 'Order of errnos',
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

/** The number that was typed; undefined if it is none. */
function seedOf(text: string): number | undefined {
  const seed = /^\d{1,10}$/.test(text.trim()) ? Number(text) : undefined;
  return seed === undefined || seed >= 2 ** 32 ? undefined : seed;
}

interface Paper {
  readonly practice: Practice;
  readonly hasAnswers: boolean;
}

/** The sheet in place of the page, while it is printed. */
function PaperSheet({ paper: { practice, hasAnswers }, onPrinted }: { paper: Paper; onPrinted(): void }) {
  const { exercises, answers } = practiceSheet(practice);
  useEffect(() => {
    const { title } = document;
    // Browsers name the file after the title.
    document.title = `Practice ${practice.seed}${hasAnswers ? ', answers' : ''} – ${title}`;
    document.documentElement.toggleAttribute('data-paper', true);
    addEventListener('afterprint', onPrinted);
    print();
    return () => {
      removeEventListener('afterprint', onPrinted);
      document.documentElement.removeAttribute('data-paper');
      document.title = title;
    };
  }, [practice, hasAnswers, onPrinted]);
  return createPortal(
    <div className="paper" data-testid="paper">
      <Markdown text={exercises} />
      {hasAnswers && (
        <div className="paper-answers">
          <Markdown text={answers} />
        </div>
      )}
    </div>,
    document.body,
  );
}

/** Ten exercises of chosen kinds: as a lesson, as a link, or on paper. `isAdded`: what is open stays beside them. */
export function PracticeChoice({ isAdded }: { isAdded: boolean }) {
  const [kinds, setKinds] = useState<readonly PracticeKind[]>(PRACTICE_KINDS);
  const [number, setNumber] = useState(randomSeed);
  const [paper, setPaper] = useState<Paper>();
  const [endPrinting] = useState(() => () => setPaper(undefined));
  const seed = seedOf(number);
  const practice = seed === undefined || kinds.length === 0 ? undefined : { seed, kinds };
  const level = LEVELS.find((one) => haveSame(one.kinds, kinds));
  const toggle = (kind: PracticeKind, isWanted: boolean) =>
    setKinds(PRACTICE_KINDS.filter((one) => (one === kind ? isWanted : kinds.includes(one))));
  const copyLink = ({ seed, kinds }: Practice) => {
    const url = new URL(location.href);
    url.hash = `lesson=${practiceName({ seed, kinds })}`;
    void copy(url.href, 'the link to these exercises');
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
            {!level && <option value="">chosen kinds</option>}
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
        <legend className="visually-hidden">Kinds, from the easiest on</legend>
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
      {seed === undefined && <p className="severity-error">Number: expected 0 to 4294967295</p>}
      {kinds.length === 0 && <p className="severity-error">Choose at least one kind</p>}
      <p className="practice-row">
        <button type="submit" className="button" disabled={!practice}>
          Start
        </button>
        {practice && (
          <>
            <button type="button" className="link" onClick={() => copyLink(practice)}>
              Copy link
            </button>
            <button type="button" className="link" onClick={() => setPaper({ practice, hasAnswers: false })}>
              Print
            </button>
            <button type="button" className="link" onClick={() => setPaper({ practice, hasAnswers: true })}>
              Print with answers
            </button>
          </>
        )}
      </p>
      {paper && <PaperSheet paper={paper} onPrinted={endPrinting} />}
    </form>
  );
}
