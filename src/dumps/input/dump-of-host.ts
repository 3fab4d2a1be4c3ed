/** Files that a dump of a host has once: two folders with the same ones side by side are two hosts. Below the host's folder. */
export const OF_A_HOST =
  /(?:^|\/)iommu_groups\/\d+\/|^(?:[^/]+\/)?(?:dmesg|iomem|lspci|uname|journal|[\w-]+\.(?:txt|log))[\w.-]*$/;
