// Links that carry a session: `#v1.BLOB.CRC&KEY=VALUE…`, `#sample=NAME&…`, `#lesson=NAME&step=N` (docs/links.md). The
// part behind `#` never reaches a server. Links of version 1 must work for ever: link.test.ts keeps some.
import { deflateSync } from 'fflate';
import { parseRange } from '../../iova/parse.ts';
import type { IovaRange } from '../../iova/range.ts';
import { crc32 } from './crc32.ts';
import { unpack } from './unpack.ts';

/** Maximum length of the packed session in characters; the rest is ignored and reported. */
export const LINK_BLOB_MAX = 64 * 1024;
/** Maximum size of an unpacked session in bytes. */
export const LINK_TEXT_MAX = 8 * 1024 * 1024;
/** How the session is shown. Everything is optional. */
export interface LinkView {
  /** Number of events that are applied. */
  readonly at?: number;
  /** The addresses in view, inclusive. */
  readonly range?: IovaRange;
  readonly scale?: 'fold' | 'linear' | 'log';
  /** Kinds of lanes that are expanded. */
  readonly lanes?: readonly string[];
  /** The selection, if the user changed it: groups by number or in runs, others by name; `2:` for the second host. */
  readonly groups?: readonly string[];
  /** A guest to try: `q35:8G`. */
  readonly guest?: string;
  /** The device to assign, a PCI address. */
  readonly device?: string;
  readonly model?: string;
  readonly kernel?: string;
  /** The tab of the details. */
  readonly tab?: string;
  readonly theme?: 'light' | 'dark';
  /** Step of a lesson, counted from 1. */
  readonly step?: number;
  /** True in a frame of another page: read-only, without toolbar and panels. */
  readonly embed?: boolean;
}

/** What a link opens. */
export type LinkTarget =
  | { readonly kind: 'session'; readonly text: string }
  | { readonly kind: 'sample'; readonly name: string }
  | { readonly kind: 'lesson'; readonly name: string };

export interface LinkContent {
  /** Undefined for a link that has only a view, or of which nothing could be recovered. */
  readonly target: LinkTarget | undefined;
  readonly view: LinkView;
  /** What is wrong with the link and what was done about it, as sentences. Empty if all of it was read. */
  readonly problems: readonly string[];
}

const SCALES = ['fold', 'linear', 'log'] as const;
const THEMES = ['light', 'dark'] as const;

/** The order in which keys are written, so that the same view gives the same link. */
const KEYS = [
  'at',
  'range',
  'scale',
  'lanes',
  'groups',
  'guest',
  'device',
  'model',
  'kernel',
  'tab',
  'theme',
  'step',
  'embed',
] as const satisfies readonly (keyof LinkView)[];
type Key = (typeof KEYS)[number];

const hex = (value: bigint) => `0x${value.toString(16)}`;

/** A key's value as it is written in a link. */
function writtenValue(view: LinkView, key: Key): string | undefined {
  if (key === 'range') return view.range && `${hex(view.range.start)}-${hex(view.range.last)}`;
  if (key === 'lanes' || key === 'groups') return view[key]?.map(encodeValue).join(',');
  if (key === 'embed') return view.embed ? '1' : undefined;
  const value = view[key];
  return value === undefined ? undefined : encodeValue(String(value));
}

/** Percent-encodes a value, except for characters that are allowed in a fragment and keep it readable. */
function encodeValue(text: string): string {
  return encodeURIComponent(text).replace(/%3A/g, ':').replace(/%2F/g, '/').replace(/%40/g, '@');
}

function base64url(bytes: Uint8Array): string {
  let binary = '';
  for (let at = 0; at < bytes.length; at += 0x8000) binary += String.fromCharCode(...bytes.subarray(at, at + 0x8000));
  return btoa(binary).replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '');
}

/** Decodes base64url of any length; an incomplete byte at the end of a cut text is dropped. */
function bytesOf(text: string): Uint8Array {
  const whole = text.length % 4 === 1 ? text.slice(0, -1) : text;
  const binary = atob(whole.replaceAll('-', '+').replaceAll('_', '/'));
  return Uint8Array.from(binary, (character) => character.charCodeAt(0));
}

/** The part of a link after `#`. The same target and view give the same characters. */
export function linkFragment(target: LinkTarget | undefined, view: LinkView = {}): string {
  const parts = target ? [targetPart(target)] : [];
  for (const key of KEYS) {
    const value = writtenValue(view, key);
    if (value !== undefined) parts.push(`${key}=${value}`);
  }
  return parts.join('&');
}

function targetPart(target: LinkTarget): string {
  if (target.kind !== 'session') return `${target.kind}=${encodeValue(target.name)}`;
  const bytes = new TextEncoder().encode(target.text);
  const crc = crc32(bytes).toString(16).padStart(8, '0');
  return `v1.${base64url(deflateSync(bytes, { level: 9 }))}.${crc}`;
}

/**
 * Reads the part of a link after `#`, with or without the `#`. Never throws: for a link that was cut, wrapped by a mail program
 * or damaged, it returns what can be recovered and reports what is missing.
 */
