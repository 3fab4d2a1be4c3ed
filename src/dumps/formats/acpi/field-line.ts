// One field of a table that iasl disassembled: [place] name ":" value
import type { DumpLine, Lookahead } from '../../format.ts';
import { continuation } from '../../text/wrapped.ts';

/** Where the field is in the table. */
const PLACE = '\\[(?:[0-9A-Fa-f]{3,6}h {1,2}\\d{1,7} {1,6}[0-9A-Fa-f]{1,5}h?|\\d{4})\\]';
const FIELD = new RegExp(`^\\s{0,60}(?:(${PLACE})\\s{0,60})?([A-Za-z][\\w ()/.-]{0,46}?) ?: ?(.{0,400})$`);
/** Names of fields. Without a place, a line with any other name is text that happens to have a colon. */
const NAMES = new Set(
  [
    'Signature|Table Length|Revision|Checksum|Oem ID|Oem Table ID|Oem Revision|Asl Compiler ID|Asl Compiler Revision',
    'Host Address Width|Flags|Flags (decoded below)|Reserved|Length|Subtable Type|PCI Segment Number|Size|DeviceID Valid',
    'Register Base Address|Device Scope Type|Device Scope Entry Type|Entry Length|Enumeration ID|PCI Bus Number|PCI Path',
    'Base Address|End Address (limit)|Proximity Domain|Device Number|Device Name|Size (decoded below)|DeviceId',
    'Virtualization Info|Capability Offset|PCI Segment Group|Attributes|EFR Image|Feature Reporting|Entry Type|Device ID',
    'Data Setting|Data Setting (decoded below)|Extended Data|Source Used Device ID|Handle|Variety|Auxiliary Data',
    'Start Address|Memory Length|Unity|Readable|Writeable|Exclusion Range|HtTunEn|PassPW|ResPassPW|Isoc Control',
    'Iotlb Support|Coherent|Prefetch Support|PPR Support|INITPass|EIntPass|NMIPass|System MGMT|LINT0 Pass|LINT1 Pass',
    'Node Count|Node Offset|Type|Identifier|Mapping Count|Mapping Offset|Number of RMR Descriptors|RMR Descriptor Offset',
    'Remapping Permitted|Access Privileged|Access Attributes|Base Address of RMR|Length of RMR|Input base|ID Count',
    'Output Base|Output Reference|Single Mapping|COHACC Override|HTTU Override|Proximity Domain Valid|VATOS Address',
    'Model|Event GSIV|PRI GSIV|GERR GSIV|Sync GSIV|Device ID Mapping Index|Span|ItsCount|Identifiers|Memory Properties',
    'Cache Coherency|Hints|Memory Flags|ATS Attribute|PCI Segment|Memory Size Limit|IOMMU Info|HID|CID|UID Format',
  ].flatMap((names) => names.split('|')),
);

export interface Field {
  readonly name: string;
  readonly value: string;
  readonly placed: boolean;
  /** Its length in bytes, if the place has it: twice as many hexadecimal digits are printed. */
  readonly bytes?: number | undefined;
}

const LENGTH = /\s([0-9A-Fa-f]{1,5})h?\]$/;
/** Digits that iasl prints for a field: of one, two, four and eight bytes. */
const WIDTHS: readonly number[] = [2, 4, 8, 16];
const DIGITS = /^[0-9a-f]{1,15}$/i;

/** What a mail program moved to the next line: the value, or the words after it. */
const REST_OF_VALUE = /^(?:[0-9a-f]{1,64}|[0-9a-f]{2},[0-9a-f]{1,2})(?=\s|$)/i;
const REST_OF_WORDS = /^[^[\]:]{0,60}\]$/;

/** The field of a line, with its value or the words after it from the next line if a mail program moved them. */
export function wholeField(
  line: DumpLine,
  ahead: Lookahead,
): { readonly field: Field; readonly lines: number } | undefined {
  const field = fieldOf(line.text);
  if (!field) return undefined;
  const digits = restOfDigits(field, continuation(line, ahead)?.text.trim());
  if (digits !== undefined) return { field: { ...field, value: field.value + digits }, lines: 2 };
  const open = field.value.includes('[') && !field.value.includes(']');
  const rest = field.value === '' || open ? continuation(line, ahead)?.text.trim() : undefined;
  if (rest === undefined || !(open ? REST_OF_WORDS : REST_OF_VALUE).test(rest)) return { field, lines: 1 };
  return { field: { ...field, value: `${field.value} ${rest}`.trim() }, lines: 2 };
}

/** The digits on the next line, if a mail program broke the field's number there. */
function restOfDigits({ value, bytes }: Field, next: string | undefined): string | undefined {
  if (next === undefined || !DIGITS.test(next) || !DIGITS.test(value)) return undefined;
  const width = value.length + next.length;
  return (bytes === undefined ? WIDTHS.includes(width) : width === 2 * bytes) ? next : undefined;
}

/** False for text that happens to have a colon. */
export function isKnown({ placed, name }: Field): boolean {
  return placed || NAMES.has(name);
}

export function fieldOf(text: string): Field | undefined {
  const [, place, name, value] = FIELD.exec(text) ?? [];
  if (name === undefined || value === undefined) return undefined;
  const length = LENGTH.exec(place ?? '')?.[1];
  const bytes = length === undefined ? undefined : Number.parseInt(length, 16);
  return { name, value, placed: place !== undefined, bytes };
}
