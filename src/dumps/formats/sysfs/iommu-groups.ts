// IOMMU groups, their types and devices, from sysfs listings and the loops that people run over them:
//
//   …/iommu_groups/7/type:DMA          7/type:DMA             grep
//   "==> 7/type <=="  NL  type         a command with one path to a `type`  NL  type
//   …/iommu_groups/7/devices/DEVICE    anywhere in a line     find, ls -l, ls -d
//   …/iommu_groups/7/devices[:]        then names, or `ls -l` lines with `NAME -> …`, up to a blank line
//   "IOMMU Group 7" [":"] ADDRESS …    one device a line
//   "IOMMU Group 7" [":"]              then lines that begin with a PCI address
//   "group 7 device DEVICE"
//
// A type is a word that the kernel prints (Linux 6.12, iommu_group_show_type): DMA, DMA-FQ, identity, blocked,
// unmanaged; another word is kept where the path shows that it is a type.
import { normalizeDevice, normalizePciAddress, PCI_ADDRESS_PATTERN } from '../../fields/pci-address.ts';
import { groupName } from '../../fields/sysfs-path.ts';
import type { DumpLine, DumpSource, FactSink, LineParser, LineReader, Lookahead } from '../../format.ts';
import { WorkingDirectory } from '../../text/working-directory.ts';
import { continuation } from '../../text/wrapped.ts';
import { deviceFact } from '../devices/device-fact.ts';
import { deviceLabel } from '../devices/device-label.ts';

