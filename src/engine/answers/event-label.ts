// Readable labels for events: "map 8 KiB at 0x6000 rw". A label has every field except source, time and expected answer, which
// have columns of their own.
import { formatExactSize, formatRange, groupedHex } from '../../iova/format.ts';
import { isIova } from '../../iova/iova.ts';
import {
  type Fact,
  isFact,
  isOperation,
  type Operation,
  type ReservedRegion,
  type SessionEvent,
} from '../../session/events.ts';

/** Maximum number of list entries in a label. */
const LISTED_MAX = 6;
/** Maximum length of a single value, in characters. */
const VALUE_MAX = 400;

/** Fields with columns of their own. */
const LEFT_OUT: ReadonlySet<string> = new Set(['source', 'line', 'expect', 'time', 'kind', 'op']);
const FIELD_NAMES: Readonly<Record<string, string>> = {
  user_va: 'user address',
  vaddr: 'user address',
  paddr: 'physical address',
};
/** Fields that count bytes. */
const BYTE_COUNTS: ReadonlySet<string> = new Set(['length', 'size', 'ram', 'max_ram', 'unmapped', 'file_size']);

const NOUNS: Readonly<Record<string, string>> = {
  ioas: 'IOAS',
  dst: 'IOAS',
  src: 'IOAS',
  hwpt: 'page table',
  container: 'container',
  access: 'access',
  group: 'group',
  device: 'device',
  domain: 'domain',
};

const NOUN_ENTRIES = Object.entries(NOUNS);

/** What an event is called in filters: the operation, or the kind of the fact. */
export function eventName(event: SessionEvent): string {
  if (isFact(event)) return event.kind;
  return isOperation(event) ? event.op : 'unknown';
}

/** The objects of an event, the one that it acts on first, such as `IOAS a` and `device nic`. */
export function eventObjects(event: SessionEvent): string[] {
  if (!isFact(event) && !isOperation(event)) return [];
  const fields: Readonly<Record<string, unknown>> = event;
  const names: string[] = [];
  for (const [field, noun] of NOUN_ENTRIES) {
    // A fault's `access` is how it accessed the memory.
    if (field === 'access' && isFact(event)) continue;
    const value = fields[field];
    if (typeof value !== 'string' || value === '') continue;
    const name = `${noun} ${value}`;
    if (!names.includes(name)) names.push(name);
  }
  return names;
}

/** The time of an event in seconds, if it has one. */
export function eventTime(event: SessionEvent): number | undefined {
  return 'time' in event && typeof event.time === 'number' ? event.time : undefined;
}

function size(bytes: bigint): string {
  return formatExactSize(bytes);
}

function isBounds(value: unknown): value is readonly [bigint, bigint] {
  return Array.isArray(value) && value.length === 2 && value.every((bound) => typeof bound === 'bigint');
}

function listed(values: readonly unknown[], separator: string): string {
  const more = values.length - LISTED_MAX;
  const shown = values.slice(0, LISTED_MAX).map((value) => valueText('', value));
  return shown.length === 0 ? 'none' : shown.join(separator) + (more > 0 ? ` and ${more} more` : '');
}

function valueText(field: string, value: unknown): string {
  if (typeof value === 'bigint') return BYTE_COUNTS.has(field) ? size(value) : groupedHex(value);
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  if (isBounds(value)) return rangeText(value[0], value[1]);
  if (Array.isArray(value)) return listed(value, value.some(isBounds) ? ', ' : ' ');
  if (typeof value === 'object' && value !== null) return `(${fieldTexts(value, () => false).join(', ')})`;
  const text = String(value);
  return text.length > VALUE_MAX ? `${text.slice(0, VALUE_MAX)}…` : text;
}

/** `name value` for each field that is not left out; `start` and `last` as one range. */
function fieldTexts(fields: object, isLeftOut: (field: string) => boolean): string[] {
  const { start, last }: { start?: unknown; last?: unknown } = fields;
  const hasRange = typeof start === 'bigint' && typeof last === 'bigint';
  const texts: string[] = [];
  for (const [field, value] of Object.entries(fields)) {
    if (value === undefined || isLeftOut(field) || (hasRange && field === 'last')) continue;
    if (hasRange && field === 'start') texts.push(rangeText(start, last));
    else texts.push(`${FIELD_NAMES[field] ?? field.replaceAll('_', ' ')} ${valueText(field, value)}`);
  }
  return texts;
}

function rangeText(start: bigint, last: bigint): string {
  if (!isIova(start) || !isIova(last)) return `${groupedHex(start)} – ${groupedHex(last)}`;
  return start === last ? groupedHex(start) : formatRange({ start, last });
}

function accessText(flags: readonly string[]): string {
  const letters = `${flags.includes('read') ? 'r' : ''}${flags.includes('write') ? 'w' : ''}`;
  return letters === '' ? 'without access' : letters;
}

function place(flags: readonly string[], iova: bigint | undefined): string {
  return flags.includes('fixed') || iova !== undefined ? `at ${groupedHex(iova ?? 0n)}` : 'anywhere';
}

