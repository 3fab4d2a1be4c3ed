import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { createModel } from '../../kernel/models.ts';
import { replay } from '../../kernel/replay/replay.ts';
import type { SessionEvent } from '../events.ts';
import { readSession } from '../read.ts';
import { FACTS, OPERATIONS } from '../schema.ts';
import { newSession, type Session } from '../session.ts';
import { writeSession } from '../write.ts';
import { redactSession } from './redact.ts';

const FIXTURES = new URL('../../kernel/fixtures/', import.meta.url);
const DUMPS = new URL('../../dumps/fixtures/', import.meta.url);
const SECRET = 'tellNobody-7Q';

interface Schema {
  readonly type: string;
  readonly entries?: Readonly<Record<string, Schema>>;
  readonly wrapped?: Schema;
  readonly item?: Schema;
  readonly value?: Schema;
  readonly options?: readonly unknown[];
  readonly literal?: unknown;
  readonly pipe?: readonly Schema[];
}

/** A value of any shape that the schema may hold, with the secret in every text. */
function filled(schema: Schema): unknown {
  if (schema.type === 'optional') return schema.wrapped && filled(schema.wrapped);
  if (schema.type === 'literal') return schema.literal;
  if (schema.type === 'array') return schema.item && [filled(schema.item)];
  if (schema.type === 'record') return { [SECRET]: SECRET, highmem: SECRET };
  if (schema.entries) {
    const entries = Object.entries(schema.entries).map(([field, entry]) => [field, filled(entry)]);
    return { ...Object.fromEntries(entries), [`extra_${SECRET}`]: SECRET, serial: SECRET };
  }
  return SECRET;
}

const everything: SessionEvent[] = [
  ...Object.values(FACTS as unknown as Readonly<Record<string, Schema>>),
  ...Object.values(OPERATIONS as unknown as Readonly<Record<string, Schema>>),
].map((schema) => filled(schema) as SessionEvent);

const redactText = (text: string, options = {}) => {
  const { session, problems } = readSession(text);
  expect(problems).toEqual([]);
  const redacted = redactSession(session, options);
  return { ...redacted, text: writeSession(redacted.session) };
};