export function parseLink(fragment: string): LinkContent {
  // Mail programs wrap and quote; HTML sources write the ampersand as an entity. No part of a link has such characters.
  const clean = fragment
    .replace(/^#/, '')
    .replaceAll('&amp;', '&')
    .replace(/[\s>\u00ad\u200b-\u200d\ufeff]/g, '');
  const parts = clean.split('&').filter((part) => part !== '');
  const problems: string[] = [];
  let target: LinkTarget | undefined;
  const view: { -readonly [K in keyof LinkView]: LinkView[K] } = {};
  for (const [i, part] of parts.entries()) {
    const version = /^v(\d+)\./.exec(part)?.[1];
    if (i === 0 && version !== undefined) {
      target = readSessionPart(part, version, problems);
      continue;
    }
    const equals = part.indexOf('=');
    const key = equals < 0 ? part : part.slice(0, equals);
    const value = decodeValue(equals < 0 ? '' : part.slice(equals + 1));
    if (key === 'sample' || key === 'lesson') {
      if (value === undefined || value === '') problems.push(`the link names no ${key}`);
      else target = { kind: key, name: value };
    } else if (isKey(key)) {
      const problem = value === undefined ? 'is not percent-encoded' : readKey(view, key, value);
      if (problem !== undefined) problems.push(`${key}=${part.slice(equals + 1)} in the link ${problem}: ignored`);
    } else problems.push(`'${short(key)}' in the link is not known: ignored`);
  }
  return { target, view, problems };
}

function isKey(key: string): key is Key {
  return (KEYS as readonly string[]).includes(key);
}

function decodeValue(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

const short = (text: string) => (text.length > 40 ? `${text.slice(0, 40)}…` : text);

type Writable = { -readonly [K in keyof LinkView]: LinkView[K] };

/** Sets a key of the view; returns what is wrong with its value. */
function readKey(view: Writable, key: Key, value: string): string | undefined {
  switch (key) {
    case 'at':
    case 'step': {
      if (!/^\d{1,9}$/.test(value)) return 'is not a number';
      view[key] = Number(value);
      return undefined;
    }
    case 'range': {
      const range = /^0x[0-9a-f]+-0x[0-9a-f]+$/i.test(value) ? parseRange(value) : undefined;
      if (!range?.ok) return 'is not a range such as 0xfee00000-0xfeefffff';
      view.range = range.value;
      return undefined;
    }
    case 'scale': {
      const scale = SCALES.find((name) => name === value);
      if (!scale) return 'is not fold, linear or log';
      view.scale = scale;
      return undefined;
    }
    case 'theme': {
      const theme = THEMES.find((name) => name === value);
      if (!theme) return 'is not light or dark';
      view.theme = theme;
      return undefined;
    }
    case 'lanes':
    case 'groups': {
      if (key === 'groups' && value === '') return 'has no value';
      view[key] = value.split(',').filter((name) => name !== '');
      return undefined;
    }
    case 'embed': {
      if (value !== '0' && value !== '1') return 'is not 0 or 1';
      view.embed = value === '1';
      return undefined;
    }
    default: {
      if (value === '') return 'has no value';
      view[key] = value;
      return undefined;
    }
  }
}

/** The session of `v1.BLOB.CRC`, or as much of it as can be recovered. */
function readSessionPart(part: string, version: string, problems: string[]): LinkTarget | undefined {
  if (version !== '1') {
    problems.push(`the link is of version ${version}, made by a newer iovascope; this one reads version 1`);
    return undefined;
  }
  const [, packed = '', sum] = part.split('.');
  const allowed = /^[\w-]*/.exec(packed)?.[0] ?? '';
  if (allowed.length < packed.length) {
    problems.push(
      `the link is damaged at character ${'v1.'.length + allowed.length + 1}: what comes after it is missing`,
    );
  }
  const isTooLong = allowed.length > LINK_BLOB_MAX;
  if (isTooLong) problems.push(`the link has more than ${LINK_BLOB_MAX / 1024} KiB: only the beginning was read`);
  const { bytes, end } = unpack(bytesOf(allowed.slice(0, LINK_BLOB_MAX)), LINK_TEXT_MAX);
  const text = new TextDecoder().decode(bytes);
  if (end === 'complete') {
    const problem = checksumProblem(bytes, sum);
    if (problem !== undefined) problems.push(problem);
    return { kind: 'session', text };
  }
  if (end === 'too-large') problems.push(`the session in the link is larger than ${LINK_TEXT_MAX / 1024 / 1024} MiB`);
  else if (end === 'damaged') problems.push('the session in the link is damaged');
  else if (!isTooLong && allowed.length === packed.length) problems.push('the link was cut');
  const whole = text.slice(0, text.lastIndexOf('\n') + 1);
  const lines = countOf('\n', whole);
  if (lines === 0) {
    problems.push('nothing of its session could be recovered; ask for the file or for the whole link');
    return undefined;
  }
  problems.push(
    `the first ${lines} ${lines === 1 ? 'line' : 'lines'} of its session were recovered; the rest is missing`,
  );
  return { kind: 'session', text: whole };
}

function countOf(character: string, text: string): number {
  let count = 0;
  for (let at = text.indexOf(character); at >= 0; at = text.indexOf(character, at + 1)) count++;
  return count;
}

function checksumProblem(bytes: Uint8Array, sum: string | undefined): string | undefined {
  if (sum === undefined || !/^[0-9a-f]{8}$/i.test(sum)) {
    return 'the link was cut behind its session: the checksum is missing, and perhaps how it was shown';
  }
  const isRight = Number.parseInt(sum, 16) === crc32(bytes);
  return isRight ? undefined : 'the checksum of the link is wrong: its session may be damaged';
}
