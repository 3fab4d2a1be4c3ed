import { afterEach, expect, test, vi } from 'vitest';
import { forgetAgent, keepAgent, keptAgents } from './kept-agents.ts';

afterEach(() => void vi.unstubAllGlobals());

test('agents are kept in order, once each, until they are forgotten', () => {
  const texts = new Map<string, string>();
  vi.stubGlobal('sessionStorage', {
    getItem: (key: string) => texts.get(key) ?? null,
    setItem: (key: string, text: string) => texts.set(key, text),
  });
  expect(keptAgents()).toEqual([]);
  for (const address of ['http://a/#live=1', 'http://b/#live=2', 'http://a/#live=1']) keepAgent(address);
  expect(keptAgents()).toEqual(['http://b/#live=2', 'http://a/#live=1']);
  forgetAgent('http://b/#live=2');
  expect(keptAgents()).toEqual(['http://a/#live=1']);
  forgetAgent('http://a/#live=1');
  expect(keptAgents()).toEqual([]);
});

test('where storage is blocked nothing is kept, and nothing throws', () => {
  vi.stubGlobal('sessionStorage', undefined);
  keepAgent('http://a/#live=1');
  forgetAgent('http://a/#live=1');
  expect(keptAgents()).toEqual([]);
});
