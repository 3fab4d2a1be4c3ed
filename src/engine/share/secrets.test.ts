// Every word of every kind of dump in turn is a secret: a name, a MAC address, a UUID, a path. None is in what is left
// of it after redaction.
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { inputOf, openAll } from '../../dumps/testing/read.ts';
import { newSession } from '../../session/session.ts';
import { redactSession } from '../../session/sharing/redact.ts';
import { writeSession } from '../../session/write.ts';

const ROOT = fileURLToPath(new URL('../../dumps/fixtures/', import.meta.url));
const FIXTURES = readdirSync(ROOT, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.includes('/') && !name.endsWith('.facts.jsonl'))
  .filter((name) => !readFileSync(`${ROOT}${name}`).includes(0))
  .sort();
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
