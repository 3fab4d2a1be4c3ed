/** A file that is served with the page: `collect.sh`, `samples/NAME/FILE`. Rejects with the reason if it is missing. */
export async function publicFile(path: string): Promise<Blob> {
  const response = await fetch(`${import.meta.env.BASE_URL}${path}`);
  if (!response.ok) throw new Error(`${path}: ${response.status} ${response.statusText}`);
  return response.blob();
}
