// Puts `window.iovascope` into the page. What it does is loaded when it is called.
import type { pageApi } from './page-api.ts';

type PageApi = typeof pageApi;

const METHODS: Readonly<Record<keyof PageApi, true>> = {
  open: true,
  paste: true,
  hosts: true,
  answer: true,
  conflicts: true,
  setGuest: true,
  setDevice: true,
  setKernel: true,
  state: true,
  svg: true,
  png: true,
  paint: true,
  text: true,
  markdown: true,
  link: true,
  reset: true,
  help: true,
};

declare global {
  interface Window {
    iovascope?: PageApi;
  }
}

export function installPageApi(): void {
  const methods = (Object.keys(METHODS) as (keyof PageApi)[]).map((name) => [
    name,
    async (...parameters: unknown[]): Promise<unknown> => {
      const { pageApi: api } = await import('./page-api.ts');
      return Reflect.apply(api[name], api, parameters);
    },
  ]);
  // Every method returns a promise, and each has the parameters of the one that it loads.
  window.iovascope = Object.fromEntries(methods) as PageApi;
}
