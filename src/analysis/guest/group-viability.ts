// Whether a group can be assigned: each of its devices must be bound to a VFIO driver, to no driver, or to one that does no DMA
// of its own (iommu_device_use_default_domain and driver_managed_dma, Linux 5.19 and later; before, vfio_dev_viable with the
// same drivers). Otherwise the kernel refuses the group: "not viable", or EBUSY with iommufd.
import { deviceLabel } from '../host/devices.ts';
import { compareNames, type Host } from '../host/host.ts';

/** `free`: bound to VFIO, to no driver, or to one that does no DMA. `unknown`: no source names its driver. */
export type MemberState = 'free' | 'blocking' | 'unknown';

export interface GroupMember {
  /** PCI address, or another name that sysfs has. */
  readonly device: string;
  readonly name: string | undefined;
  readonly class: string | undefined;
  readonly driver: string | undefined;
  readonly state: MemberState;
}

export interface GroupViability {
  readonly group: string;
  readonly members: readonly GroupMember[];
  /** Undefined if it depends on devices whose driver is unknown. */
  readonly isViable: boolean | undefined;
  /** A sentence that names the blocking devices and drivers; undefined if none is known. */
  readonly message: string | undefined;
  /** Commands for a root shell that bind the blocking devices to vfio-pci until the next boot. */
  readonly commands: readonly string[];
}

/** pcieport and pci-stub do no DMA; variants of vfio-pci are called `mlx5_vfio_pci` and the like. */
const FREE_DRIVER = /^(?:pcieport|pci-stub)$|(?:^|[_-])vfio(?:[_-]|$)/;

function stateOf(driver: string | undefined, kind: string | undefined): MemberState {
  if (driver !== undefined) return FREE_DRIVER.test(driver) ? 'free' : 'blocking';
  // Host, ISA and PCI bridges have no driver that does DMA.
  return kind !== undefined && /^(?:Host bridge|ISA bridge|PCI bridge)$/.test(kind) ? 'free' : 'unknown';
}

/** Commands for a root shell that bind devices to vfio-pci until the next boot, using only sysfs. */
export function bindCommands(devices: readonly string[]): string[] {
  return devices.flatMap((device) => {
    const path = `/sys/bus/pci/devices/${device}`;
    return [
      `echo vfio-pci > ${path}/driver_override`,
      `echo ${device} > ${path}/driver/unbind`,
      `echo ${device} > /sys/bus/pci/drivers_probe`,
    ];
  });
}

/** All numbered groups of a host, ascending. */
export function groupViabilities({ groups, devices }: Pick<Host, 'groups' | 'devices'>): GroupViability[] {
  return groups
    .flatMap(({ group, devices: members }) => (group === undefined ? [] : [viabilityOf(group, members, devices)]))
    .sort((a, b) => compareNames(a.group, b.group));
}

function viabilityOf(group: string, names: readonly string[], devices: Host['devices']): GroupViability {
  const members = names.map((device): GroupMember => {
    const about = devices.get(device);
    const state = stateOf(about?.driver, about?.class);
    return { device, name: about?.name, class: about?.class, driver: about?.driver, state };
  });
  const blocking = members.filter(({ state }) => state === 'blocking');
  const listed = blocking.map(({ device }) => deviceLabel(devices, device));
  return {
    group,
    members,
    isViable: blocking.length > 0 ? false : members.every(({ state }) => state === 'free') ? true : undefined,
    message:
      blocking.length === 0
        ? undefined
        : `group ${group} is not viable: ${listed.join(', ')} ${blocking.length === 1 ? 'is' : 'are'} bound to other drivers than vfio-pci`,
    commands: bindCommands(blocking.map(({ device }) => device)),
  };
}
