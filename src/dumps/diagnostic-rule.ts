// What a diagnostic is, and the parts that many messages have in common.
import { hex } from '../iova/format.ts';
import { bitLength } from '../iova/iova.ts';
import type { FactOf } from '../session/events.ts';

export type Severity = FactOf<'diagnostic'>['severity'];

/** Consequences of a diagnostic beyond its message. */
interface Consequences {
  /**
   * Explains a source that has no facts: if all of its lines were understood, 'nothing-recognized' is not emitted as well.
   */
  readonly explainsEmptySource?: true;
  /**
   * Passes on a problem that a program or a kernel reported. It becomes a conflict, unless its severity is `info`, with the
   * remedy that remedies.ts has for it.
   */
  readonly isComplaint?: true;
}

export interface DiagnosticRule<P = never> extends Consequences {
  /** Unless the place that emits it knows better. */
  readonly severity: Severity;
  readonly message: (parameters: P) => string;
}

export function rule<P = NoParameters>(
  severity: Severity,
  message: (parameters: P) => string,
  consequences: Consequences = {},
): DiagnosticRule<P> {
  return { severity, message, ...consequences };
}

/** A problem that a program or a kernel reported. */
export function complaint<P = NoParameters>(severity: Severity, message: (parameters: P) => string): DiagnosticRule<P> {
  return rule(severity, message, { isComplaint: true });
}

type NoParameters = Readonly<Record<string, never>>;

export interface Range {
  readonly start: bigint;
  /** Inclusive. */
  readonly last: bigint;
}

/** A line of the source, or a part of it. */
export interface Text {
  readonly text: string;
}

/** Name of the errno (`EINVAL`) or the program's text for it; undefined if the program did not print it. */
export interface WithError {
  readonly error: string | undefined;
  /** DPDK's --base-virtaddr: the lowest IOVA if IOVAs are virtual addresses. */
  readonly base?: bigint | undefined;
}

/** A device as the source names it; undefined if it does not. */
export interface WithDevice {
  readonly device: string | undefined;
}

const QUOTE_MAX = 120;

/** Text of a source in quotes, without blanks around it and cut to 120 characters. */
export function quote(text: string): string {
  return `'${shortened(text.trim(), QUOTE_MAX)}'`;
}

export const shortened = (text: string, max: number) => (text.length > max ? `${text.slice(0, max)}…` : text);

export const withBase = ({ base }: Pick<WithError, 'base'>) => (base === undefined ? '' : `, IOVAs from ${hex(base)}`);
export const withError = (e: WithError) => (e.error === undefined ? '' : `: ${e.error}`) + withBase(e);
export const ofDevice = ({ device }: WithDevice) => (device === undefined ? '' : ` ${device}`);
export const atDevice = ({ device }: WithDevice) => (device === undefined ? '' : `${device}: `);
export const bytes = (count: bigint | number) => `${count} ${BigInt(count) === 1n ? 'byte' : 'bytes'}`;
export const widthText = (address: bigint) => `${hex(address)} (${bitLength(address)} bits)`;
