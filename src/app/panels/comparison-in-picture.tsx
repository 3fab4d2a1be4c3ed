// What of a comparison between models or kernel versions is shown in the picture.
import type { ComparedInPicture } from '../../engine/protocol/picture.ts';
import { useApp } from '../state/app-state.ts';
import { compareInPicture } from '../state/comparison.ts';

type Shown = ComparedInPicture['shows'][number];

const LABELS: Readonly<Record<Shown, string>> = {
  each: 'Show each in the picture',
  differences: 'Show differences as a lane',
};
const NOTHING: ComparedInPicture['shows'] = [];

/** What is shown of a document's comparison between models, or between kernel versions. */
export function useShownComparison(id: string, kind: 'models' | 'versions'): ComparedInPicture['shows'] {
  return useApp(({ compared }) => {
    const isIt = compared?.id === id && (compared.under === 'versions') === (kind === 'versions');
    return isIt ? compared.shows : NOTHING;
  });
}

interface ComparisonInPictureProps extends ComparedInPicture {
  readonly offered: readonly Shown[];
}

export function ComparisonInPicture({ id, under, shows, offered }: ComparisonInPictureProps) {
  return offered.map((what) => (
    <label key={what}>
      <input
        type="checkbox"
        checked={shows.includes(what)}
        onChange={({ target }) =>
          compareInPicture({
            id,
            under,
            shows: offered.filter((other) => (other === what ? target.checked : shows.includes(other))),
          })
        }
      />{' '}
      {LABELS[what]}
    </label>
  ));
}
