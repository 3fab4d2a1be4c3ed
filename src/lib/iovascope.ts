// The library's entry: everything that `import … from 'iovascope'` offers, documented in docs/library.md.

export type { Answer, CheckOptions, CheckResult, Conflict, ConflictItem, ConflictRange, Fix } from './check.ts';
export { check } from './check.ts';
export type { Dumps, Host, HostGroup, ReservedRegion, Source } from './dumps.ts';
export type * from './facts.ts';
export type { Fit, FitOptions, Obstacle, Place } from './fit.ts';
export { fit } from './fit.ts';
export type { GuestInput } from './guest-input.ts';
export type { GuestRange, LaidOutGuest } from './layout.ts';
export { layout } from './layout.ts';
export type { Model, OperationResult, ReplayMismatch, ReplayResult } from './models.ts';
export { createModel, models, replaySession } from './models.ts';
export type { DumpData } from './read-dumps.ts';
export { readDumps } from './read-dumps.ts';
export { render } from './render.ts';
export type { RenderOptions } from './render-options.ts';
