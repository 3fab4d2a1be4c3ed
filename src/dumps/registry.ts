import { ACPI_DISASSEMBLY } from './acpi-disassembly.ts';
import { ACPI_TABLE } from './acpi-table.ts';
import { DYNDBG } from './dyndbg.ts';
import type { DumpFormat } from './format.ts';
import { FTRACE } from './ftrace.ts';
import { GET_INFO } from './get-info.ts';
import { INTEL_DEBUGFS_PAGES } from './intel-debugfs-pages.ts';
import { INTEL_DEBUGFS_REGISTERS } from './intel-debugfs-registers.ts';
import { INTEL_DEBUGFS_ROOTS } from './intel-debugfs-roots.ts';
import { IOMEM } from './iomem.ts';
import { IOMMU_CLASS } from './iommu-class.ts';
import { IOMMU_GROUPS } from './iommu-groups.ts';
import { KERNEL_LOG_AMD } from './kernel-log-amd.ts';
import { KERNEL_LOG_GROUPS } from './kernel-log-groups.ts';
import { KERNEL_LOG_INTEL } from './kernel-log-intel.ts';
import { KERNEL_LOG_RISCV } from './kernel-log-riscv.ts';
import { KERNEL_LOG_SMMU } from './kernel-log-smmu.ts';
import { KERNEL_LOG_VFIO } from './kernel-log-vfio.ts';
import { KERNEL_LOG_VIRTIO } from './kernel-log-virtio.ts';
import { KERNEL_LOG_XEN } from './kernel-log-xen.ts';
import { LSPCI } from './lspci.ts';
import { MTREE } from './mtree.ts';
import { QEMU_ERRORS } from './qemu-errors.ts';
import { QEMU_TRACE } from './qemu-trace.ts';
import { RESERVED_REGIONS } from './reserved-regions.ts';
import { USERSPACE_MESSAGES } from './userspace-messages.ts';

/** Every format that can be read. A new one is one line here; the order does not matter. */
export const FORMATS: readonly DumpFormat[] = [
  RESERVED_REGIONS,
  IOMMU_GROUPS,
  IOMMU_CLASS,
  KERNEL_LOG_GROUPS,
  KERNEL_LOG_INTEL,
  KERNEL_LOG_AMD,
  KERNEL_LOG_SMMU,
  KERNEL_LOG_RISCV,
  KERNEL_LOG_VIRTIO,
  IOMEM,
  FTRACE,
  QEMU_ERRORS,
  DYNDBG,
  QEMU_TRACE,
  MTREE,
  LSPCI,
  USERSPACE_MESSAGES,
  KERNEL_LOG_XEN,
  KERNEL_LOG_VFIO,
  INTEL_DEBUGFS_PAGES,
  INTEL_DEBUGFS_REGISTERS,
  INTEL_DEBUGFS_ROOTS,
  ACPI_DISASSEMBLY,
  ACPI_TABLE,
  GET_INFO,
];