interface DomainFields {
  readonly iommu: string;
  readonly aperture: readonly [bigint, bigint];
}

function domainText({ iommu, aperture }: DomainFields, reserved: readonly ReservedRegion[]): string {
  const regions = reserved.map(({ type, start, last }) => `${type} ${rangeText(start, last)}`);
  const aside = regions.length === 0 ? '' : `, reserved ${listed(regions, ', ')}`;
  return `${iommu}, aperture ${rangeText(...aperture)}${aside}`;
}

/** The first part of a label, and the fields of the event that it contains. */
interface Head {
  readonly text: string;
  readonly says: readonly string[];
  /** True if it only names the subject of the fields. */
  readonly isTitle?: boolean;
}

/** The operation in words; undefined if there is no wording for it here. */
function operationHead(event: Operation): Head | undefined {
  const head = (text: string, ...says: string[]): Head => ({ text, says });
  switch (event.op) {
    case 'ioas.alloc':
      return head(`create IOAS ${event.ioas}`, 'ioas');
    case 'ioas.destroy':
      return head(`destroy IOAS ${event.ioas}`, 'ioas');
    case 'ioas.map': {
      const text = `map ${size(event.length)} ${place(event.flags, event.iova)} ${accessText(event.flags)}`;
      return head(text, 'ioas', 'flags', 'length', 'iova');
    }
    case 'ioas.copy': {
      const from = `${groupedHex(event.src_iova)} of IOAS ${event.src}`;
      const to = `IOAS ${event.dst} ${place(event.flags, event.dst_iova)} ${accessText(event.flags)}`;
      const text = `copy ${size(event.length)} from ${from} to ${to}`;
      return head(text, 'src', 'dst', 'flags', 'length', 'src_iova', 'dst_iova');
    }
    case 'ioas.unmap': {
      // Linux: a length of ULONG_MAX from 0 unmaps everything.
      const isAll = event.iova === 0n && event.length >= 0xffff_ffff_ffff_ffffn;
      return head(
        isAll ? 'unmap all' : `unmap ${size(event.length)} at ${groupedHex(event.iova)}`,
        'ioas',
        'iova',
        'length',
      );
    }
    case 'ioas.iova_ranges':
      return head('query usable ranges', 'ioas');
    case 'ioas.allow_iovas':
      return head(`allow ${listed(event.ranges, ', ')}`, 'ioas', 'ranges');
    case 'ioas.reserve':
      return head(`reserve ${size(event.length)} at ${groupedHex(event.start)}`, 'ioas', 'start', 'length');
    case 'ioas.option_huge_pages':
      return head(`huge pages ${event.value === 0 ? 'off' : 'on'}`, 'ioas', 'value');
    case 'device.attach': {
      const { device, ioas, hwpt, domain, reserved } = event;
      const to = ioas !== undefined ? ` to IOAS ${ioas}` : hwpt !== undefined ? ` to page table ${hwpt}` : '';
      if (!domain) return head(`attach device ${device}${to}`, 'device', 'ioas', 'hwpt');
      const text = `attach device ${device}${to}: ${domainText(domain, reserved ?? [])}`;
      return head(text, 'device', 'ioas', 'hwpt', 'domain', 'reserved');
    }
    case 'device.replace': {
      const { device, ioas, hwpt } = event;
      const to = ioas === undefined ? `page table ${hwpt ?? ''}` : `IOAS ${ioas}`;
      return head(`move device ${device} to ${to}`, 'device', 'ioas', 'hwpt');
    }
    case 'hwpt.alloc': {
      const text = `create page table ${event.hwpt} of IOAS ${event.ioas} for device ${event.device}`;
      return head(text, 'hwpt', 'ioas', 'device', ...(event.flags.length === 0 ? ['flags'] : []));
    }
    case 'hwpt.destroy':
      return head(`destroy page table ${event.hwpt}`, 'hwpt');
    case 'ioas.map_file': {
      const what = `${size(event.length)} of file ${event.fd} from ${groupedHex(event.start)}`;
      const text = `map ${what} ${place(event.flags, event.iova)} ${accessText(event.flags)}`;
      return head(text, 'ioas', 'flags', 'fd', 'start', 'length', 'iova');
    }
    case 'device.detach':
      return head(`detach device ${event.device}`, 'device');
    case 'access.create':
      return head(`create access ${event.access} to IOAS ${event.ioas}`, 'access', 'ioas');
    case 'access.destroy':
      return head(`destroy access ${event.access}`, 'access');
    case 'access.pin': {
      const text = `pin ${size(event.length)} at ${groupedHex(event.iova)} ${event.write ? 'rw' : 'r'} as ${event.pin}`;
      return head(text, 'access', 'pin', 'iova', 'length', 'write');
    }
    case 'access.unpin':
      return head(`unpin ${event.pin}`, 'access', 'pin');
    case 'container.open':
      return head(`open container ${event.container} (${event.model})`, 'container', 'model');
    case 'container.close':
      return head(`close container ${event.container}`, 'container');
    case 'container.attach_group': {
      const { container, group, domain, reserved } = event;
      const text = `attach group ${group} to container ${container}: ${domainText(domain, reserved)}`;
      return head(text, 'container', 'group', 'domain', 'reserved');
    }
    case 'container.detach_group':
      return head(`detach group ${event.group}`, 'container', 'group');
    case 'container.map_dma': {
      const text = `map ${size(event.size)} at ${groupedHex(event.iova)} ${accessText(event.flags)}`;
      return head(text, 'container', 'flags', 'size', 'iova');
    }
    case 'container.unmap_dma': {
      if (event.flags.includes('all')) return head('unmap all', 'container', 'flags', 'iova', 'size');
      return head(`unmap ${size(event.size)} at ${groupedHex(event.iova)}`, 'container', 'flags', 'iova', 'size');
    }
    case 'container.get_info':
      return head(`query info, ${event.argsz} bytes`, 'container', 'argsz');
    case 'container.check_extension':
      return head(`check extension ${event.extension}`, 'container', 'extension');
    case 'dma.attach': {
      const { device, domain, aperture, reserved } = event;
      const text = `attach device ${device}: ${domainText({ iommu: domain, aperture }, reserved)}`;
      return head(text, 'device', 'domain', 'aperture', 'reserved');
    }
    case 'dma.map':
      return head(`map ${size(event.size)} at physical ${groupedHex(event.phys)}`, 'device', 'size', 'phys');
    case 'dma.unmap':
      return head(`unmap ${size(event.size)} at ${groupedHex(event.dma_addr)}`, 'device', 'size', 'dma_addr');
    default:
      return undefined;
  }
}

