import { expect, test } from 'vitest';
import { diagnosticsOf, openText } from '../../testing/read.ts';

test.each([
  ['[ 81.2] vfio_pin_pages_remote: RLIMIT_MEMLOCK (65536) exceeded', 'error memlock-limit 1', / 65536 bytes/],
  ['[ 90.1] dmar_fault: 57 callbacks suppressed', 'warning faults-suppressed 1', /^57 messages/],
  ['amd_iommu_report_page_fault: 6 callbacks suppressed', 'warning faults-suppressed 1', /^6 messages/],
  ['vfio_pin_pages_remote:\nRLIMIT_MEMLOCK (8388608) exceeded', 'error memlock-limit 1', / 8388608 bytes/],
  [
    '[ 81.2] vfio_iommu_type1_attach_group: No interrupt remapping support.  Use the module param "allow_unsafe_interrupts" to enable VFIO IOMMU support on this platform',
    'error no-interrupt-remapping 1',
    /no interrupt remapping/,
  ],
  [
    "[ 81.2] vfio-pci 0000:65:00.0: BAR 1: can't reserve [mem 0xe0000000-0xefffffff 64bit pref]",
    'warning bar-not-reserved 1',
    /BAR 1 of 0000:65:00\.0, 0xe0000000-0xefffffff,/,
  ],
])('%s', async (line, expected, words) => {
  const opened = await openText(`${line}\n`);
  expect(diagnosticsOf(opened)).toEqual([expected]);
  const diagnostics = opened.facts.filter((fact) => fact.kind === 'diagnostic');
  expect(diagnostics.map((fact) => fact.message)).toEqual([expect.stringMatching(words)]);
  expect(opened.sources[0]?.unrecognized).toBe(0);
});

test('other lines of VFIO are left alone', async () => {
  const opened = await openText(
    '[ 1.0] VFIO - User Level meta-driver version: 0.3\nvfio-pci 0000:65:00.0: enabling device\n',
  );
  expect(diagnosticsOf(opened)).toEqual(['error nothing-recognized -']);
  expect(opened.sources[0]?.unrecognized).toBe(2);
});
