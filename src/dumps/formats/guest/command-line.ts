// Command lines that start guests, wherever they were found: a shell, a script, `ps`, /proc/PID/cmdline, a systemd unit,
// `qm showcmd`, the logs of libvirt and Kata.
//
//   command  = [environment] program 1*(blank word)       over several lines, each but the last ending in "\"
//            | program 1*(NUL word)                       /proc/PID/cmdline
//            | "command '" program … "' failed: " reason       Proxmox's task log
//            | "launching " program " with: [" words "]"  Kata
//   program  = [path] ("qemu-system-" arch | "qemu-kvm" | "kvm" | "cloud-hypervisor" | "crosvm run")
//   header   = time ": starting up libvirt version: " version … ["qemu version: " version] ["kernel: " version]
//              ["hostname: " name]                        before each start in /var/log/libvirt/qemu/NAME.log
//   variable = NAME ["+"] "=" value                       of a script, used for $NAME below it
//            | NAME ["+"] "=(" words … ")"                an array, over several lines, for ${NAME[@]}
//            | "Environment=" 1*(NAME "=" value)          of a systemd unit
//   headless = 1*(option "\")                            a command of which the beginning was cut
//
// A line that begins with a dash below a command that ended without "\" belongs to it too: mail programs and web pages
// lose the backslashes, and break lines before them. A command ends at anything else. What the words mean: qemu-arguments.ts, other-arguments.ts.
import type { DumpLine, DumpSource, FactSink, LineParser, LineReader, Lookahead } from '../../format.ts';
import { LOOKAHEAD } from '../../format.ts';
import { type DefinitionForm, GuestDraft } from './draft.ts';
import { readCloudHypervisor, readCrosvm } from './other-arguments.ts';
import { describeProgram, QemuArguments } from './qemu-arguments.ts';
import { expandVariables, shellWords } from './shell-words.ts';

