import { type KeyboardEvent, useEffect, useState } from 'react';
import { ComboBox, Input, Label, ListBox, ListBoxItem, Popover } from 'react-aria-components';
import type { Found } from '../../engine/protocol/picture.ts';
import { formatRange, formatSize } from '../../iova/format.ts';
import { range } from '../../iova/range.ts';
import { useApp } from '../state/app-state.ts';
import { engine } from '../state/engine.ts';
import { select } from '../state/selection.ts';
import { showText } from '../state/tabs.ts';
import { revealDevice, revealGroup, revealOwner } from '../state/tree.ts';
import { useAnswer } from '../state/use-answer.ts';
import { SEARCH_HINT, SEARCH_ID, SEARCH_LABEL } from './search-field.ts';

const LIMIT = 25;

/** Bounds and size of a result. */
function boundsLabel({ start, last }: NonNullable<Found['target']>): string {
  return `${formatRange(range(start, last))}, ${formatSize(last - start + 1n)}`;
}

/** Shows a result: a range in the picture and its owner in the tree, a device or group in the tree, or a line. */
async function show({ target, place, location }: Found): Promise<void> {
  if (location) showText(location);
  if (place?.device !== undefined) revealDevice(place.device, place.documentId);
  else if (place) revealGroup(place.groupKey);
  if (!target) return;
  await select(target, { reveal: true });
  const [owner, ...others] = useApp.getState().selected?.parts ?? [];
  if (owner && others.length === 0) revealOwner(owner.owner);
}

/** The text that was typed into the plain field that this box replaces, and whether the field has the focus. */
function earlyText(): { readonly text: string; readonly hasFocus: boolean } {
  const field = document.getElementById(SEARCH_ID);
  return {
    text: field instanceof HTMLInputElement ? field.value : '',
    hasFocus: field !== null && field === document.activeElement,
  };
}

/** Searches the picture and the sources for an address, a size, a type, a device or any text. The key `/` focuses it. */
export function SearchBox() {
  const revision = useApp((s) => s.picture?.arrangement.revision);
  const [text, setText] = useState('');
  /**
   * How many results were chosen: used as a key, so that the list closes after each. Without a selected item it would stay
   * open.
   */
  const [chosen, setChosen] = useState(0);
  const [early] = useState(earlyText);
  useEffect(() => {
    const box = document.getElementById(SEARCH_ID);
    if (chosen > 0 || early.hasFocus) box?.focus({ preventScroll: true });
    // The list opens when the text changes in the box that has the focus.
    if (chosen === 0) setText(early.text);
  }, [chosen, early]);
  const hasText = revision !== undefined && text.trim() !== '';
  const found = useAnswer('find', hasText ? { text, limit: LIMIT } : undefined, revision).value ?? [];

  const choose = (row: Found) => {
    setChosen((count) => count + 1);
    void show(row);
  };
  /** Enter without a highlighted result takes the first one for the current text, which may not be listed yet. */
  const takeFirst = async (event: KeyboardEvent<HTMLInputElement>) => {
    const { value } = event.currentTarget;
    const isChosen = event.currentTarget.hasAttribute('aria-activedescendant');
    if (event.key !== 'Enter' || event.nativeEvent.isComposing || isChosen || value.trim() === '') return;
    event.preventDefault();
    event.stopPropagation();
    const first = await engine().call('find', { text: value, limit: 1 });
    if (first.ok && first.value[0]) choose(first.value[0]);
  };

  return (
    <ComboBox
      key={chosen}
      className="search"
      inputValue={text}
      onInputChange={setText}
      items={found.map((row, id) => ({ id, row }))}
      selectedKey={null}
      onSelectionChange={(key) => {
        const row = typeof key === 'number' ? found[key] : undefined;
        if (row) choose(row);
      }}
      allowsCustomValue
      allowsEmptyCollection
      menuTrigger="input"
    >
      <Label className="visually-hidden">{SEARCH_LABEL}</Label>
      <Input
        id={SEARCH_ID}
        placeholder={SEARCH_HINT}
        onFocus={({ currentTarget }) => currentTarget.select()}
        onKeyDownCapture={(event) => void takeFirst(event)}
      />
      <Popover className="popover">
        <ListBox className="menu" renderEmptyState={() => <p className="hint">No matches.</p>}>
          {({ id, row }: { id: number; row: Found }) => (
            <ListBoxItem id={id} textValue={row.caption} className="menu-item">
              <span>
                {row.caption} <span className="second">{row.where}</span>
              </span>
              {row.target && <span className="mono second">{boundsLabel(row.target)}</span>}
            </ListBoxItem>
          )}
        </ListBox>
      </Popover>
    </ComboBox>
  );
}
