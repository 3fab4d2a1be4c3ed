// Why memory cannot be pinned: the rules that type1 and iommufd have in common. Other names for the same reasons would
// only hide that they are the same.
import { defineRules } from './rule.ts';

export const MEMORY_RULES = defineRules('Linux 6.12', {
  'memory-hole': {
    errno: 'EFAULT',
    message:
      'Part of the memory does not exist: nothing is mapped there, it cannot be accessed, or it is not a user address',
    where: 'pin_user_pages_remote',
  },
  'memory-past-eof': {
    errno: 'EFAULT',
    message: 'Part of the memory is behind the end of its file',
    where: 'pin_user_pages_remote',
  },
  'memory-read-only': {
    errno: 'EFAULT',
    message: 'The mapping was requested with write permission, but the memory is read-only',
    where: 'pin_user_pages_remote',
  },
  'memory-disk-file': {
    errno: 'EFAULT',
    message: 'A writable shared mapping of a file on a disk cannot be pinned (tmpfs, memfd and hugetlbfs can)',
    where: 'pin_user_pages_remote, writable_file_mapping_allowed',
  },
  'memory-device': {
    errno: 'EFAULT',
    message: 'The memory is the BAR of a device, which iommufd cannot map (VFIO type1 can)',
    where: 'pin_user_pages_remote',
  },
  'memory-device-off': {
    errno: 'EFAULT',
    message: 'The memory is the BAR of a device whose memory decoding is off',
    where: 'fixup_user_fault',
  },
  'memory-limit': {
    errno: 'ENOMEM',
    message: 'The locked-memory limit (RLIMIT_MEMLOCK) would be exceeded',
    where: 'vfio_pin_pages_remote; iopt_pages_update_pinned',
  },
});

export type MemoryRule = keyof typeof MEMORY_RULES;
