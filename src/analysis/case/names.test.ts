import { expect, test } from 'vitest';
import { folderName, hostNames, isArchiveName, letterName, textLabels } from './names.ts';

test('folders and archives name a host unless every machine has them', () => {
  expect(['lab-3', '/tmp/dumps/lab-3/', 'lab-3.tar.gz', 'lab-3.tgz', 'sys', '/', '..'].map(folderName)).toEqual([
    ...['lab-3', 'lab-3', 'lab-3', 'lab-3'],
    ...[undefined, undefined, undefined],
  ]);
  expect(['a.tar', 'a.tar.gz', 'a.tgz', 'a.gz', 'dmesg'].map(isArchiveName)).toEqual([true, true, true, false, false]);
});

test('letters go on behind Z', () => {
  expect([0, 25, 26, 27, 52].map(letterName)).toEqual(['Host A', 'Host Z', 'Host AA', 'Host AB', 'Host BA']);
});

test('the given name comes first, then the host name, the folder, a letter; no two are alike', () => {
  expect(
    hostNames([
      {},
      { hostName: 'maple', folder: 'x' },
      { given: 'rack 7', hostName: 'maple' },
      { hostName: 'maple' },
      { given: 'Host A' },
      {},
    ]),
  ).toEqual(['Host B', 'maple', 'rack 7', 'maple (2)', 'Host A', 'Host C']);
});

test('texts of one name are told apart by their hosts, then by a number', () => {
  const text = (name: string, host: string) => ({ name, host, hostName: host.toUpperCase() });
  expect(textLabels([text('dmesg', 'a'), text('dmesg', 'b'), text('x', 'a'), text('x', 'a')])).toEqual([
    'A/dmesg',
    'B/dmesg',
    'x',
    'x (2)',
  ]);
});
