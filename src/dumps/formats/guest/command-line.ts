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
//   variable = NAME "=" value                             of a script, used for $NAME below it
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
/**
 * The name of a program, but not of a task in a trace (`qemu-kvm-4575`, `CPU 0/KVM-4576`): traces have a task in every line,
 * and their fast path needs lines that interest no other format.
 */
/** A program that only its first options show to be a monitor. */
const KVM_OPTIONS =
  /^["']?--?(?:id|name|m|machine|M|cpu|smp|enable-kvm|drive|device|hda|cdrom|nodefaults|uuid|S|pidfile)\b/;
const CONTINUED = /\\$/;
const OPTION_LINE = /^\s{0,40}--?[A-Za-z]/;
const HEADER = /^\s{0,8}starting up libvirt version: ?([\w.]{1,20})/;
const VARIABLE =
  /^\s{0,16}(?:export |local |readonly )?([A-Za-z_]\w{0,60})=(?:"([^"$`]{0,400})"|'([^']{0,400})'|([^\s"'$`;]{0,400}))\s*$/;
const ENVIRONMENT = /^[A-Z_][A-Z0-9_]{0,60}=\S{0,4000} ?\\$/;

/** Characters of a command; libvirt's have ten thousand. */
const COMMAND_MAX = 200_000;
const VARIABLES_MAX = 200;

interface Command {
  readonly program: string;
  readonly line: number;
  readonly isKata: boolean;
  text: string;
  /** Lines of it ended with a backslash. */
  isContinued?: boolean;
}

class CommandLineReader implements LineReader {
  readonly #sink: FactSink;
  readonly #variables = new Map<string, string>();
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
      const isBelow = line.index === open.index && !line.prompt && !line.elision && line.blanksBefore === 0;
      const isRest = open.command.isContinued === true && isWrapped(line, undefined);
      if (isBelow && (open.isContinued || OPTION_LINE.test(line.text) || isRest)) {
        return this.#take(open.command, line.text, line, ahead);
      }
      this.#close(open.command, !open.isContinued && !line.elision);
    }
    return this.#startHeader(line, ahead) || this.#start(line, ahead) || this.#variable(line);
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
      if (!next || next.blanksBefore > 0 || PROGRAM.test(next.text) || ENVIRONMENT.test(next.text)) break;
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
    const match = PROGRAM.exec(text);
    const program = match?.[1];
    if (!match || program === undefined) return ENVIRONMENT.test(line.text) ? 1 : 0;
    const isKata = match[2]?.includes('[') === true;
    const after = text.slice(match.index + match[0].length);
    // Proxmox quotes the whole command, the quotation marks in it notwithstanding.
    const isQuoted = /command '[^']*$/.test(text.slice(0, match.index + 1));
    const rest = isQuoted ? after.replace(/' failed: .{0,200}$/, '') : after;
    if (program === 'kvm' && !KVM_OPTIONS.test(rest.trimStart()) && !CONTINUED.test(rest)) return 0;
    if (program === 'crosvm' && !/^run\b/.test(rest)) return 0;
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
      const isBelow = next && !next.prompt && !next.elision && next.index === line.index + lines;
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
    text = expandVariables(text, this.#variables);
    const { words, isOpen } = shellWords(text);
    const isCut = isOpen || /(?:\.\.\.|…)\s*$/.test(text);
    this.#read(command, words, isWhole && !isCut);
  }

  #read({ program, line, isKata }: Command, words: readonly string[], isWhole: boolean): void {
    const isOther = program === 'cloud-hypervisor' || program === 'crosvm';
    const draft = new GuestDraft(isOther ? program : 'qemu');
    if (program === 'cloud-hypervisor' || program === 'crosvm') draft.form = program;
    let isCut = !isWhole;
    if (program === 'cloud-hypervisor') readCloudHypervisor(draft, words, isWhole);
    else if (program === 'crosvm') readCrosvm(draft, words, isWhole);
    else {
      describeProgram(program, draft);
      const header = this.#header;
      this.#header = undefined;
      draft.version = header?.version;
      draft.started = header?.started;
      draft.form = header ? 'libvirt' : isKata ? 'kata' : formOf(words);
      const reader = new QemuArguments(draft);
      reader.read(words, isWhole);
      isCut ||= reader.isCut;
      // `qemu-system-x86_64 --version`, the name in a sentence.
      if (!reader.isAnyUnderstood) return;
    }
    if (isCut) draft.problem('guest-definition-cut', { what: `the command line of ${program}` });
    draft.emit(this.#sink, line);
  }

  #variable(line: DumpLine): number {
    if (!line.text.includes('=')) return 0;
    const match = VARIABLE.exec(line.text);
    if (match && this.#variables.size < VARIABLES_MAX) {
      this.#variables.set(match[1] ?? '', match[2] ?? match[3] ?? match[4] ?? '');
    }
    return 0;
  }
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
  if (words.some((word) => /\/(?:var\/)?run\/qemu-server\/|\/usr\/share\/qemu-server\//.test(word))) return 'proxmox';
  const isLibvirt = words.some((word) => /\/libvirt\/qemu\/|^guest=[^,]+,debug-threads=on/.test(word));
  return isLibvirt ? 'libvirt' : 'qemu';
}

/** True for a rest of a line that a mail program broke: it, or the line after it, has the backslash. */
function isWrapped(line: DumpLine, below: DumpLine | undefined): boolean {
  const isOther = ({ text, raw }: DumpLine) =>
    /^\s{0,8}\d{4}-\d{2}-\d{2}[T ]/.test(raw) || HEADER.test(text) || ENVIRONMENT.test(text) || PROGRAM.test(text);
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
