// What a host prints about itself: its name, kernel and architecture.
//
//   "Linux " name " " release " #" build … " " arch " GNU/Linux"       uname -a
//   "Linux version " release " (" builder ") " …                        the first line of the kernel's log
//   "Static hostname: " name                                            hostnamectl
//   "Hostname set to <" name ">."                                       systemd, also "Set hostname to <" name ">."
//   prompt "hostname" ["-s" | "-f"], and below it name                  in a shell, and in reports made of commands
//   ("proxmox-ve: " | "pve-manager/") version " (running kernel: " release ")"      pveversion
//
// (coreutils 8 and 9; init/version-timestamp.c, Linux 2.6 to 6.12; systemd 245 to 257; Proxmox VE 6 to 8.)
import type { DumpLine, DumpSource, FactSink, LineParser, LineReader, Lookahead } from '../format.ts';

const UNAME =
  /^Linux ([\w.-]{1,64}) (\d{1,3}\.\d{1,4}[\w.+~-]{0,80}) #\d.{0,120} (x86_64|i[3-6]86|aarch64|armv\w{1,6}|riscv64|s390x|ppc64le|loongarch64)(?: |$)/;
const BOOT = /^\s{0,40}Linux version (\d{1,3}\.\d{1,4}[\w.+~-]{0,80}) \(/;
const HOSTNAMECTL = /^\s{0,8}(?:Static|Transient) hostname: ([\w.-]{1,64})$/;
const COMMAND = /^hostname(?: -[sf])?$/;
/** `localhost`, which containers and systems without a name print, is not a name. */
const NAME = /^(?!localhost\b)[A-Za-z][\w-]{0,62}(?:\.[\w.-]{1,190})?$/;
const PROXMOX = /^(?:proxmox-ve: |pve-manager\/)[\w./~-]{1,80} \(running kernel: (\d{1,3}\.\d{1,4}[\w.+~-]{0,80})\)$/;
const SYSTEMD = /^(?:systemd(?:\[1\])?: )?(?:Hostname set to|Set hostname to) <([\w.-]{1,64})>\.?$/;

/** A release that was cut, elided or masked: `6.1…` may have been 6.12. */
const DAMAGED_RELEASE = /\.\.|[.-]$|[xX]{2}|\d[xX]$|^\d+\.\d+(?!rc)[A-Za-z_]/;

class HostIdentityReader implements LineReader {
  readonly #sink: FactSink;

  constructor(sink: FactSink) {
    this.#sink = sink;
  }

  line({ text, number, prompt }: DumpLine, ahead: Lookahead): number {
    if (prompt) {
      const below = COMMAND.test(text) ? ahead(1) : undefined;
      if (!below || below.prompt || !NAME.test(below.text)) return 0;
      this.#sink.fact({ kind: 'host', name: below.text }, below.number);
      return 2;
    }
    const uname = UNAME.exec(text);
    if (uname) {
      const [, name = '', kernel = '', arch = ''] = uname;
      this.#sink.fact({ kind: 'host', name, ...this.#kernel(kernel, text, number), arch }, number);
      return 1;
    }
    const kernel = (BOOT.exec(text) ?? PROXMOX.exec(text))?.[1];
    const name = (HOSTNAMECTL.exec(text) ?? SYSTEMD.exec(text))?.[1];
    if (kernel === undefined && name === undefined) return 0;
    const about = { ...(name === undefined ? {} : { name }), ...(kernel ? this.#kernel(kernel, text, number) : {}) };
    if (Object.keys(about).length > 0) this.#sink.fact({ kind: 'host', ...about }, number);
    return 1;
  }

  /** The field for a release. A damaged one is reported and left out, because the rules of another kernel would be used. */
  #kernel(release: string, text: string, line: number): { kernel?: string } {
    if (!DAMAGED_RELEASE.test(release)) return { kernel: release };
    this.#sink.diagnostic('damaged-number', { numbers: [release], text }, line);
    return {};
  }
}

export const HOST_IDENTITY: LineParser = {
  open: (_source: DumpSource, sink) => new HostIdentityReader(sink),
};
