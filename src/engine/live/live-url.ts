/** Parses the address that an agent prints: the WebSocket URL and the token, or what is wrong with it. */
export function parseLiveUrl(text: string): { readonly url: string; readonly token: string } | string {
  let url: URL;
  try {
    url = new URL(text.trim());
  } catch {
    return 'expected the address that the agent printed, such as http://127.0.0.1:8750/#live=…';
  }
  if (!['http:', 'https:', 'ws:', 'wss:'].includes(url.protocol))
    return `"${url.protocol}" is not supported: expected http or https`;
  const token = /(?:^#|&)live=([\w-]{1,200})(?:&|$)/.exec(url.hash)?.[1];
  if (token === undefined) return 'missing token: the address must end in #live=…';
  const protocol = url.protocol === 'https:' || url.protocol === 'wss:' ? 'wss:' : 'ws:';
  return { url: `${protocol}//${url.host}/live`, token };
}