/** The field that names a fact's subject: its value follows the kind directly, without the name of the field. */
const SUBJECTS: Readonly<Record<string, string>> = {
  host: 'name',
  iommu: 'name',
  group: 'group',
  window: 'name',
  bar: 'device',
  msi_message: 'device',
  device: 'device',
  machine: 'name',
  guest: 'name',
  ineligible: 'device',
  gone: 'event',
};

function factHead(fact: Fact): Head {
  switch (fact.kind) {
    case 'map':
    case 'unmap':
      return {
        text: `${fact.kind} ${size(fact.last - fact.start + 1n)} at ${groupedHex(fact.start)}`,
        says: ['start', 'last'],
      };
    case 'request': {
      const name = fact.name === undefined ? '' : ` (${fact.name})`;
      const text = `${fact.op} ${size(fact.last - fact.start + 1n)} at ${groupedHex(fact.start)}${name}`;
      return { text, says: ['start', 'last', 'name', 'result'] };
    }
    case 'fault':
      return { text: `fault at ${groupedHex(fact.address)}`, says: ['address'] };
    case 'note':
      return { text: `note: ${fact.text}`, says: ['text'] };
    case 'diagnostic':
      return { text: `${fact.severity}: ${fact.message}`, says: ['severity', 'message'] };
    default: {
      const subject = SUBJECTS[fact.kind];
      const fields: Readonly<Record<string, unknown>> = { ...fact };
      const value = subject === undefined ? undefined : fields[subject];
      const kind = fact.kind.replaceAll('_', ' ');
      if (subject === undefined || value === undefined) return { text: kind, says: [], isTitle: true };
      return { text: `${kind} ${valueText(subject, value)}`, says: [subject] };
    }
  }
}

/**
 * The event in one line: what was done or observed, then its other fields as `name value`. Addresses are formatted as in the
 * page, sizes are exact. `leftOut`: further fields to omit.
 */
export function eventLabel(event: SessionEvent, leftOut: readonly string[] = []): string {
  if (!isFact(event) && !isOperation(event)) return `unknown event: ${event.name}`;
  const head = isFact(event) ? factHead(event) : (operationHead(event) ?? otherOperation(event));
  const { says } = head;
  const rest = fieldTexts(event, (field) => LEFT_OUT.has(field) || says.includes(field) || leftOut.includes(field));
  if (rest.length === 0) return head.text;
  return `${head.text}${head.isTitle ? ':' : ','} ${rest.join(', ')}`;
}

/** The label with the object that the event acts on, if the label does not name it: for places without an object column. */
export function eventSentence(event: SessionEvent): string {
  const label = eventLabel(event);
  const [object] = isOperation(event) ? eventObjects(event) : [];
  return object === undefined || label.includes(object) ? label : `${object}: ${label}`;
}

/** An operation without a wording of its own: its name, such as `hwpt alloc`. */
function otherOperation(event: Operation): Head {
  const { op }: { readonly op: string } = event;
  return { text: op.replaceAll(/[._]/g, ' '), says: [], isTitle: true };
}

/** An answer in one line: what the call returned, then the other fields: `0 (iova 0x1000)`. */
export function answerLabel(answer: { readonly ret?: unknown }): string {
  const fields = fieldTexts(answer, (field) => field === 'ret');
  return valueText('', answer.ret) + (fields.length > 0 ? ` (${fields.join(', ')})` : '');
}
