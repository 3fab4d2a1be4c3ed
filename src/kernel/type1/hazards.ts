// What kernels up to 6.17 do wrong when mappings at the top of the space go away: the call is accepted, and is no answer.
// Source: measured on 6.1.192 and 6.12.117 (AMD), 6.16.12 and 6.17.13 (virtio); not on 6.18.15.
import type { Hazard } from '../model.ts';

export const HAZARDS = {
  'unmap-never-returns': {
    rule: 'unmap-never-returns',
    message:
      'The kernel may not return from this call: it unmaps a mapping that overlaps one that ends at 2^64-1, its address wraps to 0, and it warns (WARN_ON) for every page from there on',
    source: 'vfio_unmap_unpin, before Linux 6.18; measured on AMD',
  },
  'pages-stay-pinned': {
    rule: 'pages-stay-pinned',
    message:
      'The pages of a mapping that ends at 2^64-1 stay pinned, and count against RLIMIT_MEMLOCK, until the process ends',
    source: 'vfio_unmap_unpin, before Linux 6.18',
  },
} as const satisfies Readonly<Record<string, Hazard>>;
