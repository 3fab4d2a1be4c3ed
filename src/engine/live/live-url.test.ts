import { expect, test } from 'vitest';
import { parseLiveUrl } from './live-url.ts';

test('an address of an agent has the token in its fragment', () => {
  expect(parseLiveUrl(' http://127.0.0.1:8750/#live=abc-DEF_1 ')).toEqual({
    url: 'ws://127.0.0.1:8750/live',
    token: 'abc-DEF_1',
  });
  expect(parseLiveUrl('http://x/#tab=events&live=t&theme=dark')).toEqual({ url: 'ws://x/live', token: 't' });
});

test('it is as safe as the page that it is of', () => {
  const url = (text: string) => {
    const parsed = parseLiveUrl(text);
    return typeof parsed === 'string' ? parsed : parsed.url;
  };
  expect(['https://x/#live=t', 'wss://x/#live=t', 'ws://x/#live=t'].map(url)).toEqual([
    'wss://x/live',
    'wss://x/live',
    'ws://x/live',
  ]);
});

test('what is wrong with it is said', () => {
  expect(parseLiveUrl('8750')).toContain('expected the address that the agent printed');
  expect(parseLiveUrl('file:///x#live=t')).toBe('"file:" is not supported: expected http or https');
  for (const text of [
    'http://x/',
    'http://x/#live=',
    'http://x/#alive=t',
    'http://x/#live=a b',
    `http://x/#live=${'a'.repeat(201)}`,
  ]) {
    expect(parseLiveUrl(text)).toMatch(/^missing token/);
  }
  expect(parseLiveUrl(`http://x/#live=${'a'.repeat(200)}`)).toMatchObject({ token: 'a'.repeat(200) });
});
