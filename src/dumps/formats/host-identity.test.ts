import { expect, test } from 'vitest';
import { diagnosticsOf, openText } from '../testing/read.ts';

async function hostOf(text: string) {
  const { facts } = await openText(text);
  const [fact] = facts.filter(({ kind }) => kind === 'host');
  return fact?.kind === 'host' ? { name: fact.name, kernel: fact.kernel, arch: fact.arch } : undefined;
}

test.each([
  [
    'Linux maple 6.1.0-18-amd64 #1 SMP PREEMPT_DYNAMIC Debian 6.1.76-1 (2024-02-01) x86_64 GNU/Linux',
    { name: 'maple', kernel: '6.1.0-18-amd64', arch: 'x86_64' },
  ],
  ['Linux birch 6.8.12 #1-NixOS SMP aarch64 GNU/Linux', { name: 'birch', kernel: '6.8.12', arch: 'aarch64' }],
  ['[    0.000000] Linux version 5.15.0-91-generic (buildd@x) (gcc 11)', { kernel: '5.15.0-91-generic' }],
  [' Static hostname: cedar', { name: 'cedar' }],
  ['[    3.100000] systemd[1]: Hostname set to <oak.example>.', { name: 'oak.example' }],
  ['# hostname\n\nmaple', { name: 'maple' }],
  ['$ hostname -f\nmaple.example', { name: 'maple.example' }],
  ['proxmox-ve: 8.1.0 (running kernel: 6.5.11-7-pve)', { kernel: '6.5.11-7-pve' }],
  ['pve-manager/8.1.3/b46aac3b42da5d15 (running kernel: 6.5.11-7-pve)', { kernel: '6.5.11-7-pve' }],
])('%s', async (line, host) => {
  expect(await hostOf(`${line}\n`)).toEqual({ name: undefined, kernel: undefined, arch: undefined, ...host });
});

test.each([
  'Linux is a kernel',
  'Linux version control',
  'the Static hostname: x',
  '# hostname\nlocalhost',
  '# hostname\n# uptime',
  '# hostname\nnot found: it',
  '# hostnames\nmaple',
  'memory (running kernel: 6.5.11)',
])('%s is none of these', async (line) => {
  expect(await hostOf(`${line}\n`)).toBeUndefined();
});

test.each([
  ['Linux maple 6.1... #1 SMP x86_64 GNU/Linux', { name: 'maple', arch: 'x86_64' }],
  ['Linux maple 6.1XXXXX #1 SMP x86_64 GNU/Linux', { name: 'maple', arch: 'x86_64' }],
  ['[    0.000000] Linux version 6.1xx-generic (build@host) (gcc 12)', undefined],
  ['[    0.000000] Linux version 6.12.... (build@host) (gcc 12)', undefined],
  ['proxmox-ve: 8.1.0 (running kernel: 6.5.1x)', undefined],
])('%s has no release that can be used', async (line, host) => {
  const { facts } = await openText(`${line}\n`);
  expect(facts.find(({ kind }) => kind === 'host')).toEqual(
    host && { kind: 'host', source: 'paste.txt', line: 1, ...host },
  );
  expect(diagnosticsOf({ facts })).toEqual(['warning damaged-number 1']);
});

test.each([
  ...['6.6.8-200.fc39.x86_64', '5.14.0-427.13.1.el9_4.x86_64', '6.7.0-rc1+', '6.8rc1', '6.12-rc3', '4.19.0+'],
  ...['5.10.104-tegra', '6.1.21-v8+', '2.6.32-5-xen-amd64', '6.12.0-00123-gabcdef-dirty', '6.11.0-lowlatency~x1'],
])('%s is a whole release', async (release) => {
  expect((await hostOf(`Linux version ${release} (build@host)\n`))?.kernel).toBe(release);
});
