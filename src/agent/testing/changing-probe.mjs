// A probe for tests: each snapshot has another group, and twice it says by itself that the host has changed.
import { createInterface } from 'node:readline';

let n = 0;
const print = (value) => process.stdout.write(`${JSON.stringify(value)}\n`);
createInterface({ input: process.stdin })
  .on('line', (line) => {
    if (JSON.parse(line).ask !== 'snapshot') return;
    n++;
    print({ probe: 'begin', what: 'snapshot' });
    print({ kind: 'group', group: String(n), devices: [] });
    print({ probe: 'end' });
    if (n < 3) print({ probe: 'changed', what: 'uevent' });
  })
  .on('close', () => process.exit(0));
