// IOMMUs in sysfs, as people print them. An IOMMU has a directory (with a link to it in /sys/class/iommu)
//
//   directory = "/sys/class/iommu/" name | "/sys/devices/" … "/iommu/" name
//   file      = directory "/intel-iommu/" ("cap" | "ecap" | "version" | "address" | "domains_supported" | "domains_used")
//             | directory "/amd-iommu/" ("cap" | "features")
//   value     = 1*16hexdigit [":" 1*16hexdigit]       no "0x"; cap and ecap are one number
//
// These forms are read:
//
//   file ":" value                        grep
//   "==>" file "<=="   value              head, tail; also a line that holds nothing but the path
//   command with its files   1*value      cat, with or without a prompt; not with patterns for the files
//   "ls" "/sys/class/iommu"   1*name      and a link printed by `ls -l`: name "->" … "/iommu/" name
//   directory, with anything below it     find, ls -d: the name alone
//
// A source that is such a file is recognized by its path. Bits 21:16 of Intel's cap are the address width (MGAW) minus one.
// (drivers/iommu/intel/iommu.c, amd/init.c, iommu-sysfs.c, Linux 3.17 to 6.12. Names: dmarN, ivhdN, smmu.ADDRESS,
// smmu3.ADDRESS, s390-iommu.N, riscv-iommu@DEVICE, apple-dart.DEVICE; virtio-iommu: the name of its PCI device.)

import type { Iova } from '../../../iova/iova.ts';
import type { FactOf } from '../../../session/events.ts';
import { addressWidthOf } from '../../../uapi/vtd-capability.ts';
import { parseHexAddress } from '../../fields/address.ts';
import { iommuOf } from '../../fields/iommu-name.ts';
import { type IommuPlace, iommuPlace, pathComponents } from '../../fields/sysfs-path.ts';
import type { DumpLine, DumpSource, FactSink, LineParser, LineReader, Lookahead } from '../../format.ts';
import { WorkingDirectory } from '../../text/working-directory.ts';
import { continuation, joinWrapped } from '../../text/wrapped.ts';

