import { expect, test } from 'vitest';
import { diagnosticsOf, faultsOf, openText } from '../../testing/read.ts';

test("Tegra's memory controller: an IOVA only where the SMMU is named", async () => {
  const opened = await openText(
    [
      'tegra-mc 70019000.memory-controller: host1xdmar: read @0xff000000: EMEM address decode error (SMMU translation error [R-S])',
      'tegra-mc 2c00000.memory-controller: gpcsrd: read @0x00000003ffb7f000: EMEM address decode error (EMEM decode error)',
      'tegra-mc 2c00000.memory-controller: pcie5w: secure write @0x00000003ffffff00: VPR violation ((null))',
    ].join('\n'),
  );
  expect(faultsOf(opened)).toEqual(['host1xdmar read ff000000 (SMMU translation error)']);
  expect(diagnosticsOf(opened)).toEqual(['warning memory-controller-error 2', 'warning memory-controller-error 3']);
  const messages = opened.facts.flatMap((fact) => (fact.kind === 'diagnostic' ? [fact.message] : []));
  expect(messages[0]).toContain('a read of gpcsrd at 0x3ffb7f000 (EMEM address decode error)');
});
