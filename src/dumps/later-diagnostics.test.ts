// A file of its own: nothing else in it loads these diagnostics.
import { expect, test } from 'vitest';
import { diagnosticRule } from './diagnostics.ts';
import { openText } from './testing/read.ts';

const SESSION = `{"format":"iova-trace","version":1}
{"kind":"diagnostic","severity":"error","code":"dpdk-no-iommu-type","message":"the host offers no IOMMU type"}
`;

test('a session file may hold diagnostics of any format: they are known when it is open', async () => {
  expect(diagnosticRule('dpdk-no-iommu-type')).toBeUndefined();
  await openText(SESSION, 'a.iova.jsonl');
  expect(diagnosticRule('dpdk-no-iommu-type')?.isComplaint).toBe(true);
});
