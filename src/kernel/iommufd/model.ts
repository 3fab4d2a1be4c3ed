import type { PageSizes } from '../model.ts';
import { IoasModel, type IoasVersion } from '../shared/ioas-model.ts';
import { Ioas } from './ioas.ts';

const LINUX_6_12: IoasVersion<Ioas> = {
  name: 'iommufd',
  makeSpace: (id, sizes) => new Ioas(id, sizes),
  allow: (ioas, ranges) => ioas.allow(ranges),
  setHugePages: (ioas, value) => ioas.setHugePages(value),
};

/** iommufd of Linux 6.12. */
export class IommufdModel extends IoasModel<Ioas> {
  constructor(sizes: PageSizes) {
    super(LINUX_6_12, sizes);
  }
}
