import { notify } from './notices.ts';

/** Saves something as a file, as the browser does with downloads. */
export function saveFile({ data, name }: { readonly data: Blob; readonly name: string }): void {
  const url = URL.createObjectURL(data);
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  // The download has started long before.
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
  notify(`${name} saved`);
}
