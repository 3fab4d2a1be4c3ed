import { expect, test } from 'vitest';
import { iova } from '../../iova/iova.ts';
import { definitionLabel } from './definition-label.ts';

const GIB = 1n << 30n;

test.each([
  [{ name: 'win11', machine: 'pc-q35-7.2', ram: iova(16n * GIB) }, 'win11: q35 7.2, 16 GiB'],
  [{ machine: 'pc-i440fx-8.1+pve0', ram: iova(3n << 29n) }, 'pc 8.1, 1536 MiB'],
  [{ machine: 'pc-q35-jammy', ram: iova(GIB) }, 'pc-q35-jammy, 1 GiB'],
  [{ machine: 'virt', ram: undefined }, 'virt, unknown RAM'],
  [{ monitor: 'crosvm', machine: 'crosvm', ram: iova(GIB) }, 'crosvm, 1 GiB'],
  [{ monitor: 'kata', machine: 'q35', ram: iova(GIB) }, 'kata q35, 1 GiB'],
])('a guest in a list: %o', (definition, label) => {
  expect(definitionLabel({ monitor: 'qemu', ...definition })).toBe(label);
});