const TYPE_WORD = /^[A-Za-z][A-Za-z0-9]{0,30}(?:-[A-Za-z0-9]{1,30}){0,3}$/;
const KNOWN_TYPE = /^(?:DMA|DMA-FQ|identity|blocked|unmanaged)$/;
const TYPE_LINE =
  /(?:^|[\s"'(])(\S{0,300}?iommu_groups\/[^\s/]{1,100}|(?:\.\/)?\d{1,9})\/type(?::\d{1,4})?[:\s]\s{0,8}([A-Za-z][\w-]{0,60})$/;
const TYPE_PATH = /(?:^|[\s"'(])(\S{0,300}?iommu_groups\/[^\s/*?[$]{1,100}|(?:\.\/)?\d{1,9})\/type["'`):]{0,3}$/;
const HEAD_FRAME = /^=+>\s*(.{1,300}?)\s*<=+$/;
const DEVICE_PATH = /iommu_groups\/([^\s/"'`*?[$]{1,100})\/devices\/([^\s/"'`*?[$,;)]{1,100})/g;
const DEVICE_RELATIVE = /^(?:.{0,100}\s)?(?:\.\/)?(\d{1,9})\/devices\/([^\s/"'`*?[$,;)]{1,100})(?: ->.{0,300})?$/;
const DEVICES_DIRECTORY =
  /(?:iommu_groups\/([^\s/*?[$]{1,100})|(?:^|[\s"'])(?:\.\/)?(\d{1,9}))\/devices\/?["'`]?(?::|$|\s)/;
const LISTED = /^[-dl][rwxsStT-]{9}\S?\s.{0,200}?\s(\S{1,100}) ->(?:\s|$)/;
const GROUP_LINE = /^[^\p{L}\p{N}/]{0,20}(?:iommu[ _-]?)?group[ \t#:]{0,8}(\d{1,9})(?![\w.])[ \t:]{0,12}(.{0,400})/iu;
const DEVICE_MARKS = String.raw`(?:devices?[ \t:=]{1,4}|\[[0-9a-fA-F]{4}:[0-9a-fA-F]{4}\][ \t]{1,8}|\[R\][ \t]{1,8}|[-*•├└─│|>][-─ \t]{0,4}){0,5}`;
const FIRST_DEVICE = new RegExp(
  `^[ \\t]{0,40}${DEVICE_MARKS}[ \\t]{0,8}(${PCI_ADDRESS_PATTERN})(?![\\w.])[ \\t,;]{0,8}`,
  'u',
);
const NEXT_DEVICE = new RegExp(`^(${PCI_ADDRESS_PATTERN})(?![\\w.])[ \\t,;]{0,8}`);
const NAMED_DEVICE = /^devices?[ \t:=]{1,4}([A-Za-z0-9][\w.:-]{0,80})$/;
const RELATIVE_COMMAND = /^(?:sudo\s+)?(cat|ls)(?:\s+-\w+)*(?:\s+([^\s;|&*?$]{1,300}))?\s*$/;
const COMMAND = /^(?:sudo\s+)?(?:ls|find|cat|echo|readlink|tree|for|grep|head|tail|stat|cd|basename)\b/;

/** A listing or header whose devices are on the lines below it. */
interface Context {
  readonly group: string;
  readonly kind: 'listing' | 'header';
  readonly indent: number;
  index: number;
}

function indentOf(text: string): number {
  return text.length - text.trimStart().length;
}

class IommuGroupsReader implements LineReader {
  readonly #sink: FactSink;
  /** The group whose `type` file the source is. */
  readonly #fileGroup: string | undefined;
  /** True if the path of the source has `iommu_groups` in it. */
  readonly #named: boolean;
  readonly #directory = new WorkingDirectory();
  #context: Context | undefined;

  constructor(source: DumpSource, sink: FactSink) {
    this.#sink = sink;
    const [folder, group = '', file] = source.path.slice(-3);
    if (file === 'type' && folder === 'iommu_groups') this.#fileGroup = groupName(group);
    const [parent = '', own] = source.path.slice(-2);
    if (own === 'type' && /^\d+$/.test(parent)) this.#fileGroup ??= groupName(parent);
    this.#named = folder === 'iommu_groups';
  }

  line(line: DumpLine, ahead: Lookahead): number {
    if (line.elision) return 0;
    if (line.prompt) {
      this.#context = undefined;
      this.#directory.prompt(line);
    }
    if (line.prompt || line.text.includes('cd ')) this.#directory.command(line.text);
    const types = this.#named ? TYPE_WORD : KNOWN_TYPE;
    if (this.#fileGroup !== undefined && !line.prompt && types.test(line.text.trim())) {
      this.#sink.group(this.#fileGroup, { type: line.text.trim() }, line.number);
      return 1;
    }
    return (
      this.#type(line, ahead) ||
      this.#relative(line, ahead) ||
      this.#devicePaths(line, ahead) ||
      this.#listing(line) ||
      this.#groupLine(line, ahead) ||
      this.#below(line)
    );
  }

  #type(line: DumpLine, ahead: Lookahead): number {
    if (!line.text.includes('/type')) return 0;
    const text = line.text.trim();
    const own = TYPE_LINE.exec(text);
    if (own && !line.prompt) {
      const group = groupName(own[1]?.split('/').at(-1));
      if (group === undefined || !TYPE_WORD.test(own[2] ?? '')) return 0;
      this.#sink.group(group, { type: own[2] ?? '' }, line.number);
      return 1;
    }
    const path = TYPE_PATH.exec(HEAD_FRAME.exec(text)?.[1] ?? text);
    const group = groupName(path?.[1]?.split('/').at(-1));
    const next = ahead(1);
    const word = next && !next.prompt ? next.text.trim() : '';
    if (group === undefined || !TYPE_WORD.test(word)) return 0;
    this.#sink.group(group, { type: word }, line.number);
    return 2;
  }

  /** `cat type` and `ls devices` in the directory of a group, and `ls` in that of its devices. */
  #relative(line: DumpLine, ahead: Lookahead): number {
    if (!line.prompt) return 0;
    const [, verb, argument = '.'] = RELATIVE_COMMAND.exec(line.text) ?? [];
    if (verb === undefined || argument.startsWith('/')) return 0;
    const [folder, name, file] = this.#directory.resolve(argument).slice(-3);
    const group = folder === 'iommu_groups' ? groupName(name) : undefined;
    if (group === undefined) return 0;
    if (verb === 'ls' && file === 'devices') {
      this.#context = { group, kind: 'listing', indent: 0, index: line.index };
      return 1;
    }
    const next = ahead(1);
    const word = next && !next.prompt ? next.text.trim() : '';
    if (verb !== 'cat' || file !== 'type' || !TYPE_WORD.test(word)) return 0;
    this.#sink.group(group, { type: word }, line.number);
    return 2;
  }

  /** Paths with a group and a device. In a command they only name what it prints. */
  #devicePaths(line: DumpLine, ahead: Lookahead): number {
    if (line.prompt || COMMAND.test(line.text.trimStart())) return 0;
    const { text, lines } = joinDevicePath(line, ahead);
    if (!text.includes('/devices/')) return 0;
    let found = 0;
    const add = (group: string | undefined, device: string | undefined) => {
      const name = groupName(group);
      const plain = device?.replace(/[:.]+$/, '') ?? '';
      if (name === undefined || plain === '') return;
      this.#sink.group(name, { devices: [normalizeDevice(plain)] }, line.number);
      found++;
    };
    for (const match of text.matchAll(DEVICE_PATH)) add(match[1], match[2]);
    const relative = found === 0 ? DEVICE_RELATIVE.exec(text.trim()) : null;
    if (relative) add(relative[1], relative[2]);
    return found > 0 ? lines : 0;
  }

  /** `…/7/devices` as the argument of a command, or as the title that ls prints for one of several directories. */
  #listing(line: DumpLine): number {
    const text = line.text.trim();
    const command = line.prompt !== undefined || COMMAND.test(text);
    if (!text.includes('/devices') || !(command || text.endsWith(':'))) return 0;
    const all = [...text.matchAll(new RegExp(DEVICES_DIRECTORY, 'g'))];
    const match = all.length === 1 ? all[0] : undefined;
    const group = groupName(match?.[1] ?? match?.[2]);
    if (group === undefined) return 0;
    this.#context = { group, kind: 'listing', indent: 0, index: line.index };
    return 1;
  }

  #groupLine(line: DumpLine, ahead: Lookahead): number {
    if (line.prompt) return 0;
    const match = GROUP_LINE.exec(line.text);
    if (!match) return 0;
    const group = groupName(match[1]) ?? '';
    const rest = (match[2] ?? '').trimEnd();
    const devices = leadingDevices(rest);
    const named = devices.length === 0 ? NAMED_DEVICE.exec(rest)?.[1] : undefined;
    if (named !== undefined) devices.push(normalizeDevice(named));
    this.#context = { group, kind: 'header', indent: indentOf(line.text), index: line.index };
    if (devices.length > 0) {
      this.#sink.group(group, { devices }, line.number);
      this.#labelled(rest, group, line);
      return 1;
    }
    const next = ahead(1);
    return next && !/\p{L}/u.test(rest) && this.#belongs(next) ? 1 : 0;
  }

  /** True for a line with a device below the current header. */
  #belongs(line: DumpLine): boolean {
    const context = this.#context;
    if (!context || line.prompt || line.blanksBefore > 0) return false;
    // The line between may be the rest of a wrapped one.
    const between = line.index - context.index - 1;
    if (between > 1) return false;
    // lspci prints the group below its device, with more indentation: the next device then belongs to another group.
    return indentOf(line.text) >= context.indent && FIRST_DEVICE.test(line.text);
  }

  /** What the loop prints after the address of the device: lspci's words, or ids before it. */
  #labelled(text: string, group: string, line: DumpLine): void {
    const first = FIRST_DEVICE.exec(text);
    const device = normalizePciAddress(first?.[1] ?? '');
    if (!first || device === undefined) return;
    const rest = text.slice(first[0].length).replace(/^(?:\[[0-9a-f]{4}:[0-9a-f]{4}\] |\[R\] )+/i, '');
    const label = deviceLabel(rest);
    const ids = label?.ids ?? /\[([0-9a-f]{4}:[0-9a-f]{4})\]/i.exec(text)?.[1];
    const driver = /(?:[Dd]river(?: in use)?: ?|\[driver: )([a-z][\w-]{1,40})/.exec(rest)?.[1];
    if (label === undefined && ids === undefined) return;
    this.#sink.fact(deviceFact(device, { ...label, ids, driver, group }), line.number);
  }

  #below(line: DumpLine): number {
    const context = this.#context;
    if (!context || line.prompt) return 0;
    if (context.kind === 'header') {
      if (!this.#belongs(line)) return 0;
      this.#sink.group(context.group, { devices: leadingDevices(line.text) }, line.number);
      this.#labelled(line.text, context.group, line);
      context.index = line.index;
      return 1;
    }
    if (line.index !== context.index + 1 || line.blanksBefore > 0) {
      this.#context = undefined;
      return 0;
    }
    const text = line.text.trim();
    const devices: string[] = [];
    const listed = LISTED.exec(text)?.[1];
    if (listed !== undefined) devices.push(normalizeDevice(listed));
    else if (!/^(?:total \d+|\.\.\/\S*)$/.test(text)) {
      const names = text.split(/\s+/);
      if (!names.every(isDeviceName)) {
        this.#context = undefined;
        return 0;
      }
      devices.push(...names.map(normalizeDevice));
    }
    if (devices.length > 0) this.#sink.group(context.group, { devices }, line.number);
    context.index = line.index;
    return 1;
  }
}

/** Names in sysfs have a digit, dot or colon; words of prose do not. */
function isDeviceName(text: string): boolean {
  return /^[A-Za-z0-9][\w.:@-]{0,80}$/.test(text) && /[\d.:]/.test(text) && !/[:.]$/.test(text);
}

/** PCI addresses at the start of a text, after marks that loops print before them. */
function leadingDevices(text: string): string[] {
  const first = FIRST_DEVICE.exec(text);
  if (!first) return [];
  const found = [normalizePciAddress(first[1] ?? '') ?? ''];
  let rest = text.slice(first[0].length);
  for (let next = NEXT_DEVICE.exec(rest); next; next = NEXT_DEVICE.exec(rest)) {
    found.push(normalizePciAddress(next[1] ?? '') ?? '');
    rest = rest.slice(next[0].length);
  }
  return found;
}

/** The line, joined with the next one if a mail program broke a path `…/iommu_groups/7/devices/0000:00:1f.0`. */
function joinDevicePath(line: DumpLine, ahead: Lookahead): { text: string; lines: number } {
  const whole = { text: line.text, lines: 1 };
  const tail = /(?:^|\s)(\/[^\s]{1,300})$/.exec(line.text)?.[1]?.replace(/=$/, '');
  if (tail === undefined || !tail.includes('/sys/')) return whole;
  const device = /\/devices\/([^/]{1,100})$/.exec(tail)?.[1];
  if (device !== undefined && normalizePciAddress(device) !== undefined) return whole;
  const next = continuation(line, ahead)?.text.trim();
  const head = next === undefined ? undefined : /^[^\s]{1,200}/.exec(next)?.[0];
  if (next === undefined || head === undefined || head.startsWith('/')) return whole;
  const joined = /\/iommu_groups\/[^/]{1,100}\/devices\/([^/]{1,100})$/.exec(tail + head)?.[1];
  if (joined === undefined || normalizePciAddress(joined) === undefined) return whole;
  return { text: line.text.replace(/=$/, '') + next, lines: 2 };
}

export const IOMMU_GROUPS: LineParser = {
  open: (source, sink) => new IommuGroupsReader(source, sink),
};