describe('redaction', () => {
  test('lets no text through that a field should not hold, whatever the kind', () => {
    expect(JSON.stringify(everything, (_, v) => (typeof v === 'bigint' ? String(v) : v))).toContain(SECRET);
    const header = { ...newSession().header, title: SECRET, source: SECRET, kernel: `6.1-${SECRET}`, model: SECRET };
    const session: Session = {
      ...newSession(),
      header: { ...header, author: SECRET },
      events: [...everything, { unknown: 'kind', name: SECRET }, { unknown: 'line', name: SECRET }],
    };
    for (const pciAddresses of [false, true]) {
      const redacted = redactSession(session, { pciAddresses });
      expect(writeSession(redacted.session)).not.toContain(SECRET);
      // The table is for the person whose secrets they are.
      expect(redacted.replacements.length).toBeGreaterThan(50);
    }
  });

  test('keeps what a report is about, and names the rest the same everywhere', () => {
    const { text, replacements } = redactText(`{"format":"iova-trace","version":1,"title":"at work"}
{"kind":"host","name":"mail.example.org","kernel":"6.1.0-18-acme","arch":"x86_64","source":"/home/me/dmesg.txt","line":1}
{"kind":"reserved","start":"0xfee00000","last":"0xfeefffff","type":"msi","group":"7","device":"0000:06:00.0","source":"/home/me/dmesg.txt","line":2}
{"kind":"device","device":"0000:06:00.0","name":"Prototype of Acme","ids":"10de:2484","driver":"acme_gpu","group":"7"}
{"kind":"window","start":"0x0","last":"0xfff","name":"System RAM","depth":0,"type":"ram"}
{"kind":"window","start":"0x1000","last":"0x1fff","name":"acme board","depth":0,"type":"mmio"}
{"kind":"fault","address":"0x1000","device":"0000:06:00.1","reason":"PTE Read access is not set"}
{"kind":"fault","address":"0x2000","device":"acme0","reason":"caused by Jo"}
{"kind":"request","op":"map","api":"vfio","start":"0x0","last":"0xfff","vaddr":"0x7f1234567000","result":"-EINVAL","name":"pc.ram"}
{"kind":"diagnostic","severity":"warning","code":"log-lines-suppressed","message":"by mail.example.org"}
`);
    expect(text).toBe(`{"format":"iova-trace","version":1}
{"kind":"host","name":"host-1","kernel":"6.1.0","arch":"x86_64","source":"file-1","line":1}
{"kind":"reserved","start":"0xfee00000","last":"0xfeefffff","type":"msi","group":"7","device":"0000:06:00.0","source":"file-1","line":2}
{"kind":"device","device":"0000:06:00.0","ids":"10de:2484","driver":"driver-1","group":"7"}
{"kind":"window","start":"0x0","last":"0xfff","name":"System RAM","depth":0,"type":"ram"}
{"kind":"window","start":"0x1000","last":"0x1fff","name":"region-1","depth":0,"type":"mmio"}
{"kind":"fault","address":"0x1000","device":"0000:06:00.1","reason":"PTE Read access is not set"}
{"kind":"fault","address":"0x2000","device":"device-1","reason":"(removed)"}
{"kind":"request","start":"0x0","last":"0xfff","op":"map","api":"vfio","vaddr":"0x7f0034567000","result":"-EINVAL","name":"pc.ram"}
{"kind":"diagnostic","severity":"warning","code":"log-lines-suppressed","message":"(removed)"}
`);
    expect(replacements).toContainEqual({
      field: 'host.name',
      value: 'mail.example.org',
      replacement: 'host-1',
      count: 1,
    });
    expect(replacements.filter(({ value }) => value === '/home/me/dmesg.txt')).toEqual([
      { field: 'host.source', value: '/home/me/dmesg.txt', replacement: 'file-1', count: 1 },
      { field: 'reserved.source', value: '/home/me/dmesg.txt', replacement: 'file-1', count: 1 },
    ]);
    expect(replacements).toContainEqual({
      field: 'device.name',
      value: 'Prototype of Acme',
      replacement: '',
      count: 1,
    });
  });

  test('renames PCI addresses if asked: functions of one device stay together', () => {
    const { text } = redactText(
      `{"format":"iova-trace","version":1}
{"kind":"group","group":"7","devices":["0000:06:00.0","0000:06:00.1","0000:07:00.0"]}
{"kind":"ineligible","device":"0000:06:00.1","reason":"not attached"}
`,
      { pciAddresses: true },
    );
    expect(text).toContain('"devices":["0000:80:01.0","0000:80:01.1","0000:80:02.0"]');
    expect(text).toContain('"device":"0000:80:01.1"');
  });

  test('stream ids lead to addresses: they stay only while those do', () => {
    const given = `{"format":"iova-trace","version":1}
{"kind":"host","stream_ids":[[0,0,65536,65536]]}
{"kind":"reserved","start":"0x0","last":"0xfff","type":"direct","stream":77}
`;
    expect(redactText(given).text).toContain('"stream_ids":[[0,0,65536,65536]]');
    expect(redactText(given).text).toContain('"stream":77');
    expect(redactText(given, { pciAddresses: true }).text).not.toContain('stream');
  });

  test('the addresses and numbers of every dump stay', () => {
    const names = readdirSync(DUMPS, { recursive: true, encoding: 'utf8' }).filter((name) =>
      name.endsWith('.facts.jsonl'),
    );
    const dropped = new Set<string>();
    for (const name of names) {
      const { session } = readSession(readFileSync(new URL(name, DUMPS), 'utf8'));
      const kept = redactSession(session).session.events.slice();
      for (const [i, event] of session.events.entries()) {
        for (const [field, value] of Object.entries(event)) {
          if (typeof value === 'string' || (kept[i] && field in kept[i])) continue;
          dropped.add(field);
        }
      }
    }
    expect(names.length).toBeGreaterThan(20);
    // The number of a process says nothing about addresses.
    expect([...dropped].filter((field) => field !== 'pid')).toEqual([]);
  });

  test('is stable: redacting again changes nothing', () => {
    const once = redactText(readFileSync(new URL('type1-vtd39-22.jsonl', FIXTURES), 'utf8'));
    expect(redactSession(once.session).session.events).toEqual(once.session.events);
  });

  test.each(readdirSync(FIXTURES))('%s: the models answer the same after it', (name) => {
    const { session } = readSession(readFileSync(new URL(name, FIXTURES), 'utf8'));
    const redacted = redactSession(session).session;
    expect(readSession(writeSession(redacted)).problems).toEqual([]);
    const made = createModel(redacted.header);
    if (!made.ok) throw new Error(made.message);
    const steps = [...replay(redacted, made.model)];
    expect(steps.filter(({ mismatch }) => mismatch)).toEqual([]);
    expect(steps.length).toBeGreaterThan(0);
  });
});
