import { expect, test } from 'vitest';
import { openText } from '../testing/read.ts';

test('processors of one host are one fact, and other widths none', async () => {
  const sizes = 'address sizes\t: 46 bits physical, 48 bits virtual';
  const { facts } = await openText(
    `processor\t: 0\n${sizes}\nprocessor\t: 1\n${sizes}\naddress sizes\t: 0 bits physical`,
  );
  expect(facts).toEqual([{ kind: 'host', cpu_physical_bits: 46, cpu_virtual_bits: 48, source: 'paste.txt', line: 2 }]);
});
