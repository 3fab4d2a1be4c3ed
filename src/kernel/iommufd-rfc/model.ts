import { lowestSetBit } from '../../iova/iova.ts';
import type { PageSizes } from '../model.ts';
import { IoasModel, type IoasVersion } from '../shared/ioas-model.ts';
import { invalid } from '../shared/outcome.ts';
import { RfcIoas } from './ioas.ts';

const TWO_32 = 1n << 32n;

const POSTED_2022: IoasVersion<RfcIoas> = {
  name: 'iommufd-rfc',
  makeSpace: (id, sizes) => new RfcIoas(id, sizes),
  badDomain: ({ pgsize_bitmap }) =>
    lowestSetBit(pgsize_bitmap) < TWO_32
      ? undefined
      : invalid(
          'bad-argument',
          'this version keeps the smallest page size in 32 bits, where it becomes 0, and divides by it',
        ),
};

/**
 * The io_pagetable of iommufd as first posted on 2022-03-18, with its bugs. Its unmap accepts exactly one area, which
 * broke the virtual IOMMU of QEMU. It has no allowed ranges and no option for huge pages.
 */
export class IommufdRfcModel extends IoasModel<RfcIoas> {
  constructor(sizes: PageSizes) {
    super(POSTED_2022, sizes);
  }
}
