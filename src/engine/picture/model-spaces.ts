// The address spaces of models. Loaded with the first session.
import type { GuestLayout } from '../../analysis/conflicts/guest.ts';
import { usableInModel } from '../../analysis/space/usable-in-model.ts';
import type { AddressSpaceView } from '../../kernel/model.ts';
import { modelSpace } from '../../timeline/lanes/model-space.ts';
import type { Moment } from '../../timeline/lanes/sources.ts';

interface ModelState {
  readonly space: AddressSpaceView;
  readonly guest: GuestLayout | undefined;
  readonly moment: Moment | undefined;
  /** Title of the session. */
  readonly from: string;
}

/** The lanes of a model's address space, and where a mapping fits in it. `id` is unique in the picture. */
export function modelLanes(
  id: string,
  title: string,
  { space, guest, moment, from }: ModelState,
  expanded: ReadonlySet<string>,
) {
  const provenanceOf = () => [{ source: from }];
  return {
    ...modelSpace(id, title, { space, guest, moment, provenanceOf }, expanded),
    answers: usableInModel(space, provenanceOf),
  };
}
