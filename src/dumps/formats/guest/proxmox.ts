// A guest of Proxmox VE: `qm config N`, or /etc/pve/qemu-server/N.conf. Unknown keys are skipped.
//
//   config  = 1*(key ": " value) *("[" snapshot "]" …)        a snapshot's section holds another state: it is not read
//   memory  = MiB | "current=" MiB         machine = type ["," option …]      cpu = ["cputype="] model *("," key "=" value)
//   hostpci = [domain ":"] bus ":" slot ["." function] *(";" …) *("," option) | "mapping=" name …
//   args    = words of QEMU, which count last
//
// What is not given is Proxmox's default: an i440fx machine, 512 MiB, kvm64 (pve-qemu-server, QemuServer.pm, 6 to 9).
import { normalizePciAddress } from '../../fields/pci-address.ts';
import type { DumpLine, DumpSource, FactSink, LineParser, LineReader, Lookahead } from '../../format.ts';
import { GuestDraft } from './draft.ts';
import { PROXMOX_ENTRY, PROXMOX_SECTION } from './proxmox-lines.ts';
import { QemuArguments } from './qemu-arguments.ts';
import { qemuProperties } from './qemu-options.ts';
import { shellWords } from './shell-words.ts';

/** Keys that no other text has in this form. */
const TELLING = /^(?:hostpci\d+|ostype|scsihw|vmgenid|smbios1|bootdisk|efidisk0|tpmstate0|meta|args|vmstatestorage)$/;
const MIB = 1n << 20n;
/** Comments and lines that were not understood between two entries. */
const GAP_MAX = 6;

class ProxmoxReader implements LineReader {
  readonly #sink: FactSink;
  /** Entries of the configuration at hand. A key that comes again begins the next one. */
  #entries = new Map<string, string>();
  #first = 0;
  #lastIndex = 0;
  #isSnapshot = false;

  constructor(sink: FactSink) {
    this.#sink = sink;
  }

  line(line: DumpLine, ahead: Lookahead): number {
    if (line.prompt) {
      this.#close();
      return 0;
    }
    if (PROXMOX_SECTION.test(line.text)) {
      if (this.#entries.size === 0) return 0;
      this.#isSnapshot = true;
      this.#lastIndex = line.index;
      return 1;
    }
    const match = PROXMOX_ENTRY.exec(line.text);
    const key = match?.[1];
    if (!match || key === undefined) return 0;
    const isNext = !this.#isSnapshot && this.#entries.has(key);
    if (isNext || (this.#entries.size > 0 && line.index - this.#lastIndex > GAP_MAX)) this.#close();
    // One entry alone may be anything.
    const isOne =
      this.#entries.size > 0 || [1, 2, 3].some((n) => PROXMOX_ENTRY.test(ahead(n)?.text ?? '')) || TELLING.test(key);
    if (!isOne) return 0;
    if (this.#entries.size === 0) this.#first = line.number;
    this.#lastIndex = line.index;
    if (!this.#isSnapshot) this.#entries.set(key, match[2]?.trim() ?? '');
    return 1;
  }

  end(): void {
    this.#close();
  }

  #close(): void {
    const entries = this.#entries;
    this.#entries = new Map();
    this.#isSnapshot = false;
    const telling = [...entries.keys()].filter((key) => TELLING.test(key)).length;
    const isConfig = telling > 0 && (entries.has('memory') || entries.has('cores') || telling > 2);
    if (!isConfig) return;
    const draft = new GuestDraft('qemu');
    applyEntries(entries, draft);
    draft.emit(this.#sink, this.#first);
  }
}

function applyEntries(entries: ReadonlyMap<string, string>, draft: GuestDraft): void {
  draft.form = 'proxmox';
  draft.name = entries.get('name');
  draft.arch = entries.get('arch') ?? 'x86_64';
  draft.accelerator = entries.get('kvm') === '0' ? 'tcg' : 'kvm';
  const args = entries.get('args');
  const machine = qemuProperties(entries.get('machine') ?? '', 'type');
  draft.machine = machine?.get('type');
  if (draft.machine === undefined) {
    draft.machine = draft.arch === 'aarch64' ? 'virt' : 'pc';
    draft.problem('guest-machine-default', { machine: draft.machine });
  }
  const viommu = machine?.get('viommu');
  if (viommu !== undefined) draft.viommu = { kind: viommu };
  memory(entries.get('memory'), draft);
  const cpu = qemuProperties(entries.get('cpu') ?? '', 'cputype');
  draft.cpu = cpu?.get('cputype') ?? 'kvm64';
  const bits = cpu?.get('phys-bits');
  if (bits === 'host') draft.option('host-phys-bits', 'on');
  else if (bits !== undefined && /^\d{1,2}$/.test(bits)) draft.physBits = Number(bits);
  draft.backend = entries.has('hugepages') ? 'hugetlb' : 'ram';
  let hasGpu = false;
  for (const [key, value] of entries) {
    if (/^hostpci\d+$/.test(key)) hasGpu = assigned(value, draft) || hasGpu;
  }
  if (qemuProperties(entries.get('vga') ?? '', 'type')?.get('type') === 'none' && !hasGpu) draft.option('vga', 'none');
  if (args !== undefined) new QemuArguments(draft).read(shellWords(args).words, false);
}

function memory(text: string | undefined, draft: GuestDraft): void {
  if (text === undefined) {
    draft.ram = 512n * MIB;
    draft.problem('guest-memory-default', { size: '512 MiB' });
    return;
  }
  const size = qemuProperties(text, 'current')?.get('current') ?? '';
  if (/^\d{1,12}$/.test(size)) draft.ram = BigInt(size) * MIB;
  else draft.problem('guest-option-invalid', { option: `memory: ${text}`, expected: 'a number of MiB' });
}

/** The devices of one `hostpci` entry. True if it shows the guest's picture. */
function assigned(value: string, draft: GuestDraft): boolean {
  const properties = qemuProperties(value, 'host') ?? new Map<string, string>();
  const host = properties.get('host');
  if (host === undefined) {
    draft.problem('guest-device-unresolved', { device: value.split(',')[0] ?? value });
    return properties.get('x-vga') === '1';
  }
  for (const name of host.split(';')) {
    const device = normalizePciAddress(name);
    const slot = normalizePciAddress(`${name}.0`);
    if (device !== undefined) draft.assign(device);
    else if (slot !== undefined) {
      draft.assign(slot);
      draft.problem('guest-device-all-functions', { device: slot.slice(0, -2) });
    } else draft.problem('guest-device-unresolved', { device: name });
  }
  return properties.get('x-vga') === '1';
}

export const PROXMOX: LineParser = {
  open: (_source: DumpSource, sink) => new ProxmoxReader(sink),
};