/** Files of an IOMMU that are read; of others only the path is. */
const FILES = new Set(['cap', 'ecap', 'version', 'address', 'domains_supported', 'domains_used', 'features']);
const VALUE = /^(?:0x)?[0-9a-f]{1,64}(?::[0-9a-f]{1,64})?$/i;
const HEX = /^(?:0x)?[0-9a-f]{1,64}$/i;
const PRINTED = /^(?:\S{1,300}\/)?(?:intel|amd)-iommu\/[a-z_]{1,40}(?=:)/;
/** The end of a line that a mail program broke in a path or its value. */
const BROKEN = /(?:^|\s)(?:\/sys\/|\S{0,300}iommu)\S{0,300}$/;
const FRAME = /^=+>\s{0,8}(\S{1,300})\s{0,8}<=+$/;
const PATH = /^["'`]?([./~]?[\w.@:/\\-]{1,300}?)["'`]?:?$/;
const LINK = /(?:^|\s)\S{1,100} -> (\S{1,300})$/;
const SHOW = /^(?:sudo\s{1,8})?(?:cat|head|tail|more|less)((?:\s{1,8}[^\s|;&<>]{1,300}){1,16})$/;
const LIST = /^(?:sudo\s{1,8})?ls(?:\s{1,8}-\w{1,12}){0,4}(?:\s{1,8}([^\s|;&<>*]{1,300}))?$/;
const BRACES = /^(.{0,300})\{([\w,]{1,100})\}(.{0,100})$/;
/** A command about IOMMUs in sysfs, whatever it prints. */
const COMMAND = /\/class\/iommu(?![\w-])|(?:intel|amd)-iommu\//;
const NAME = /^[A-Za-z0-9][\w.:@-]{0,100}$/;
/** Every line with a path of an IOMMU matches this. */
const HAS_PATH = /\/iommu|-iommu\//;
const NAMES_MAX = 10_000;

interface IommuFile extends IommuPlace {
  readonly file: string;
}

interface Printed {
  readonly place: IommuFile;
  readonly value: string;
}

class IommuClassReader implements LineReader {
  readonly #sink: FactSink;
  readonly #directory = new WorkingDirectory();
  /** The file that the source is, by its path. */
  readonly #own: IommuFile | undefined;
  /** Files whose contents are the lines after the line with this index, one line each. */
  #below: readonly IommuFile[] = [];
  #index = -1;
  /** Index of the last line of a listing of all IOMMUs. */
  #listed: number | undefined;
  /** The current IOMMU as far as it was read, and its first line. */
  #draft: { readonly fact: FactOf<'iommu'>; readonly line: number } | undefined;
  readonly #emitted = new Set<string>();

  constructor(source: DumpSource, sink: FactSink) {
    this.#sink = sink;
    this.#own = asFile(iommuPlace(source.path));
  }

  line(line: DumpLine, ahead: Lookahead): number {
    if (line.elision) return 0;
    if (line.prompt) {
      this.#below = [];
      this.#listed = undefined;
      this.#directory.prompt(line);
    }
    if (line.prompt || line.text.includes('cd ')) this.#directory.command(line.text);
    const taken =
      this.#value(line) ||
      this.#printed(line, ahead) ||
      this.#command(line, ahead) ||
      this.#path(line) ||
      this.#list(line) ||
      (line.prompt && COMMAND.test(line.text) ? 1 : 0);
    // Other text follows: emit the fact first.
    const next = ahead(Math.max(1, taken));
    const goesOn =
      this.#below.length > 0 || next?.prompt !== undefined || (next !== undefined && HAS_PATH.test(next.text));
    if (taken === 0 || !goesOn) this.#close();
    return taken;
  }

  end(): void {
    this.#close();
  }

  #value(line: DumpLine): number {
    const value = line.text.trim();
    if (line.prompt) return 0;
    if (this.#own) return this.#note(this.#own, value, line);
    const [place, ...rest] = this.#below;
    if (!place) return 0;
    const follows = line.index === this.#index + 1 && line.blanksBefore === 0;
    const taken = follows ? this.#note(place, value, line) : 0;
    this.#below = taken > 0 ? rest : [];
    this.#index = line.index;
    return taken;
  }

  /** Takes the content of a file, if it looks like one. */
  #note(place: IommuFile, value: string, line: DumpLine): number {
    const kept = place.file === 'cap' || place.file === 'ecap';
    if (kept ? HEX.test(value) : VALUE.test(value)) {
      // In a tree each file is a source: a file without a register needs no fact.
      if (!kept && place === this.#own) {
        this.#sink.recognized();
        return 1;
      }
      const number = kept ? parseHexAddress(value) : undefined;
      const fact = this.#about(place, line);
      if (number !== undefined) setRegister(fact, place.file, number);
      else if (kept) this.#damaged(line);
      return 1;
    }
    if (!kept || !/^(?:0x)?[0-9a-f]{2}\S{0,80}$/i.test(value)) return 0;
    this.#damaged(line);
    return 1;
  }

  #damaged(line: DumpLine): void {
    this.#sink.diagnostic('damaged-register', { text: line.text }, line.number);
  }

  #printed(line: DumpLine, ahead: Lookahead): number {
    const { text } = line;
    if (line.prompt || !BROKEN.test(text)) return 0;
    const found = this.#read(text);
    if (!found) {
      const joined = joinWrapped(line, ahead, 2, (whole) => this.#read(whole));
      if (!joined) return 0;
      return this.#note(joined.value.place, joined.value.value, line) === 0 ? 0 : joined.lines;
    }
    // The next line belongs to another file, unless a mail program broke the number.
    const rest = continuation(line, ahead)?.text.trim();
    const whole = rest !== undefined && VALUE.test(rest) && !/^0x/i.test(rest) ? found.value + rest : '';
    if (whole.length <= 33 && VALUE.test(whole)) return this.#note(found.place, whole, line) && 2;
    return this.#note(found.place, found.value, line);
  }

  /** A file and its content, as grep prints them. */
  #read(text: string): Printed | undefined {
    const bare = text.trim();
    const path = PRINTED.exec(bare)?.[0];
    // Two paths in a row are not a broken one.
    if (path === undefined || path.indexOf('/sys/', 1) >= 0) return undefined;
    const place = this.#file(path);
    if (!place) return undefined;
    const value = bare.slice(path.length + 1);
    const single = place.file === 'cap' || place.file === 'ecap' ? value.replace(/^1:/, '') : value;
    return single === '' ? undefined : { place, value: single };
  }

  #file(path: string): IommuFile | undefined {
    return asFile(iommuPlace(pathComponents(path)) ?? iommuPlace(this.#directory.resolve(path)));
  }

  #command(line: DumpLine, ahead: Lookahead): number {
    const text = line.text.trim();
    const names = SHOW.exec(text)?.[1]?.trim().split(/\s+/);
    if (names) {
      const files = names.flatMap(expanded).filter((name) => !name.startsWith('-'));
      const places = files.map((name) => this.#file(name));
      const known = places.flatMap((place) => place ?? []);
      const next = ahead(1);
      if (known.length === 0 || known.length < places.length || !next || !VALUE.test(next.text.trim())) return 0;
      if (hasMoreValues(known.length, line, ahead)) {
        // A mail program broke one of them: which one is unknown.
        this.#damaged(next);
        return 1;
      }
      this.#below = known;
      this.#index = line.index;
      return 1;
    }
    const listed = LIST.exec(text);
    if (!listed || !isAll(this.#directory.resolve(listed[1] ?? '.'))) return 0;
    this.#listed = line.index;
    return 1;
  }

  /** A line that is a path, with or without the frame that head and tail put around it. */
  #path(line: DumpLine): number {
    if (line.prompt) return 0;
    const text = line.text.trim();
    const path = FRAME.exec(text)?.[1] ?? PATH.exec(text)?.[1];
    if (path === undefined || !text.includes('iommu')) return 0;
    const components = pathComponents(path);
    if (text.endsWith(':') && isAll(components)) {
      this.#listed = line.index;
      return 1;
    }
    const place = iommuPlace(components);
    if (!place) return 0;
    this.#about(place, line);
    const file = asFile(place);
    this.#below = file ? [file] : [];
    this.#index = line.index;
    return 1;
  }

  #list(line: DumpLine): number {
    if (line.prompt) return 0;
    const text = line.text.trim();
    const target = text.includes(' -> ') ? LINK.exec(text)?.[1] : undefined;
    const place = target === undefined ? undefined : iommuPlace(pathComponents(target));
    const isIn = this.#listed !== undefined && line.index === this.#listed + 1 && line.blanksBefore === 0;
    if (place && place.file === undefined) {
      if (isIn) this.#listed = line.index;
      this.#about(place, line);
      return 1;
    }
    const names = text.split(/\s+/);
    const isTotal = /^total \d+$/.test(text);
    if (!isIn || !(isTotal || names.every((name) => NAME.test(name) && /\d/.test(name)))) return 0;
    this.#listed = line.index;
    if (!isTotal) for (const name of names) this.#about({ name }, line);
    return 1;
  }

  /** The draft of an IOMMU's fact; emits the one of another IOMMU. */
  #about(place: IommuPlace, line: DumpLine): FactOf<'iommu'> {
    if (this.#draft?.fact.name !== place.name) this.#close();
    this.#draft ??= { fact: iommuOf(place), line: line.number };
    const { fact } = this.#draft;
    if (place.driver !== undefined) fact.driver = place.driver;
    return fact;
  }

  /** Emits the current IOMMU; a name alone only once. */
  #close(): void {
    const draft = this.#draft;
    this.#draft = undefined;
    if (!draft) return;
    const { fact, line } = draft;
    if (this.#emitted.has(fact.name) && fact.cap === undefined && fact.ecap === undefined) return;
    if (this.#emitted.size < NAMES_MAX) this.#emitted.add(fact.name);
    this.#sink.fact(fact, line);
  }
}

/** True if more values than files follow a command, as far as can be seen. */
function hasMoreValues(files: number, line: DumpLine, ahead: Lookahead): boolean {
  for (let n = 1; n <= files + 1; n++) {
    if (!HEX.test(continuation(line, ahead, n)?.text.trim() ?? '')) return false;
  }
  return true;
}

function setRegister(fact: FactOf<'iommu'>, file: string, value: Iova): void {
  if (file === 'ecap') fact.ecap = value;
  else {
    if (fact.driver === 'intel') fact.address_width = addressWidthOf(value);
    fact.cap = value;
  }
}

function asFile(place: IommuPlace | undefined): IommuFile | undefined {
  const file = place?.file;
  return place && file !== undefined && FILES.has(file) ? { ...place, file } : undefined;
}

/** True for the directory of all IOMMUs. */
function isAll(components: readonly string[]): boolean {
  return components.at(-1) === 'iommu' && components.at(-2) === 'class';
}

/** `a/{b,c}` as the shell expands it. */
function expanded(name: string): string[] {
  const [, before = '', words, after = ''] = BRACES.exec(name) ?? [];
  return words === undefined ? [name] : words.split(',').map((word) => before + word + after);
}

export const IOMMU_CLASS: LineParser = {
  open: (source, sink) => new IommuClassReader(source, sink),
};
