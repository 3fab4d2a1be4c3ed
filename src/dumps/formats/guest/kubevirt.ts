// Guests of KubeVirt: VirtualMachine and VirtualMachineInstance, in YAML or JSON (`kubectl get vmi NAME -o yaml`).
//
//   object = "apiVersion: kubevirt.io/" version … entries by indentation      YAML, and JSON with a key a line
//          | "{" … "}"                                                        JSON in one line
//   domain = spec.template.spec.domain of a VirtualMachine, spec.domain of a VirtualMachineInstance
//            machine.type, cpu.model, memory.guest, memory.maxGuest, memory.hugepages, resources.requests.memory,
//            devices.hostDevices and devices.gpus (deviceName), devices.interfaces (sriov)
//
// Values may be mappings and lists in one line (flow-values.ts). Only keys and their indentation are looked at, so that what was cut, quoted or annotated is still read. The devices
// have names of resources; which of the host's they become is decided where the guest starts.
// (https://kubevirt.io/api-reference, v1; the monitor is QEMU under libvirt.)
import type { DumpLine, DumpSource, FactSink, LineParser, LineReader } from '../../format.ts';
import { GuestDraft } from './draft.ts';
import { flowValues } from './flow-values.ts';
import { kubernetesQuantity } from './sizes.ts';

