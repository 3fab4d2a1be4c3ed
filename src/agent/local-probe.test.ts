import { chmodSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { findLocalProbe, probeCache } from './local-probe.ts';
import { removeTemporaryFolders, temporaryFolder } from './probe/testing/probe.ts';

afterAll(removeTemporaryFolders);

/** Folders for a call, and what it logs. `makefile` builds the probe. */
function places(makefile: string) {
  const root = temporaryFolder();
  const [built, sources, cache] = ['built', 'sources', 'cache'].map((name) => join(root, name)) as [
    string,
    string,
    string,
  ];
  mkdirSync(built);
  mkdirSync(sources);
  writeFileSync(join(sources, 'Makefile'), makefile);
  return { built, sources, cache, logged: [] as string[] };
}

function program(path: string, exitCode: number): void {
  writeFileSync(path, `#!/bin/sh\nexit ${exitCode}\n`);
  chmodSync(path, 0o755);
}

const BUILDS = 'all:\n\t@printf "#!/bin/sh\\nexit 0\\n" > $(OUT)/iovascope-probe && chmod +x $(OUT)/iovascope-probe\n';

describe.skipIf(process.platform !== 'linux')('the local probe', () => {
  test('is the built one that runs here', () => {
    const at = places(BUILDS);
    program(join(at.built, 'iovascope-probe'), 1);
    program(join(at.built, 'iovascope-probe-arm64'), 0);
    expect(findLocalProbe(at, (message) => at.logged.push(message))).toEqual({
      ok: true,
      path: join(at.built, 'iovascope-probe-arm64'),
    });
    expect(at.logged).toEqual([]);
  });

  test('is compiled once where none runs, which is said before', () => {
    const at = places(BUILDS);
    const find = () => findLocalProbe(at, (message) => at.logged.push(message));
    expect(find()).toEqual({ ok: true, path: join(at.cache, 'iovascope-probe') });
    expect(find()).toEqual({ ok: true, path: join(at.cache, 'iovascope-probe') });
    expect(at.logged).toEqual([expect.stringContaining(`compiling one from ${at.sources}`)]);
  });

  test('a build that fails: why, and what to do', () => {
    const at = places('all:\n\t@echo "no compiler here" >&2; exit 1\n');
    const found = findLocalProbe(at, () => undefined);
    expect(found).toMatchObject({ ok: false, message: expect.stringMatching(/compiling one failed: .*--probe/) });
    expect(existsSync(join(at.cache, 'iovascope-probe'))).toBe(false);
  });
});

test('on other systems a remote host must be named', () => {
  const at = places(BUILDS);
  expect(findLocalProbe(at, () => undefined, 'darwin')).toMatchObject({
    ok: false,
    message: expect.stringContaining("--probe 'ssh"),
  });
});

test('a probe that was built is kept per version', () => {
  expect(probeCache('1.2.3', { XDG_CACHE_HOME: '/c' })).toBe('/c/iovascope/1.2.3');
  expect(probeCache('1.2.3', {})).toMatch(/\.cache\/iovascope\/1\.2\.3$/);
});
