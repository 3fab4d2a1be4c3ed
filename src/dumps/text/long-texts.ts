// What makes reading long texts faster, and is loaded for them only: without it the results are the same.
export { beginningOf } from './beginnings.ts';
export { OtherEvents } from './other-events.ts';
export { PlainLine } from './plain-line.ts';
export { RepeatedLines } from './repeated-lines.ts';
export { ShortcutReader } from './shortcut.ts';
export { WordFilter } from './word-filter.ts';
