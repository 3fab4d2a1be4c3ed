// Every word of every kind of dump in turn is a secret: a name, a MAC address, a UUID, a path. None is in what is left
// of it after redaction.
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { zipSync } from 'fflate';
import { packTar } from 'modern-tar';
import { describe, expect, test } from 'vitest';
import { inputOf, openAll } from '../../dumps/testing/read.ts';
import { newSession } from '../../session/session.ts';
import { linkFragment } from '../../session/sharing/link.ts';
import { pageWithSession, svgWithSession } from '../../session/sharing/markup.ts';
import { pngWithSession } from '../../session/sharing/png.ts';
import { redactSession } from '../../session/sharing/redact.ts';
import { writeSession } from '../../session/write.ts';

const ROOT = fileURLToPath(new URL('../../dumps/fixtures/', import.meta.url));
const FILES = readdirSync(ROOT, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.includes('/') && !name.endsWith('.facts.jsonl'))
  .sort();
const isBinary = (name: string) => readFileSync(`${ROOT}${name}`).includes(0);
const FIXTURES = FILES.filter((name) => !isBinary(name));
const SECRETS = [
  'tellNobody7Q',
  '52:54:00:5e:c2:e7',
  'deadbeef-0bad-4bad-8bad-c0ffee5ec2e7',
  '/srv/tellNobody7Q/disk.img',
];
const MARKS = /tellNobody|52:54:00:5e:c2:e7|c0ffee5ec2e7/;
/** Each word of a line is a secret in one variant, so that the others still tell what the line is. */
const VARIANTS = 6;
/** Kinds of dumps in which no word becomes part of a fact: they have numbers and fixed terms only. */
const NUMBERS_ONLY = 12;

function withSecrets(text: string, variant: number): string {
  return text
    .split('\n')
    .map((line, row) => {
      let word = row;
      return line.replace(/[A-Za-z][\w.-]{2,}/g, (found) =>
        ++word % VARIANTS === variant ? (SECRETS[(word + row) % SECRETS.length] ?? found) : found,
      );
    })
    .join('\n');
}

const carrying = new Set<string>();

describe.each(FIXTURES)('%s', (fixture) => {
  test('keeps no word that was not known', async () => {
    const text = readFileSync(`${ROOT}${fixture}`, 'utf8');
    const name = fixture.split('/').at(-1) ?? '';
    for (let variant = 0; variant < VARIANTS; variant++) {
      const { facts } = await openAll([inputOf(name, new TextEncoder().encode(withSecrets(text, variant)))]);
      const session = { ...newSession(), events: [...facts] };
      if (MARKS.test(writeSession(session))) carrying.add(fixture.replace(/\/.*/, ''));
      expect(writeSession(redactSession(session).session)).not.toMatch(MARKS);
    }
  });
});

test('a journal in JSON keeps none of its fields about the machine', async () => {
  const entry = (message: string) =>
    JSON.stringify({
      ...{
        __REALTIME_TIMESTAMP: '1700000000000000',
        _TRANSPORT: 'kernel',
        SYSLOG_IDENTIFIER: 'kernel',
        MESSAGE: message,
      },
      ...{ _HOSTNAME: SECRETS[0], _MACHINE_ID: SECRETS[2], _CMDLINE: SECRETS[3], _COMM: SECRETS[0], _EXE: SECRETS[3] },
    });
  const text = [
    'DMAR: Host address width 39',
    `vfio-pci 0000:06:00.0: Firmware has requested this device have a 1:1 IOMMU mapping ${SECRETS[1]}`,
    'DMAR: [DMA Read NO_PASID] Request device [06:00.0] fault addr 0xfee00000 [fault reason 0x06] PTE Read access is not set',
  ].map(entry);
  const { facts } = await openAll([inputOf(`${SECRETS[0]}.json`, new TextEncoder().encode(`${text.join('\n')}\n`))]);
  expect(facts.map(({ kind }) => kind)).toEqual(expect.arrayContaining(['host', 'fault']));
  const session = { ...newSession(), events: [...facts] };
  expect(writeSession(session)).toMatch(MARKS);
  expect(writeSession(redactSession(session).session)).not.toMatch(MARKS);
});

