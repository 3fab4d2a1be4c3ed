import { useState } from 'react';
import { laneNames } from '../../engine/protocol/picture.ts';
import { counted } from '../../iova/format.ts';
import { useApp } from '../state/app-state.ts';
import { engine } from '../state/engine.ts';
import { showEngineError } from '../state/notices.ts';
import { seenRange } from '../state/picture.ts';
import { saveFile } from '../state/save-file.ts';
import { shownSession } from '../state/sessions.ts';

/** Writes what was done in the current session, up to its moment, as a lesson to go on from. */
export function RecordLesson() {
  const session = useApp(shownSession);
  const [title, setTitle] = useState('');
  if (!session || session.operations === 0) return null;
  const record = async () => {
    const { scale, expanded, selectedGroups } = useApp.getState();
    const range = seenRange(useApp.getState());
    const lanes = laneNames(expanded);
    const { id, position, spaces: all } = session;
    const shownSpaces = all.filter(({ key }) => selectedGroups.includes(key));
    const spaces = shownSpaces.length < all.length ? shownSpaces.map((space) => space.title) : [];
    const name = title.trim() === '' ? session.title : title.trim();
    const shown = { ...(range ? { range } : {}), scale, lanes, spaces };
    const written = await engine().call('recordLesson', { id, position, title: name, view: shown });
    if (!written.ok) {
      showEngineError('The lesson was not recorded', written.error);
      return;
    }
    const file = name.replace(/[^\w-]+/g, '-').replace(/^-|-$/g, '');
    saveFile({ data: new Blob([written.value], { type: 'text/markdown' }), name: `${file || 'lesson'}.md` });
  };
  return (
    <form
      className="record-lesson"
      onSubmit={(event) => {
        event.preventDefault();
        void record();
      }}
    >
      <h3>Record a lesson</h3>
      <p className="second">
        Saves the {counted(session.position, 'event')} of “{session.title}” so far as a Markdown file, one step per
        event, with a prediction where the kernel refuses.
      </p>
      <label>
        Title <input value={title} placeholder={session.title} onChange={({ target }) => setTitle(target.value)} />
      </label>{' '}
      <button type="submit" className="button">
        Save
      </button>
    </form>
  );
}
