// A probe for tests: prints the lines of a file as they are appended to it. `!exit N` ends it, `!hang` makes it deaf,
// `!raw BASE64` prints bytes without a line end, `!flood N` prints N mappings as fast as it can.
import { openSync, readSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { setImmediate, setTimeout } from 'node:timers/promises';

const [path, from = '0'] = process.argv.slice(2);
const file = openSync(path, 'r');
let offset = Number(from);
let rest = '';
let isDeaf = false;

/** Answers pings meanwhile, as the real one does: on a slow machine a flood takes longer than a probe may be silent. */
async function flood(count) {
  let text = '';
  for (let i = 0; i < count; i++) {
    const start = 0x100000000n + BigInt(i) * 0x2000n;
    text += `{"kind":"map","start":"0x${start.toString(16)}","last":"0x${(start + 0xfffn).toString(16)}","origin":"ftrace","stream":"trace"}\n`;
    if (text.length > 1 << 20) {
      process.stdout.write(text);
      text = '';
      await setImmediate();
    }
  }
  process.stdout.write(text);
}

async function run(line) {
  if (line.startsWith('!exit')) process.exit(Number(line.slice(6) || 0));
  else if (line === '!hang') isDeaf = true;
  else if (line.startsWith('!raw ')) process.stdout.write(Buffer.from(line.slice(5), 'base64'));
  else if (line.startsWith('!flood ')) await flood(Number(line.slice(7)));
  else process.stdout.write(`${line}\n`);
}

async function runWhatIsNew() {
  const buffer = Buffer.alloc(1 << 16);
  for (
    let n = readSync(file, buffer, 0, buffer.length, offset);
    n > 0;
    n = readSync(file, buffer, 0, buffer.length, offset)
  ) {
    offset += n;
    rest += buffer.toString('utf8', 0, n);
  }
  const lines = rest.split('\n');
  rest = lines.pop() ?? '';
  for (const line of lines) await run(line);
}

const input = createInterface({ input: process.stdin });
input.on('line', (line) => {
  if (isDeaf) return;
  const { id, ask } = JSON.parse(line);
  if (ask === 'ping') process.stdout.write(`{"probe":"done","id":${id}}\n`);
});
input.on('close', () => process.exit(0));

for (;;) {
  await runWhatIsNew();
  await setTimeout(10);
}
