import { expect, test } from 'vitest';
import type { Fact } from '../../../session/events.ts';
import { diagnosticsOf, openText } from '../../testing/read.ts';

const PREFIX = '[    2.104118] riscv,iommu 30010000.iommu: ';
const faultOf = (fact: Fact | undefined) =>
  fact?.kind === 'fault' ? [fact.address, fact.device, fact.access, fact.reason, fact.driver] : fact;

test.each([
  [
    'Fault 13 devid: 0x18 iotval: fedd0000 iotval2: 0',
    [0xfedd_0000n, 'devid:0x18', 'read', 'read page fault, cause 13'],
  ],
  [
    'Fault 15 devid: 0x0 iotval: ffffffffffffffff iotval2: 3',
    [(1n << 64n) - 1n, 'devid:0x0', 'write', 'write page fault, cause 15'],
  ],
  [
    'Fault 12 devid: 0x7 iotval: 1000 iotval2: 0',
    [0x1000n, 'devid:0x7', undefined, 'instruction page fault, cause 12'],
  ],
  ['Fault 999 devid: 0x7 iotval: 1000 iotval2: 0', [0x1000n, 'devid:0x7', undefined, 'fault, cause 999']],
])('%s', async (message, expected) => {
  for (const text of [
    `${PREFIX}${message}\n`,
    `> riscv,iommu 30010000.iommu: ${message.replace(' iotval2', '\n> iotval2')}\n`,
  ]) {
    const opened = await openText(text);
    expect(opened.facts.map(faultOf)).toEqual([[...expected, 'riscv']]);
    expect(opened.sources[0]?.unrecognized).toBe(0);
  }
});

test('the IOMMU’s own accesses have no address, and numbers of more than 64 bits are damaged', async () => {
  const opened = await openText(
    `${PREFIX}Fault 272 devid: 0x0 iotval: 0 iotval2: 0\n${PREFIX}Fault 13 devid: 0x18 iotval: 1fedd00000000fedd0 iotval2: 0\n`,
  );
  expect(diagnosticsOf(opened)).toEqual(['warning fault-without-address 1', 'warning damaged-fault 2']);
  expect(opened.facts.every(({ kind }) => kind === 'diagnostic')).toBe(true);
});

test('other lines of the driver and of others are left alone', async () => {
  const opened = await openText(
    `${PREFIX}using 3-level device directory\n[ 1.0] mce: Hardware Fault\nFault 13 of something else\n`,
  );
  expect(diagnosticsOf(opened)).toEqual(['error nothing-recognized -']);
  expect(opened.sources[0]?.unrecognized).toBe(3);
});
