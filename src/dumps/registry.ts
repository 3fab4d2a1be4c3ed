import type { DumpFormat } from './format.ts';
import { ACPI_DISASSEMBLY } from './formats/acpi/disassembly.ts';
import { ACPI_TABLE } from './formats/acpi/table.ts';
import { INTEL_DEBUGFS_PAGES } from './formats/debugfs/intel-pages.ts';
import { INTEL_DEBUGFS_REGISTERS } from './formats/debugfs/intel-registers.ts';
import { INTEL_DEBUGFS_ROOTS } from './formats/debugfs/intel-roots.ts';
import { DRIVERCTL } from './formats/devices/driverctl.ts';
import { KERNEL_LOG_DEVICES } from './formats/devices/kernel-log-devices.ts';
import { LSPCI } from './formats/devices/lspci.ts';
import { LSPCI_TREE } from './formats/devices/lspci-tree.ts';
import { VFIO_MESSAGES } from './formats/devices/vfio-messages.ts';
import { GET_INFO } from './formats/get-info.ts';
import { GUEST_COMMAND_LINE } from './formats/guest/command-line.ts';
import { KUBEVIRT } from './formats/guest/kubevirt.ts';
import { LIBVIRT_XML } from './formats/guest/libvirt-xml.ts';
import { PROXMOX } from './formats/guest/proxmox.ts';
import { HOST_IDENTITY } from './formats/host-identity.ts';
import { IOMEM } from './formats/iomem.ts';
import { KERNEL_LOG_AMD } from './formats/kernel-log/amd.ts';
import { KERNEL_LOG_DMA } from './formats/kernel-log/dma.ts';
import { DYNDBG } from './formats/kernel-log/dyndbg.ts';
import { KERNEL_LOG_GROUPS } from './formats/kernel-log/groups.ts';
import { KERNEL_LOG_INTEL } from './formats/kernel-log/intel.ts';
import { KERNEL_LOG_RISCV } from './formats/kernel-log/riscv.ts';
import { KERNEL_LOG_SMMU } from './formats/kernel-log/smmu.ts';
import { KERNEL_LOG_VFIO } from './formats/kernel-log/vfio.ts';
import { KERNEL_LOG_VIRTIO } from './formats/kernel-log/virtio.ts';
import { KERNEL_LOG_XEN } from './formats/kernel-log/xen.ts';
import { QEMU_ERRORS } from './formats/qemu/errors.ts';
import { MTREE } from './formats/qemu/mtree.ts';
import { QEMU_TRACE } from './formats/qemu/trace.ts';
import { IOMMU_CLASS } from './formats/sysfs/iommu-class.ts';
import { IOMMU_GROUPS } from './formats/sysfs/iommu-groups.ts';
import { RESERVED_REGIONS } from './formats/sysfs/reserved-regions.ts';
import { FTRACE } from './formats/trace/ftrace.ts';
import { USERSPACE_MESSAGES } from './formats/userspace/messages.ts';

/** All formats. To add one, add a line here; the order decides only which of two equally near formats a message names. */
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
  HOST_IDENTITY,
  FTRACE,
  QEMU_ERRORS,
  DYNDBG,
  QEMU_TRACE,
  MTREE,
  LSPCI,
  LSPCI_TREE,
  DRIVERCTL,
  KERNEL_LOG_DEVICES,
  KERNEL_LOG_DMA,
  VFIO_MESSAGES,
  USERSPACE_MESSAGES,
  KERNEL_LOG_XEN,
  KERNEL_LOG_VFIO,
  INTEL_DEBUGFS_PAGES,
  INTEL_DEBUGFS_REGISTERS,
  INTEL_DEBUGFS_ROOTS,
  ACPI_DISASSEMBLY,
  ACPI_TABLE,
  GET_INFO,
  GUEST_COMMAND_LINE,
  LIBVIRT_XML,
  PROXMOX,
  KUBEVIRT,
];
