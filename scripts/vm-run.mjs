// Runs one of the virtual machines of the tests in the foreground: its probe's port is this program's stdin and stdout.
//   node scripts/vm-run.mjs MACHINE[+iommufd] [--qmp SOCKET] [--log FILE]
// With +iommufd it boots the kernel of `npm run vm:kernel`, and has a second device, which is held through iommufd.
// IOVASCOPE_VM_KERNEL=FILE boots another kernel in any of the machines.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { vmImage } from './vm-image.mjs';
import { BUILT_KERNEL } from './vm-kernel.mjs';

const EDU = ['-device', 'edu,addr=0x5'];
/** Where a device can be plugged in while the machine runs. */
const SLOT = ['-device', 'pcie-root-port,id=rp0,chassis=1,slot=1'];
const PC = ['-machine', 'q35,kernel-irqchip=split', '-cpu', 'max'];

/** The machines, by their IOMMU. */
export const MACHINES = {
  'vtd-39': {
    arch: 'amd64',
    args: [...PC, '-device', 'intel-iommu,intremap=on,aw-bits=39', ...EDU, ...SLOT],
    append: 'intel_iommu=on',
  },
  'vtd-48': {
    arch: 'amd64',
    args: [...PC, '-device', 'intel-iommu,intremap=on,aw-bits=48', ...EDU, ...SLOT],
    append: 'intel_iommu=on',
  },
  'amd-vi': {
    arch: 'amd64',
    args: [...PC, '-device', 'amd-iommu,intremap=on', ...EDU, ...SLOT],
    append: 'amd_iommu=on',
  },
  'virtio-iommu': {
    arch: 'amd64',
    args: [...PC, '-device', 'virtio-iommu-pci,addr=0x1e', ...EDU, ...SLOT],
    append: '',
  },
  smmuv3: {
    arch: 'arm64',
    args: ['-machine', 'virt,iommu=smmuv3,gic-version=3', '-cpu', 'cortex-a57', ...EDU, ...SLOT],
    append: '',
  },
};

if (process.argv[1] === new URL(import.meta.url).pathname) {
  const { values, positionals } = parseArgs({
    options: { qmp: { type: 'string' }, log: { type: 'string' } },
    allowPositionals: true,
  });
  const [name = '', extra] = positionals[0]?.split('+') ?? [];
  const isKnown = extra === undefined || (extra === 'iommufd' && MACHINES[name]?.arch === 'amd64');
  const machine = isKnown ? MACHINES[name] : undefined;
  if (!machine) {
    console.error(`expected one of ${Object.keys(MACHINES).join(', ')}`);
    process.exit(2);
  }
  const { qemu, kernel: usual, initrd } = await vmImage(machine.arch);
  const kernel = process.env.IOVASCOPE_VM_KERNEL || (extra ? BUILT_KERNEL : usual);
  if (!existsSync(kernel)) {
    console.error(`there is no ${kernel}${kernel === BUILT_KERNEL ? ': npm run vm:kernel builds it' : ''}`);
    process.exit(2);
  }
  const console_ = machine.arch === 'arm64' ? 'ttyAMA0' : 'ttyS0';
  const child = spawn(
    qemu,
    [
      ...machine.args,
      ...(extra ? ['-device', 'edu,addr=0x6'] : []),
      ...['-accel', 'tcg', '-m', '512', '-smp', '1', '-display', 'none', '-nodefaults', '-no-reboot'],
      ...['-kernel', kernel, '-initrd', initrd, '-append', `console=${console_} quiet panic=-1 ${machine.append}`],
      ...['-serial', values.log ? `file:${values.log}` : 'null'],
      ...[
        '-device',
        'virtio-serial-pci',
        '-chardev',
        'stdio,id=probe,signal=off',
        '-device',
        'virtserialport,chardev=probe,name=probe',
      ],
      ...(values.qmp ? ['-qmp', `unix:${values.qmp},server=on,wait=off`] : []),
    ],
    { stdio: 'inherit' },
  );
  for (const signal of ['SIGTERM', 'SIGINT']) process.on(signal, () => child.kill('SIGKILL'));
  child.on('exit', (code, signal) => process.exit(signal ? 1 : (code ?? 1)));
}
