// Labels of guest definitions in lists.
import { formatExactSize } from '../../iova/format.ts';
import type { GuestDefinition } from './guest-memory.ts';
import { machineType } from './machine-type.ts';

/** `q35 7.2` for `pc-q35-7.2`; names from distributions and other VMMs are unchanged. */
function machineLabel(machine: string): string {
  const type = machineType(machine);
  const plain = type?.version && /-\d+\.\d+(?:\+\w+)?$/.exec(machine);
  return type?.version && plain ? `${type.kind} ${type.version.join('.')}` : machine;
}

/** `win11: q35 7.2, 16 GiB` */
export function definitionLabel({ name, monitor, machine, ram }: GuestDefinition): string {
  const kind = monitor === 'qemu' || machine.startsWith(monitor) ? machineLabel(machine) : `${monitor} ${machine}`;
  const size = ram === undefined ? 'unknown RAM' : formatExactSize(ram);
  return `${name === undefined ? '' : `${name}: `}${kind}, ${size}`;
}
