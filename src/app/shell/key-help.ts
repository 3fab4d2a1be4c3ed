// The keys of keys.ts and the moves of the mouse, as the help lists them: not needed before it is opened.

interface KeyHelp {
  readonly keys: readonly string[];
  readonly action: string;
}

/** What the help lists. */
export const KEYS: readonly KeyHelp[] = [
  { keys: ['wheel', 'W', 'S', '↑', '↓'], action: 'Zoom; the wheel zooms at the pointer' },
  { keys: ['Shift', 'wheel'], action: 'Scroll the lanes, like the wheel over their names' },
  { keys: ['drag', 'A', 'D', '←', '→'], action: 'Pan' },
  { keys: ['double-click'], action: 'Zoom in at the pointer' },
  { keys: ['0'], action: 'Show everything; on the linear scale first only the contents' },
  { keys: ['F'], action: 'Fit the selected range, or the conflict with its surroundings' },
  { keys: ['N', 'P'], action: 'Next and previous range' },
  { keys: ['C'], action: 'Next conflict' },
  {
    keys: ['Space', 'Shift Space', '.', ',', 'Ctrl Y', 'Ctrl Z'],
    action: 'Next and previous event of the current session; in a lesson, Space: the next step',
  },
  { keys: ['K'], action: 'Play and pause the current session' },
  { keys: ['R', 'Shift R'], action: 'Next and previous failed event' },
  { keys: ['Space', '→', '←', 'Page ↓', 'Page ↑'], action: 'In a lesson: next and previous step' },
  { keys: ['1', '…', '9', 'V'], action: 'In a lesson: take a choice, reveal the answer' },
  { keys: ['Z'], action: 'In a lesson: the presenter’s view; there, B: black screen, Esc: back' },
  { keys: ['Ctrl C'], action: 'In a table: copy the row' },
  { keys: ['/'], action: 'Search for an address, a type, a device or any text in the dumps' },
  { keys: ['>'], action: 'Open the operation bar: what would the kernel answer?' },
  { keys: ['Shift', 'drag'], action: 'Measure a range; the ends snap to bounds unless Alt is held' },
  { keys: ['Esc'], action: 'Clear the selection and the measurement' },
  { keys: ['L', 'B', 'I'], action: 'Fold or show the panels: left, below the picture, right (with the inspector)' },
  { keys: ['?'], action: 'Show this list' },
];
