// The layouts that QEMU 7.2 reported of its own stopped machines (fixtures/README.md).
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { hex } from '../../iova/format.ts';
import { range } from '../../iova/range.ts';
import { rangeSet, subtract } from '../../iova/range-set.ts';
import { layoutOf } from './guest-memory.ts';
import { parseGuestText } from './guest-text.ts';
import { isGuestMemory } from './layout.ts';

interface Recorded {
  readonly machine: string;
  readonly ram: string;
  readonly cpu: string;
  readonly ranges?: readonly (readonly [string, string])[];
  readonly error?: string;
}

const ROWS: readonly Recorded[] = readFileSync(new URL('fixtures/qemu-7.2-layouts.jsonl', import.meta.url), 'utf8')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line));

/** Firmware's copy below 1 MiB is ROM until firmware has run: the recordings leave it out. */
const FIRMWARE = [range(0xc_0000n, 0xf_ffffn)];

/** The machine as recorded: emulated, without a VGA adapter, by QEMU 7.2. */
function described({ machine, ram, cpu }: Recorded) {
  const arch = machine.startsWith('virt') ? 'aarch64' : 'x86_64';
  const [model = '', ...properties] = cpu.split(',');
  const parsed = parseGuestText(
    [`${machine}:${ram}`, `cpu=${model}`, ...properties, 'accel=tcg', 'version=7.2', `arch=${arch}`, 'vga=none'].join(
      ',',
    ),
  );
  if (!parsed.ok) throw new Error(parsed.message);
  return parsed.definition;
}

describe('the layout of a recorded machine', () => {
  test.each(ROWS.map((row) => [row.machine, row.cpu, row.ram, row] as const))('%s, -cpu %s, %s', (_m, _c, _r, row) => {
    const result = layoutOf(described(row));
    if (!result.ok) throw new Error(result.message);
    const { memory } = result;
    if (row.error !== undefined) {
      expect(memory.refusal).toMatch(/address bits .*32/);
      return;
    }
    expect(memory.refusal).toBeUndefined();
    const ram = rangeSet(memory.ranges.filter(({ type, name }) => isGuestMemory(type) && name !== 'pc.bios'));
    expect(subtract(ram, FIRMWARE).map(({ start, last }) => [hex(start), hex(last)])).toEqual(row.ranges);
  });

  test('there are 133', () => {
    expect(ROWS.length).toBe(133);
    expect(ROWS.filter(({ error }) => error !== undefined).length).toBe(4);
  });
});
