// In place of public-file.ts in the page that is one file (vite.offline.config.ts): its files are part of the page.
const FILES = import.meta.glob<string>('/public/{collect.sh,samples/**}', {
  query: '?raw',
  import: 'default',
  eager: true,
});

/** As in public-file.ts. */
export async function publicFile(path: string): Promise<Blob> {
  const text = FILES[`/public/${path}`];
  if (text === undefined) throw new Error(`${path} is not part of this page`);
  return new Blob([text]);
}
