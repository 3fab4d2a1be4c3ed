#!/bin/sh
# Prints what this host reports about its I/O address spaces: IOMMUs, groups, reserved regions,
# /proc/iomem, PCI devices, kernel messages. For hosts where you cannot run binaries. Run it as
# root if possible, save the output, and open the file in iovascope:
#
#     sh collect.sh > host.txt
#
# It only reads, and writes only to standard output.
#
#     --tables     also print Intel's page tables from debugfs (many lines)
#     --root DIR   read sysfs, procfs and debugfs below DIR (and run neither dmesg nor lspci)
set -u
LC_ALL=C
export LC_ALL
root=
tables=no

while [ $# -gt 0 ]; do
    case $1 in
        --tables) tables=yes ;;
        --root)
            if [ $# -lt 2 ] || [ ! -d "$2" ]; then
                echo "collect.sh: --root: expected a folder" >&2
                exit 2
            fi
            root=${2%/}
            shift
            ;;
        --help) sed -n '2,/^set/s/^# \{0,1\}//p' "$0"; exit 0 ;;
        *)
            echo "collect.sh: unknown option $1; see --help" >&2
            exit 2
            ;;
    esac
    shift
done

heading() {
    printf '\n==> %s <==\n' "$1"
}

# Prints a file below the root, with its path on the host.
show() {
    [ -f "$1" ] || return 0
    heading "${1#"$root"}"
    cat "$1" 2>/dev/null || echo '(cannot be read: run as root)'
}

# Keeps kernel messages about IOMMUs, memory maps and passthrough devices.
messages() {
    grep -iE 'iommu|dmar|amd-vi|smmu|vfio|rmrr|ivrs|ivmd|rmr |linux version|command line|e820|page.?fault' ||
        echo '(no messages about IOMMUs, or dmesg needs root)'
}

for file in version cmdline iomem; do
    show "$root/proc/$file"
done

groups=$root/sys/kernel/iommu_groups
for file in "$groups"/*/type "$groups"/*/reserved_regions; do
    show "$file"
done

heading "devices of the groups"
for device in "$groups"/*/devices/*; do
    # Dangling links count too.
    [ -e "$device" ] || [ -L "$device" ] || continue
    driver=$(readlink "$device/driver" 2>/dev/null) && driver="driver ${driver##*/}"
    printf '%s -> %s %s\n' "${device#"$root"}" "$(readlink "$device" 2>/dev/null)" "$driver"
done

iommus=$root/sys/class/iommu
for file in "$iommus"/*/intel-iommu/* "$iommus"/*/amd-iommu/*; do
    show "$file"
done
heading "devices of the IOMMUs"
for device in "$iommus"/*/devices/*; do
    if [ -e "$device" ] || [ -L "$device" ]; then echo "${device#"$root"}"; fi
done

intel=$root/sys/kernel/debug/iommu/intel
show "$intel/iommu_regset"
if [ "$tables" = yes ]; then
    for file in "$intel"/*domain_translation_struct "$intel"/*/domain_translation_struct \
        "$intel"/*/*/domain_translation_struct; do
        show "$file"
    done
fi

if [ -z "$root" ]; then
    if command -v lspci >/dev/null; then
        heading "lspci -vv"
        lspci -vv 2>/dev/null
    fi
    if command -v dmesg >/dev/null; then
        heading "dmesg"
        dmesg 2>/dev/null | messages
    fi
fi
exit 0
