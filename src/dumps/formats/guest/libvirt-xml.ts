// XML of libvirt: domains (`virsh dumpxml`, /etc/libvirt/qemu/NAME.xml, the logs of OpenStack's nova, Unraid's editor) and
// node devices (`virsh nodedev-dumpxml`). Other XML is left alone.
//
//   document = … "<domain" … "</domain>"       libvirt-domain.ts
//            | … "<device>" … "</device>"      node-device.ts
//            | element … ["</domain>"]         of a domain whose beginning was not copied: what PART begins with
//
// Lines that only hold marks are not seen here, so a comment that ended on such a line ends with the next tag below it.
import {
  type DumpLine,
  type DumpSource,
  type FactSink,
  type LineParser,
  type LineReader,
  LOOKAHEAD,
  type Lookahead,
} from '../../format.ts';
import { NodeDevice } from '../devices/node-device.ts';
import { LibvirtDomain } from './libvirt-domain.ts';
import { XmlTokens } from './xml-tokens.ts';

const DOMAIN = /<(?:[A-Za-z]\w{0,20}:)?domain(?=[\s>])/;
const DEVICE = /<device>/;
/** Elements that only a domain has, and the element that they are in. */
const PART =
  /<(?:(hostdev (?=[^>]{0,80}\btype=['"]pci)|interface (?=type=['"]hostdev)|iommu (?=model=))|devices>|memoryBacking>|maxMemory[ >]|memory (?=unit=)|qemu:commandline|type arch=|cpu (?=mode=))/;
const DEPTH_MAX = 100;

/** What takes the elements of a document: paths are below its root. */
interface Taker {
  open(path: string, attributes: ReadonlyMap<string, string>): void;
  text(path: string, text: string): void;
  doctype(): void;
  finish(sink: FactSink, isWhole: boolean): void;
}

/** The task of a line in a trace, not a tag. */
const TASK = /^\s{0,40}<(?:idle|\.\.\.)>-\d/;

class LibvirtXmlReader implements LineReader {
  readonly #sink: FactSink;
  #tokens: XmlTokens | undefined;
  #taker: Taker | undefined;
  /** Elements that are open, the root first. */
  #path: string[] = [];
  #text = '';
  #line = 0;
  #sawDoctype = false;
  /** The beginning of the document is missing. */
  #isPart = false;

  constructor(sink: FactSink) {
    this.#sink = sink;
  }

  line(line: DumpLine, ahead: Lookahead): number {
    if (line.prompt) {
      this.#end(false);
      return 0;
    }
    if (TASK.test(line.text)) return 0;
    // The cleaning takes prefixes of logs off, and for one may take a tag.
    const bare = line.raw.trim();
    const text = bare.startsWith('<') ? bare : line.text;
    const root = DOMAIN.exec(text) ?? (this.#path.length === 0 ? DEVICE.exec(text) : null);
    if (/<!DOCTYPE\b/i.test(text) && !this.#tokens) this.#sawDoctype = true;
    if (!this.#tokens || (root && this.#isNewDocument(root[0]))) {
      const part = root ? null : PART.exec(text);
      const start = root ?? part;
      if (!start) return 0;
      this.#end(false);
      this.#line = line.number;
      if (part) this.#startInside(part);
      this.#tokens = new XmlTokens({
        open: (name, attributes) => this.#open(name, attributes),
        close: (name) => this.#close(name),
        text: (part) => {
          if (this.#text.length < 1000) this.#text += part;
        },
        doctype: () => this.#taker?.doctype(),
      });
      return this.#feed(text.slice(start.index), line, ahead);
    }
    if (this.#tokens.isSkipping && line.blanksBefore > 0 && text.trimStart().startsWith('<')) this.#tokens.resume();
    if (!text.includes('<') && !text.includes('>')) return 0;
    return this.#feed(text, line, ahead);
  }

  end(): void {
    this.#end(false);
  }

  /** The elements around a part of a domain, as if they had been there. */
  #startInside([tag, isDevice]: RegExpExecArray): void {
    this.#isPart = true;
    this.#taker = new LibvirtDomain(undefined, this.#line);
    this.#path = ['domain', ...(isDevice === undefined ? [] : ['devices']), ...(/^<type/.test(tag) ? ['os'] : [])];
  }

  /** A `domain` inside of one is the next one: the first was cut. In a node device it is a part of its address. */
  #isNewDocument(tag: string): boolean {
    return this.#path[0] === 'domain' && /domain$/.test(tag) && !this.#path.includes('metadata');
  }

  /** Takes a line, and those below it that a tag goes on in. Returns their number. */
  #feed(text: string, line: DumpLine, ahead: Lookahead): number {
    this.#tokens?.push(`${text}\n`);
    let lines = 1;
    for (; lines <= LOOKAHEAD && this.#tokens?.isInTag === true; lines++) {
      const next = ahead(lines);
      if (!next || next.prompt || next.index !== line.index + lines) break;
      this.#tokens.push(`${next.text}\n`);
    }
    return lines;
  }

  #open(name: string, attributes: ReadonlyMap<string, string>): void {
    const local = name.startsWith('qemu:') ? name : name.replace(/^[^:]*:/, '');
    this.#text = '';
    if (this.#path.length >= DEPTH_MAX) return;
    this.#path.push(local);
    if (this.#path.length === 1) {
      this.#taker =
        local === 'domain' ? new LibvirtDomain(attributes.get('type'), this.#line) : new NodeDevice(this.#line);
      if (this.#sawDoctype) this.#taker.doctype();
      this.#sawDoctype = false;
    } else this.#taker?.open(this.#path.slice(1).join('/'), attributes);
  }

  #close(name: string): void {
    const local = name.startsWith('qemu:') ? name : name.replace(/^[^:]*:/, '');
    const at = this.#path.lastIndexOf(local);
    if (at < 0) return;
    if (at === this.#path.length - 1 && this.#text.trim() !== '') {
      this.#taker?.text(this.#path.slice(1).join('/'), this.#text);
    }
    this.#text = '';
    this.#path.length = at;
    if (at === 0) this.#end(true);
  }

  #end(isWhole: boolean): void {
    const taker = this.#taker;
    this.#taker = undefined;
    this.#tokens = undefined;
    this.#path = [];
    this.#text = '';
    taker?.finish(this.#sink, isWhole && !this.#isPart);
    this.#isPart = false;
  }
}

export const LIBVIRT_XML: LineParser = {
  open: (_source: DumpSource, sink) => new LibvirtXmlReader(sink),
};
