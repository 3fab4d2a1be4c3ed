// Lines of a guest's configuration in Proxmox VE.

/** `key: value`, with the keys of qm.conf. */
export const PROXMOX_ENTRY =
  /^\s{0,8}(acpi|affinity|agent|allow-ksm|amd-sev|arch|args|audio0|autostart|balloon|bios|boot|bootdisk|cdrom|cicustom|cipassword|citype|ciupgrade|ciuser|cores|cpu|cpulimit|cpuunits|description|digest|efidisk0|freeze|hookscript|hostpci\d{1,2}|hotplug|hugepages|ide\d|intel-tdx|ipconfig\d{1,2}|ivshmem|keephugepages|keyboard|kvm|localtime|lock|machine|memory|meta|migrate_downtime|migrate_speed|name|nameserver|net\d{1,2}|numa\d?|onboot|ostype|parallel\d|protection|reboot(?=: ?\d)|rng0|sata\d|scsi\d{1,2}|scsihw|searchdomain|serial\d|shares|smbios1|smp(?=: ?\d)|sockets|spice_enhancements|sshkeys|startdate|startup|tablet|tags|tdf|template|tpmstate0|unused\d{1,3}|usb\d{1,2}|vcpus|vga|virtio\d{1,2}|virtiofs\d|vmgenid|vmstatestorage|watchdog): ?(\S.*)?$/;
/** The name of a snapshot, whose section follows. */
export const PROXMOX_SECTION = /^\s{0,4}\[[\w .-]{1,60}\]\s*$/;