const START = /(?:^|[\s{,-])"?apiVersion"?: ?["']?kubevirt\.io\/v\d/;
const KEY = /^(\s{0,200}(?:- {1,8}){0,4})(?:"([A-Za-z][\w./-]{0,100})"|([A-Za-z][\w./-]{0,100})):(?:\s+(.*))?$/;
const DEPTH_MAX = 60;
const JSON_MAX = 200_000;

interface Level {
  readonly indent: number;
  readonly key: string;
}

class KubeVirtReader implements LineReader {
  readonly #sink: FactSink;
  #object: KubeVirtObject | undefined;
  #levels: Level[] = [];
  #indent = 0;

  constructor(sink: FactSink) {
    this.#sink = sink;
  }

  line(line: DumpLine): number {
    if (line.prompt) {
      this.#close();
      if (!START.test(line.text)) return 0;
    }
    const text = line.text;
    if (START.test(text) && text.trimStart().startsWith('{') && text.length > 60) return this.#json(text, line.number);
    const match = KEY.exec(text);
    const key = match?.[2] ?? match?.[3];
    if (!match || key === undefined) return 0;
    const indent = (match[1] ?? '').length;
    if (START.test(text)) {
      this.#close();
      this.#object = new KubeVirtObject(line.number);
      this.#indent = indent;
      return 1;
    }
    const object = this.#object;
    if (!object) return 0;
    // Another object begins, or something else altogether.
    if (indent < this.#indent || (indent === this.#indent && key === 'apiVersion')) {
      this.#close();
      return 0;
    }
    while ((this.#levels.at(-1)?.indent ?? -1) >= indent) this.#levels.pop();
    const path = [...this.#levels.map((level) => level.key), key].join('.');
    const flow = match[4]?.trim() ?? '';
    const value = scalar(flow);
    if (value !== undefined) object.set(path, value);
    else if (/^[{[]./.test(flow)) {
      for (const entry of flowValues(flow)) object.set(entry.path === '' ? path : `${path}.${entry.path}`, entry.value);
    }
    if (this.#levels.length < DEPTH_MAX) this.#levels.push({ indent, key });
    return 1;
  }

  end(): void {
    this.#close();
  }

  #close(): void {
    this.#object?.finish(this.#sink);
    this.#object = undefined;
    this.#levels = [];
  }

  #json(text: string, line: number): number {
    this.#close();
    if (text.length > JSON_MAX) return 0;
    try {
      const value: unknown = JSON.parse(text);
      const items = typeof value === 'object' && value !== null && 'items' in value ? value.items : [value];
      for (const item of Array.isArray(items) ? items : []) {
        const object = new KubeVirtObject(line);
        walk(item, '', object, 0);
        object.finish(this.#sink);
      }
      return 1;
    } catch {
      return 0;
    }
  }
}

/** Gives every scalar of a value of JSON with its path; lists add nothing to a path. */
function walk(value: unknown, path: string, object: KubeVirtObject, depth: number): void {
  if (depth > DEPTH_MAX) return;
  if (Array.isArray(value)) for (const entry of value) walk(entry, path, object, depth + 1);
  else if (typeof value === 'object' && value !== null) {
    for (const [key, entry] of Object.entries(value)) {
      walk(entry, path === '' ? key : `${path}.${key}`, object, depth + 1);
    }
  } else if (value !== null && value !== undefined) object.set(path, String(value));
}

/** The text of a scalar in YAML or JSON, without quotation marks and comments; undefined for what opens a block. */
function scalar(text: string | undefined): string | undefined {
  const bare = text?.replace(/,\s*$/, '').trim() ?? '';
  const quoted = /^"((?:[^"\\]|\\.)*)"|^'((?:[^']|'')*)'/.exec(bare);
  const plain = quoted ? (quoted[1] ?? quoted[2] ?? '') : bare.replace(/\s+#.*$/, '');
  return plain === '' || /^[{[|>]/.test(plain) ? (/^\{\s*\}$/.test(plain) ? '' : undefined) : plain;
}

/** What is known of one object. */
class KubeVirtObject {
  readonly #line: number;
  readonly #draft = new GuestDraft('qemu');
  #kind = '';
  #requested: string | undefined;
  #hasDomain = false;

  constructor(line: number) {
    this.#line = line;
    this.#draft.form = 'kubevirt';
    this.#draft.accelerator = 'kvm';
  }

  set(path: string, value: string): void {
    const draft = this.#draft;
    if (path === 'kind') this.#kind = value;
    else if (path === 'metadata.name') draft.name ??= value;
    const [, within, inDomain] = /^spec\.(?:template\.spec\.)?(domain\.(.*)|architecture$)/.exec(path) ?? [];
    if (within === 'architecture') draft.arch = value === 'amd64' ? 'x86_64' : value === 'arm64' ? 'aarch64' : value;
    if (inDomain === undefined) return;
    this.#hasDomain = true;
    switch (inDomain) {
      case 'machine.type':
        draft.machine = value;
        return;
      case 'cpu.model':
        draft.cpu = value === 'host-passthrough' ? 'host' : value;
        return;
      case 'memory.guest':
        draft.ram = this.#size(path, value);
        return;
      case 'memory.maxGuest':
        draft.maxRam = this.#size(path, value);
        return;
      case 'memory.hugepages.pageSize':
        draft.backend = 'hugetlb';
        return;
      case 'resources.requests.memory':
        this.#requested = value;
        return;
      case 'devices.hostDevices.deviceName':
      case 'devices.gpus.deviceName':
        draft.problem('guest-device-unresolved', { device: value });
        return;
      case 'devices.autoattachGraphicsDevice':
        if (value === 'false') draft.option('vga', 'none');
    }
  }

  #size(path: string, value: string): bigint | undefined {
    const size = kubernetesQuantity(value);
    if (size === undefined) {
      const option = `${path.split('.').slice(-2).join('.')}: ${value}`;
      this.#draft.problem('guest-option-invalid', { option, expected: 'a quantity such as 16Gi' });
    }
    return size;
  }

  finish(sink: FactSink): void {
    const draft = this.#draft;
    sink.recognized();
    if (!this.#hasDomain || !/^VirtualMachine(?:Instance)?$/.test(this.#kind)) return;
    if (draft.ram === undefined && this.#requested !== undefined) {
      draft.ram = this.#size('resources.requests.memory', this.#requested);
    }
    if (draft.machine === undefined) {
      draft.machine = draft.arch === 'aarch64' ? 'virt' : 'q35';
      draft.problem('guest-machine-default', { machine: draft.machine });
    }
    draft.emit(sink, this.#line);
  }
}

export const KUBEVIRT: LineParser = {
  open: (_source: DumpSource, sink) => new KubeVirtReader(sink),
};
