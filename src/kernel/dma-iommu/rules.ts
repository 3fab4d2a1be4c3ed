import { defineRules } from '../shared/rule.ts';

/** The rule by which the kernel's DMA API refuses a mapping. The names are stable. */
export const DMA_IOMMU_RULES = defineRules('Linux 6.12', {
  'dma-no-space': {
    errno: 'ENOMEM',
    message: 'No free range of this size at or below the limit of the device',
    where: 'iommu_dma_alloc_iova',
  },
});
