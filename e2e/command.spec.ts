// `iovascope open FILE…`: the files of the command line are in the page.
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test as base, expect } from '@playwright/test';
import { rowOf } from './page.ts';

const PROGRAM = new URL('../dist/cli/iovascope.js', import.meta.url).pathname;

let folder = '';
let child: ChildProcess | undefined;

base.beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'iovascope-open-'));
});
base.afterEach(() => {
  child?.kill('SIGTERM');
  rmSync(folder, { recursive: true });
});

function open(...args: string[]): Promise<string> {
  child = spawn(process.execPath, [PROGRAM, 'open', '--no-browser', ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  return new Promise((resolve, reject) => {
    child?.stdout?.once('data', (chunk) => resolve(String(chunk).trim()));
    child?.once('close', (code) => reject(new Error(`exit code ${code}`)));
  });
}

base('files and a folder, in one host, also after a reload', async ({ page }) => {
  const groups = path.join(folder, 'iommu_groups');
  mkdirSync(path.join(groups, '7/devices'), { recursive: true });
  writeFileSync(path.join(groups, '7/reserved_regions'), '0x00000000fee00000 0x00000000feefffff msi\n');
  symlinkSync('../../../../devices/pci0000:00/0000:00:02.0', path.join(groups, '7/devices/0000:00:02.0'));
  const log = path.join(folder, 'dmesg.txt');
  writeFileSync(log, '[    0.1] DMAR: Host address width 39\n');
  await page.goto(await open(groups, log));
  const check = async () => {
    await expect(page.locator('[data-drawn=true]')).toBeVisible();
    await expect(rowOf(page, 'reserved', '0xfee0_0000', '0xfeef_ffff')).toHaveCount(1);
    const tree = page.getByRole('treegrid');
    await expect(tree).toContainText('group 7');
    await expect(tree).not.toContainText('Intel host with RMRRs');
  };
  await check();
  await page.reload();
  await check();
});