test('the secrets were in the facts of most kinds of dumps', () => {
  const kinds = new Set(FIXTURES.map((fixture) => fixture.replace(/\/.*/, '')));
  const without = [...kinds].filter((kind) => !carrying.has(kind));
  expect(without.length, without.join(', ')).toBeLessThanOrEqual(NUMBERS_ONLY);
  for (const kind of ['libvirt-xml', 'proxmox', 'kubevirt', 'guest-command-line']) expect(carrying).toContain(kind);
});

/** The facts of an input, and what is left of them. */
async function redacted(name: string, bytes: Uint8Array): Promise<{ readonly plain: string; readonly left: string }> {
  const { events } = await openAll([inputOf(name, bytes)]);
  const session = { ...newSession(), events: [...events] };
  return { plain: writeSession(session), left: writeSession(redactSession(session).session) };
}

describe('firmware tables', () => {
  const tables = FILES.filter(isBinary);
  expect(tables.length).toBeGreaterThan(2);

  /** Bytes 10 to 31 of a table are the names of its makers (ACPI 6.5, section 5.2.6); byte 9 makes the sum zero. */
  const withMaker = (bytes: Uint8Array) => {
    const made = Uint8Array.from(bytes);
    made.set(new TextEncoder().encode('tellNobody7Qxxxx'), 10);
    made.set(new TextEncoder().encode('tell'), 28);
    made[9] = ((made[9] ?? 0) - made.reduce((sum, byte) => sum + byte, 0)) & 0xff;
    return made;
  };

  test.each(tables)('%s: neither its maker nor its file', async (fixture) => {
    const bytes = withMaker(readFileSync(`${ROOT}${fixture}`));
    const { plain, left } = await redacted(`home/tellNobody7Q/${fixture.split('/').at(-1)}`, bytes);
    expect(plain.split('\n').length).toBeGreaterThan(2);
    expect(plain).toMatch(MARKS);
    expect(left).not.toMatch(/tell/i);
  });
});

describe('what a file is packed in', () => {
  const log = 'DMAR: Host address width 39\nDMAR: RMRR base: 0x0000003f000000 end: 0x0000003f7fffff\n';
  const member = 'tellNobody7Q/var/tellNobody7Q.log';
  const text = new TextEncoder().encode(log);
  const session = [
    '{"format":"iova-trace","version":1,"title":"tellNobody7Q"}',
    '{"kind":"host","name":"tellNobody7Q"}',
    '{"kind":"note","text":"for tellNobody7Q"}',
    '{"kind":"reserved","start":"0x0","last":"0xfff","type":"msi","source":"/srv/tellNobody7Q/disk.img","line":1}',
    '',
  ].join('\n');
  const pixel = Buffer.from(
    'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNoAAAAggCBd81ytgAAAABJRU5ErkJggg==',
    'base64',
  );
  const tar = () => packTar([{ header: { name: member, size: text.length, type: 'file' }, body: text }]);
  const inputs: Readonly<Record<string, () => Promise<Uint8Array> | Uint8Array>> = {
    'tellNobody7Q.zip': () => zipSync({ [member]: text }),
    'tellNobody7Q.tar': tar,
    'tellNobody7Q.tar.gz': async () => gzipSync(await tar()),
    'tellNobody7Q.log.gz': () => gzipSync(text),
    'tellNobody7Q.png': () => pngWithSession(pixel, session),
    'tellNobody7Q.svg': () =>
      new TextEncoder().encode(svgWithSession('<svg xmlns="http://www.w3.org/2000/svg"></svg>', session)),
    'tellNobody7Q.html': () =>
      new TextEncoder().encode(pageWithSession('<!doctype html><html><body></body></html>', session, 'guest=q35:8G')),
    'tellNobody7Q.link.txt': () =>
      new TextEncoder().encode(`https://example.org/#${linkFragment({ kind: 'session', text: session })}\n`),
  };

  test.each(Object.entries(inputs))('%s: neither its name nor what is in it', async (name, bytes) => {
    const { plain, left } = await redacted(name, await bytes());
    expect(plain).toContain('"kind":"reserved"');
    expect(plain).toMatch(MARKS);
    expect(left).toContain('"kind":"reserved"');
    expect(left).not.toMatch(/tell/i);
  });
});
