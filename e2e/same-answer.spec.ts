// The page and `check` give one answer for the same files.
import { readdirSync } from 'node:fs';
import { check } from '../src/lib/check.ts';
import { readDumps } from '../src/lib/read-dumps.ts';
import { expect, sampleFiles, test } from './page.ts';

const SAMPLES = 'public/samples';
const ERROR =
  'qemu-system-aarch64: -device vfio-pci,host=0000:00:02.0: vfio 0000:00:02.0: failed to setup container for group 2: memory listener initialization failed: Region mach-virt.ram: vfio_dma_map(0x55d0, 0x40000000, 0x100000000, 0x7f12) = -22 (Invalid argument)\n';
const FAULT =
  '[  140.506400] pci 0000:a1:00.0: AMD-Vi: Event logged [IO_PAGE_FAULT domain=0x0011 address=0xfd410000 flags=0x0000]\n';

interface Given {
  readonly name: string;
  readonly data: string;
}

const CASES: Readonly<Record<string, readonly Given[]>> = {
  ...Object.fromEntries(readdirSync(SAMPLES).map((sample) => [sample, sampleFiles(sample)])),
  'a sample with a failing request': [...sampleFiles('x86-vtd-39bit-rmrr'), { name: 'error.txt', data: ERROR }],
  'a fault alone': [{ name: 'dmesg.txt', data: FAULT }],
};

test('the answer of the page is that of check, without a guest and with one', async ({ app }) => {
  for (const [name, files] of Object.entries(CASES)) {
    for (const guest of [undefined, 'q35:8G', 'virt:6G']) {
      await test.step(`${name}, ${guest ?? 'no guest'}`, async () => {
        await app.evaluate(
          async ({ given, tried }) => {
            const api = window.iovascope;
            await api?.reset();
            await api?.open(given);
            await api?.setGuest(tried ?? null);
          },
          { given: [...files], tried: guest },
        );
        const shown = await app.evaluate(() => window.iovascope?.answer());
        const dumps = await readDumps(files.map(({ name: file, data }) => ({ name: file, data })));
        const { answer } = await check(dumps, guest === undefined ? {} : { guest });
        expect(shown?.text).toBe(answer.text);
        expect(shown?.severity).toBe(answer.severity);
        await expect(app.getByTestId('answer')).toContainText(answer.text);
      });
    }
  }
});
