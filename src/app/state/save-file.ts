import { notify } from './notices.ts';

/** Saves data as a file, like a download. */
export function saveFile({ data, name }: { readonly data: Blob; readonly name: string }): void {
  const url = URL.createObjectURL(data);
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  // By then the download has started.
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
  notify(`${name} saved`);
}
