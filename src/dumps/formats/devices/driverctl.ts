// `driverctl list-devices` and `list-overrides`: which driver each device of the host has.
//
//   line = ADDRESS " " (driver | "(none)") [" [*]"] [" (" name ")"]          [*]: an override is set; the name with -v
import { normalizePciAddress } from '../../fields/pci-address.ts';
import type { DumpLine, DumpSource, FactSink, LineParser, LineReader } from '../../format.ts';
import { deviceFact } from './device-fact.ts';

const LINE =
  /^\s{0,16}([0-9a-f]{4,8}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]) (\(none\)|[a-z][\w-]{1,40})(?: \[\*\])?(?: \((\S.{0,200})\))?$/i;
const COMMAND = /(?:^|[\s/])driverctl\b/;

class DriverctlReader implements LineReader {
  readonly #sink: FactSink;

  constructor(sink: FactSink) {
    this.#sink = sink;
  }

  line(line: DumpLine): number {
    if (line.prompt) return COMMAND.test(line.text) ? 1 : 0;
    const [, address = '', driver = '', name] = LINE.exec(line.text) ?? [];
    const device = normalizePciAddress(address);
    if (device === undefined) return 0;
    this.#sink.fact(deviceFact(device, { name, driver: driver === '(none)' ? undefined : driver }), line.number);
    return 1;
  }
}

export const DRIVERCTL: LineParser = {
  open: (_source: DumpSource, sink) => new DriverctlReader(sink),
};
