// A session under several models or kernel versions, in the picture.
import type { ComparedInPicture } from '../../engine/protocol/picture.ts';
import { useApp } from './app-state.ts';
import { arrange } from './picture.ts';

/** Shows a document under several models or kernel versions; as usual if nothing is to be shown, or under fewer than two. */
export function compareInPicture(compared: ComparedInPicture): void {
  const { under, shows } = compared;
  useApp.setState({ compared: shows.length > 0 && under.length > 1 ? compared : undefined });
  void arrange('view');
}
