// Faults of the RISC-V IOMMU in kernel logs.
//
//   prefix "Fault" cause "devid: 0x" hex "iotval:" hex "iotval2:" hex        cause is decimal
//
// iotval is the requested address, except for faults of the IOMMU's own accesses. Devices are the numbers that they have
// for the IOMMU; the firmware knows which device it is.
// (riscv_iommu_fault in drivers/iommu/riscv/iommu.c, Linux 6.13; RISC-V IOMMU specification 1.0, fault causes.)
import { parseHexAddress } from '../../fields/address.ts';
import type { FaultAccess } from '../../fields/fault-access.ts';
import { faultLines } from './fault-line.ts';

interface Cause {
  readonly text: string;
  readonly access?: FaultAccess;
}

const read = (text: string): Cause => ({ text, access: 'read' });
const write = (text: string): Cause => ({ text, access: 'write' });

const CAUSES: ReadonlyMap<number, Cause> = new Map([
  [1, { text: 'instruction access fault' }],
  [4, read('read address misaligned')],
  [5, read('read access fault')],
  [6, write('write address misaligned')],
  [7, write('write access fault')],
  [12, { text: 'instruction page fault' }],
  [13, read('read page fault')],
  [15, write('write page fault')],
  [20, { text: 'instruction guest page fault' }],
  [21, read('read guest page fault')],
  [23, write('write guest page fault')],
  [256, { text: 'all inbound transactions are disallowed' }],
  [257, { text: 'the device directory entry cannot be loaded' }],
  [258, { text: 'the device directory entry is not valid' }],
  [259, { text: 'the device directory entry is misconfigured' }],
  [260, { text: 'transaction type is disallowed' }],
  [261, { text: 'the MSI page table entry cannot be loaded' }],
  [262, { text: 'the MSI page table entry is not valid' }],
  [263, { text: 'the MSI page table entry is misconfigured' }],
  [264, { text: 'access fault at a memory-resident interrupt file' }],
  [265, { text: 'the process directory entry cannot be loaded' }],
  [266, { text: 'the process directory entry is not valid' }],
  [267, { text: 'the process directory entry is misconfigured' }],
  [268, { text: 'the device directory is corrupt' }],
  [269, { text: 'the process directory is corrupt' }],
  [270, { text: 'the MSI page table is corrupt' }],
  [271, { text: 'a memory-resident interrupt file is corrupt' }],
  [274, { text: 'the page table is corrupt' }],
]);
/** Causes of the IOMMU's own accesses: an internal error, and a write of its own interrupt. */
const OWN_ACCESSES: readonly number[] = [272, 273];

export const KERNEL_LOG_RISCV = faultLines({
  start: /\bFault \d{1,5} devid:|\bFault(?: \d{1,5})?$/,
  pattern: /\bFault (\d{1,5}) devid: (0x[0-9a-f]{1,64}) iotval: ([0-9a-f]{1,64}) iotval2: ([0-9a-f]{1,64})(?!\w)/,
  read: ([, number, device, iotval]) => {
    const cause = Number(number);
    const id = parseHexAddress(device);
    const address = parseHexAddress(iotval);
    if (id === undefined || address === undefined) return undefined;
    const devid = `devid:0x${id.toString(16)}`;
    if (OWN_ACCESSES.includes(cause)) return `fault ${cause} of ${devid} was an access of the IOMMU itself`;
    const known = CAUSES.get(cause);
    return {
      kind: 'fault',
      address,
      device: devid,
      ...(known?.access === undefined ? {} : { access: known.access }),
      reason: `${known?.text ?? 'fault'}, cause ${cause}`,
      driver: 'riscv',
    };
  },
});
