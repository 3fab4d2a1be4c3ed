// Requests that a device in another process refused (vfio-user): neither a kernel nor an IOMMU is involved.
import type { Remedy } from './conflict.ts';
import type { Request } from './request-subject.ts';

/** An explanation of a refusal, as in explain-request.ts. */
interface DeviceRefusal {
  readonly message: string;
  readonly cause: string;
  readonly remedy: string;
  readonly remedies: readonly Remedy[];
}

/** Why such a process refuses a range; undefined for a request to a kernel. */
export function explainVfioUser(request: Request): DeviceRefusal | undefined {
  if (request.origin !== 'vfio-user') return undefined;
  const why: Readonly<Record<string, string>> = {
    '-EINVAL':
      'its memory cannot be mapped at that offset (no file behind it, or an offset inside a page), or it overlaps another region in part',
    '-EEXIST': 'it overlaps a region that the device already has',
    '-ENOENT': 'the device has no region with these bounds',
    '-ENOMEM': 'the process could not map the memory of the guest',
    '-ENOSPC': 'the device has as many regions as it can have',
  };
  const overlaps = request.overlap === true ? why['-EEXIST'] : undefined;
  const cause = overlaps ?? why[String(request.result)] ?? 'the log does not show why';
  return {
    message: `The process that implements the device (vfio-user) refused it; the kernel and the IOMMU were not asked. Probably ${cause}.`,
    cause: `the process that implements the device (vfio-user) refused it, not the kernel: ${cause}`,
    remedy: 'Give the guest shared memory with a file behind it (memfd or hugetlbfs, share=on), in whole pages.',
    remedies: [{ text: 'Use a memory backend with share=on (memory-backend-memfd)' }],
  };
}
