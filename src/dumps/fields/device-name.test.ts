import { expect, test } from 'vitest';
import { normalizeLoggedDevice } from './device-name.ts';

test.each([
  ['02:00.0', '0000:02:00.0'],
  ['0x02:0x00.0', '0000:02:00.0'],
  ['10000:E1:00.0', '10000:e1:00.0'],
  ['vfio-pci', 'vfio-pci'],
  ['3100000.spi', '3100000.spi'],
])('%s becomes %s', (text, device) => {
  expect(normalizeLoggedDevice(text)).toBe(device);
});
