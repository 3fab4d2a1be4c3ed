// Files and pastes made by iovascope that carry a session: pictures, pages and links.
import type { EmbeddedSession } from '../../session/sharing/embedded.ts';
import { isPng } from '../../session/sharing/png-signature.ts';

export type Carrier = 'png' | 'svg' | 'html' | 'link';

/** Bytes of a picture or page that are looked at. */
const CARRIER_MAX = 128 * 1024 * 1024;
/** Bytes of a text that may be one link, perhaps wrapped. */
const LINK_TEXT_MAX = 256 * 1024;

/** What may come before the first element of an XML or HTML file. */
const MARKUP_START = /^\uFEFF?(?:\s|<\?[^>]*>|<!--[\s\S]*?-->|<!doctype[^>]*>)*<(?:\w+:)?(svg|html)\b/i;
/** A link from its first character on, perhaps quoted or in the angle brackets of a mail. */
const LINK_START = /^\uFEFF?[\s>|<"']*(?:(?:https?|file):\/\/[^\s#]+)?#(?:v\d+\.[\w-]|(?:sample|lesson)=)/i;

/** How a file that begins with `head` may carry a session. */
export function carrierOf(head: Uint8Array): Carrier | undefined {
  if (isPng(head)) return 'png';
  const text = new TextDecoder().decode(head.subarray(0, 1024));
  const root = MARKUP_START.exec(text)?.[1]?.toLowerCase();
  if (root === 'svg' || root === 'html') return root;
  return LINK_START.test(text) ? 'link' : undefined;
}

/** A carrier with more bytes is not looked into. */
export function carrierMax(carrier: Carrier): number {
  return carrier === 'link' ? LINK_TEXT_MAX : CARRIER_MAX;
}

/** The session that the bytes of a carrier have in them. */
export async function sessionIn(carrier: Carrier, bytes: Uint8Array): Promise<EmbeddedSession> {
  if (carrier === 'png') return (await import('../../session/sharing/png.ts')).sessionInPng(bytes);
  const text = new TextDecoder().decode(bytes);
  if (carrier === 'link') return sessionInLink(text);
  const { sessionInSvg, sessionInHtml } = await import('../../session/sharing/markup.ts');
  return carrier === 'svg' ? sessionInSvg(text) : sessionInHtml(text);
}

async function sessionInLink(text: string): Promise<EmbeddedSession> {
  const { parseLink } = await import('../../session/sharing/link.ts');
  // What a mail or a chat puts around a link ends where its characters do.
  const { target, problems } = parseLink(text.slice(text.indexOf('#')).replace(/[>"'\s]+$/, ''));
  const problem = problems.join('; ');
  if (target === undefined) return { state: 'unreadable', problem };
  if (target.kind !== 'session') {
    return { state: 'unreadable', problem: `the link names a ${target.kind}, '${target.name}'; open it in a browser` };
  }
  return { state: 'found', text: target.text, ...(problem === '' ? {} : { problem }) };
}