const PROGRAM =
  /(?:^|[\s"'=(/[])(qemu-system-[a-z0-9_]{1,20}|qemu-kvm|kvm|cloud-hypervisor|crosvm)(?:-[A-Za-z]\w{0,11})?["']?(\s+with:\s*\[|[\s\0]+|(?=\\$))(?=["'$]?--?[A-Za-z]|run\b|["']?\$|\\$)/;
/** A program that only its first options show to be a monitor. */
const KVM_OPTIONS =
  /^["']?--?(?:id|name|m|machine|M|cpu|smp|enable-kvm|drive|device|hda|cdrom|nodefaults|uuid|S|pidfile)\b/;
/** In front of a `kvm` that is the value of an option: `-machine accel=kvm -m 4G`, `virt-install --virt-type kvm --name …`. */
const KVM_VALUE = /(?:accel|type|hypervisor|hvm)[=: ]{1,2}["']?$/;
/** crosvm's own options are before the command. */
const CROSVM_RUN = /^(?:--?[a-z][\w-]{0,40}(?:=\S{0,200}| (?!run\b)[\w.,:/-]{1,200})? +){0,8}run\b/;
const CONTINUED = /\\$/;
const OPTION_LINE = /^\s{0,40}--?[A-Za-z]/;
/** Messages of QEMU begin with its name, and then often with the option that they are about. */
const MESSAGE_RAW = /(?:^|[\s:])(?:qemu[\w.-]{0,40}|kvm|cloud-hypervisor|crosvm)(?:\[\d{1,10}\])?: \S/;
const MESSAGE = /^\s{0,16}-(?:device|object|netdev|drive|machine|cpu) \S{1,400}:(?:\s|$)/;
/** A line with which a command that lost its beginning may start: QEMU's options that say most. */
const HEADLESS =
  /^\s{0,16}-(?:name|machine|M|m|cpu|accel|object|device|smp|enable-kvm|global|nodefaults)\b.{0,4000}\\$/;
const HEADER = /^\s{0,8}starting up libvirt version: ?([\w.]{1,20})/;
const VARIABLE =
  /^\s{0,16}(?:export |local |readonly |declare (?:-\w )?)?([A-Za-z_]\w{0,60})(\+?)=(?:"([^"`]{0,4000})"|'([^']{0,4000})'|([^\s"'`;(]{0,400}))(?:\s+#.*)?\s*$/;
const ARRAY = /^\s{0,16}(?:export |local |readonly |declare (?:-\w )?)?([A-Za-z_]\w{0,60})(\+?)=\((.*)$/;
const UNIT_VARIABLES = /^\s{0,16}Environment=(.*)$/;
const UNIT_VARIABLE = /^([A-Za-z_]\w{0,60})=(.*)$/;
const ARRAY_USE = /"?\$\{([A-Za-z_]\w{0,60})\[[@*]\]\}"?/g;
const ENVIRONMENT = /^[A-Z_][A-Z0-9_]{0,60}=\S{0,4000} ?\\$/;

/** Characters of a command; libvirt's have ten thousand. */
const COMMAND_MAX = 200_000;
const VARIABLES_MAX = 200;
/** Characters of a variable's value. */
const VALUE_MAX = 20_000;

interface Command {
  readonly program: string;
  readonly line: number;
  readonly isKata: boolean;
  text: string;
  /** Lines of it ended with a backslash. */
  isContinued?: boolean;
  /** Its beginning was cut. */
  readonly isHeadless?: boolean;
}

class CommandLineReader implements LineReader {
  readonly #sink: FactSink;
  readonly #variables = new Map<string, string>();
  readonly #arrays = new Map<string, string>();
  /** The array whose elements follow. */
  #array: string | undefined;
  /** A command that may go on, in which line it would, and whether it has to. */
  #open: { readonly command: Command; readonly index: number; readonly isContinued: boolean } | undefined;
  /** What the header of libvirt's log says of the command below it. */
  #header: { readonly version: string | undefined; readonly started: string | undefined } | undefined;

  constructor(sink: FactSink) {
    this.#sink = sink;
  }

  line(line: DumpLine, ahead: Lookahead): number {
    const open = this.#open;
    this.#open = undefined;
    if (open) {
      const isBelow =
        line.index === open.index && !line.prompt && !line.elision && line.blanksBefore === 0 && !isMessage(line);
      const isRest = open.command.isContinued === true && isWrapped(line, undefined);
      if (isBelow && (open.isContinued || OPTION_LINE.test(line.text) || isRest)) {
        return this.#take(open.command, line.text, line, ahead);
      }
      this.#close(open.command, !open.isContinued && !line.elision);
    }
    return (
      this.#startHeader(line, ahead) || this.#start(line, ahead) || this.#variable(line) || this.#headless(line, ahead)
    );
  }

  end(): void {
    if (this.#open) this.#close(this.#open.command, !this.#open.isContinued);
  }

  #startHeader(line: DumpLine, ahead: Lookahead): number {
    if (!HEADER.test(line.text)) return 0;
    let text = line.text;
    let lines = 1;
    // Broken by a mail program: up to the host's name, which is the last.
    while (lines <= LOOKAHEAD && !/hostname: ?\S/.test(text)) {
      const next = ahead(lines);
      if (!next || next.blanksBefore > 0 || programIn(next.text) || ENVIRONMENT.test(next.text)) break;
      if (!/^[\w.,:() ~+-]{1,200}$/.test(next.text)) break;
      text += ` ${next.text.trim()}`;
      lines++;
    }
    const field = (name: string) => new RegExp(`\\b${name}: ?([^\\s,]{1,200})`).exec(text)?.[1];
    const kernel = field('kernel');
    const name = field('hostname');
    this.#header = {
      version: /^\d{1,3}(?:\.\d{1,3}){1,2}/.exec(field('qemu version') ?? '')?.[0],
      started: startOf(line.raw),
    };
    this.#sink.recognized();
    if (kernel !== undefined || name !== undefined) {
      this.#sink.fact(
        {
          kind: 'host',
          ...(name === undefined ? {} : { name }),
          ...(kernel === undefined ? {} : { kernel }),
        },
        line.number,
      );
    }
    return lines;
  }

  #start(line: DumpLine, ahead: Lookahead): number {
    const isRaw = line.raw.includes('\0');
    const text = isRaw ? line.raw.trimStart() : line.text;
    const match = programIn(text);
    const program = match?.[1];
    if (!match || program === undefined) return ENVIRONMENT.test(line.text) ? 1 : 0;
    const isKata = match[2]?.includes('[') === true;
    const after = text.slice(match.index + match[0].length);
    // Proxmox quotes the whole command, the quotation marks in it notwithstanding.
    const isQuoted = /command '[^']*$/.test(text.slice(0, match.index + 1));
    const rest = isQuoted ? after.replace(/' failed: .{0,200}$/, '') : after;
    if (program === 'kvm' && !KVM_OPTIONS.test(rest.trimStart()) && !CONTINUED.test(rest)) return 0;
    if (program === 'crosvm' && !CROSVM_RUN.test(rest)) return 0;
    this.#array = undefined;
    if (isRaw) {
      this.#read({ program, line: line.number, isKata, text: '' }, rest.split('\0'), true);
      return 1;
    }
    // Of a process list or log only the command itself is quoted, if anything is.
    const command: Command = { program, line: line.number, isKata, text: '' };
    return this.#take(command, rest, line, ahead);
  }

  /** Adds a line to a command, and those that it goes on in. */
  #take(command: Command, text: string, line: DumpLine, ahead: Lookahead): number {
    let part = text;
    for (let lines = 1; ; lines++) {
      const isContinued = CONTINUED.test(part);
      const piece = isContinued ? part.replace(CONTINUED, '') : part;
      if (command.text.length + piece.length <= COMMAND_MAX) command.text += ` ${piece}`;
      const next = lines <= LOOKAHEAD ? ahead(lines) : undefined;
      // Of lines further below only those are seen that are of interest by themselves.
      if (lines > LOOKAHEAD || (lines === LOOKAHEAD && next && isOfInterest(next.text))) {
        this.#open = { command, index: line.index + lines, isContinued };
        return lines;
      }
      const isBelow = next && !next.prompt && !next.elision && next.index === line.index + lines && !isMessage(next);
      if (isContinued) command.isContinued = true;
      const goesOn =
        isBelow &&
        next.blanksBefore === 0 &&
        (isContinued ||
          OPTION_LINE.test(next.text) ||
          (command.isContinued === true && isWrapped(next, lines < LOOKAHEAD ? ahead(lines + 1) : undefined)));
      if (!goesOn) {
        this.#close(command, !isContinued && next?.elision !== true);
        return lines;
      }
      part = next.text;
    }
  }

  #close(command: Command, isWhole: boolean): void {
    let { text } = command;
    if (command.isKata) {
      const end = text.lastIndexOf(']');
      if (end < 0) this.#read(command, text.split(/\s+/), false);
      else this.#read(command, text.slice(0, end).split(/\s+/), isWhole);
      return;
    }
    text = text.replace(ARRAY_USE, (whole, name: string) => this.#arrays.get(name) ?? whole);
    text = expandVariables(text, this.#variables);
    const { words, isOpen } = shellWords(text);
    const isCut = isOpen || /(?:\.\.\.|…)\s*$/.test(text);
    this.#read(command, words, isWhole && !isCut);
  }

  #read({ program, line, isKata, isHeadless = false }: Command, words: readonly string[], isWhole: boolean): void {
    const isOther = program === 'cloud-hypervisor' || program === 'crosvm';
    const draft = new GuestDraft(isOther ? program : 'qemu');
    if (program === 'cloud-hypervisor' || program === 'crosvm') draft.form = program;
    let isCut = !isWhole || isHeadless;
    if (program === 'cloud-hypervisor') readCloudHypervisor(draft, words, isWhole);
    else if (program === 'crosvm') readCrosvm(draft, words, isWhole);
    else {
      if (!isHeadless) describeProgram(program, draft);
      const header = this.#header;
      this.#header = undefined;
      draft.version = header?.version;
      draft.started = header?.started;
      draft.form = header ? 'libvirt' : isKata ? 'kata' : formOf(words);
      const reader = new QemuArguments(draft);
      reader.read(words, !isCut);
      isCut ||= reader.isCut;
      // `qemu-system-x86_64 --version`, the name in a sentence.
      if (!reader.isAnyUnderstood || (isHeadless && draft.machine === undefined && !draft.hasAssigned)) return;
    }
    if (isCut)
      draft.problem('guest-definition-cut', {
        what: isHeadless ? 'a command line of QEMU' : `the command line of ${program}`,
      });
    draft.emit(this.#sink, line);
  }

  /** A command of which people did not copy the beginning. Said to be cut. */
  #headless(line: DumpLine, ahead: Lookahead): number {
    if (line.prompt || line.elision || !HEADLESS.test(line.text) || isMessage(line)) return 0;
    const command: Command = { program: 'QEMU', line: line.number, isKata: false, text: '', isHeadless: true };
    return this.#take(command, line.text, line, ahead);
  }

  #variable(line: DumpLine): number {
    const { text } = line;
    // A comment looks like a command after the prompt of root.
    if (this.#array !== undefined && line.prompt && Object.keys(line.prompt).length === 0) return 0;
    if (this.#array !== undefined && !line.prompt && OPTION_LINE.test(text)) {
      this.#addTo(this.#array, text);
      return 1;
    }
    this.#array = undefined;
    if (!text.includes('=')) return 0;
    const unit = UNIT_VARIABLES.exec(text)?.[1];
    if (unit !== undefined) {
      for (const word of shellWords(unit).words) {
        const [, name = '', value = ''] = UNIT_VARIABLE.exec(word) ?? [];
        this.#set(name, value);
      }
      return 0;
    }
    const array = ARRAY.exec(text);
    if (array) {
      const [, name = '', plus, elements = ''] = array;
      if (plus === '') this.#arrays.delete(name);
      this.#array = name;
      this.#addTo(name, elements);
      return 0;
    }
    const [, name = '', plus, double, single, plain = ''] = VARIABLE.exec(text) ?? [];
    const value = single ?? expandVariables(double ?? plain, this.#variables);
    this.#set(name, plus === '+' ? `${this.#variables.get(name) ?? ''}${value}` : value);
    return 0;
  }

  #set(name: string, value: string): void {
    const isRoom = this.#variables.has(name) || this.#variables.size < VARIABLES_MAX;
    // What holds an unknown variable is unknown itself.
    if (value.includes('$') && !value.includes(' ')) this.#variables.delete(name);
    else if (name !== '' && isRoom && value.length <= VALUE_MAX) this.#variables.set(name, value);
  }

  /** Elements of an array, up to its end. */
  #addTo(name: string, elements: string): void {
    const before = this.#arrays.get(name) ?? '';
    const { length } = before;
    const added = elements.replace(/(?:^|\s)#.*$|\)\s*(?:#.*)?$/, '');
    if (/\)\s*(?:#.*)?$/.test(elements)) this.#array = undefined;
    const isRoom = this.#arrays.has(name) || this.#arrays.size < VARIABLES_MAX;
    if (isRoom && length + added.length < VALUE_MAX) this.#arrays.set(name, `${before} ${added}`);
  }
}

/** The first program that is one in a text, and where. */
function programIn(text: string): RegExpExecArray | null {
  const match = PROGRAM.exec(text);
  if (match?.[1] !== 'kvm') return match;
  return KVM_VALUE.test(text.slice(0, match.index + 1)) ? null : match;
}

/** True for what QEMU says of an option, which is none. */
function isMessage({ raw, text }: DumpLine): boolean {
  return MESSAGE.test(text) || MESSAGE_RAW.test(raw.slice(0, 200));
}

/** The time in front of libvirt's header, `2026-03-01 12:00:00.123+0000`, as ISO 8601. */
function startOf(raw: string): string | undefined {
  const [, date, time, zone = ''] =
    /(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d:\d\d)(?:\.\d{1,9})?(Z|[+-]\d{4})?: ?starting up/.exec(raw) ?? [];
  if (date === undefined || time === undefined) return undefined;
  return `${date}T${time}${zone === '+0000' ? 'Z' : zone.replace(/(\d\d)$/, ':$1')}`;
}

/** Which program made a command line: it leaves paths of its own in it. */
function formOf(words: readonly string[]): DefinitionForm {
  const ofProxmox = /\/(?:var\/)?run\/qemu-server\/|\/usr\/share\/qemu-server\/|^type=[^,]+\+pve\d/;
  if (words.some((word) => ofProxmox.test(word))) return 'proxmox';
  const name = words[words.indexOf('-name') + 1];
  if (name !== undefined && /^sandbox-[\da-f]{2,64}(?:,|$)/.test(name)) return 'kata';
  const isLibvirt = words.some((word) => /\/libvirt\/qemu\/|^guest=[^,]+,debug-threads=on/.test(word));
  return isLibvirt ? 'libvirt' : 'qemu';
}

/** True for a rest of a line that a mail program broke: it, or the line after it, has the backslash. */
function isWrapped(line: DumpLine, below: DumpLine | undefined): boolean {
  const isOther = ({ text, raw }: DumpLine) =>
    /^\s{0,8}\d{4}-\d{2}-\d{2}[T ]/.test(raw) ||
    HEADER.test(text) ||
    ENVIRONMENT.test(text) ||
    programIn(text) !== null;
  if (isOther(line)) return false;
  if (CONTINUED.test(line.text)) return true;
  return below !== undefined && below.blanksBefore === 0 && !isOther(below) && CONTINUED.test(below.text);
}

/** True for a line that is offered whatever is above it. */
function isOfInterest(text: string): boolean {
  return OPTION_LINE.test(text) || CONTINUED.test(text);
}

export const GUEST_COMMAND_LINE: LineParser = {
  open: (_source: DumpSource, sink) => new CommandLineReader(sink),
};
