// Property tests try the same inputs in every run, so that a failure belongs to the change that is tested.
// PROPERTY_SEED=N tries others; npm run test:long takes a new one each time.
import * as fc from 'fast-check';

fc.configureGlobal({ seed: Number(process.env.PROPERTY_SEED ?? 1) });
