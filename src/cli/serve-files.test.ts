import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { SERVED_PATH } from '../session/served-files.ts';
import { FileServer } from './serve-files.ts';

let root = '';

beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'served-'));
  mkdirSync(join(root, 'sys/groups/10'), { recursive: true });
  mkdirSync(join(root, 'sys/groups/9'));
  writeFileSync(join(root, 'sys/groups/10/type'), 'DMA\n');
  writeFileSync(join(root, 'sys/groups/9/type'), 'DMA-FQ\n');
  symlinkSync('../10', join(root, 'sys/groups/9/link'));
  writeFileSync(join(root, 'dmesg.txt'), 'words\n');
});
afterAll(() => rmSync(root, { recursive: true }));

async function text(files: FileServer, path: string): Promise<string | undefined> {
  const served = await files.answer(path);
  if (!served) return undefined;
  if (!(served.body instanceof Uint8Array)) return served.body.path;
  return new TextDecoder().decode(served.body);
}

describe('files for the page', () => {
  test('a folder with everything below it in natural order, links as links, and a file by its name', async () => {
    const files = new FileServer();
    await files.add(join(root, 'sys'));
    await files.add(join(root, 'dmesg.txt'));
    files.addBytes('<stdin>', new TextEncoder().encode('typed'));
    const at = `${SERVED_PATH}${files.token}/`;
    expect(JSON.parse((await text(files, at)) ?? '')).toEqual([
      { name: 'sys/groups/9/link', link: '../10' },
      { name: 'sys/groups/9/type' },
      { name: 'sys/groups/10/type' },
      { name: 'dmesg.txt' },
      { name: '<stdin>' },
    ]);
    expect(await text(files, `${at}1`)).toBe(join(root, 'sys/groups/9/type'));
    expect(await text(files, `${at}4`)).toBe('typed');
  });

  test('nothing else is answered: no link, no other number, no path, no other token', async () => {
    const files = new FileServer();
    await files.add(join(root, 'sys/groups/9'));
    const at = `${SERVED_PATH}${files.token}/`;
    for (const path of ['0', '2', '-1', '1.5', 'type', '../dmesg.txt', '1/..']) {
      expect(await text(files, `${at}${path}`), path).toBeUndefined();
    }
    expect(await text(files, `${SERVED_PATH}${new FileServer().token}/`)).toBeUndefined();
    expect(await text(files, `${SERVED_PATH}/`)).toBeUndefined();
  });

  test('a path that is not there rejects', async () => {
    await expect(new FileServer().add(join(root, 'none'))).rejects.toMatchObject({ code: 'ENOENT' });
  });
});
