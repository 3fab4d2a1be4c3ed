// Replaces public-file.ts in the single-file page (vite.offline.config.ts), which contains the files.
const FILES = import.meta.glob<string>('/public/{collect.sh,samples/**}', {
  query: '?raw',
  import: 'default',
  eager: true,
});

/** See public-file.ts. */
export async function publicFile(path: string): Promise<Blob> {
  const text = FILES[`/public/${path}`];
  if (text === undefined) throw new Error(`${path} is not part of this page`);
  return new Blob([text]);
}
