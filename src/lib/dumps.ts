// What was read, as the library hands it out.
import type { AddressRange, DiagnosticFact, Fact, Origin } from './facts.ts';

/** A reserved region, bounds inclusive. */
export interface ReservedRegion extends AddressRange {
  /** As the kernel prints it: `msi`, `direct`, `direct-relaxable`, `reserved`. */
  readonly type: string;
  readonly provenance: readonly Origin[];
}

export interface HostGroup {
  /** Number of the IOMMU group; undefined where the dumps do not say. */
  readonly group: string | undefined;
  /** Type of its default domain. */
  readonly type: string | undefined;
  readonly devices: readonly string[];
  readonly reserved: readonly ReservedRegion[];
}

/** What the dumps say about one host. */
export interface Host {
  /** What to call it: its name, else the folder of its dumps, else `Host A`. */
  readonly title: string;
  readonly name: string | undefined;
  readonly kernel: string | undefined;
  readonly arch: string | undefined;
  readonly groups: readonly HostGroup[];
  /** How far its IOMMUs translate; empty if no source says. */
  readonly apertures: readonly (AddressRange & { readonly provenance: readonly Origin[] })[];
  /**
   * Where a mapping is accepted if all groups (that can be assigned) share one address space: disjoint, ascending. Undefined if the dumps have
   * no group. Without an aperture the upper end is unknown, and the ranges reach up to 2^64 - 1.
   */
  readonly usable: readonly AddressRange[] | undefined;
}

/** What was found in one input. */
export interface Source {
  readonly name: string;
  /** Titles of the formats that were recognized. */
  readonly formats: readonly string[];
  readonly lines: number;
  /** Lines with content that no format recognized. */
  readonly unrecognized: number;
  /** Set if the input could not be read to its end, or if nothing in it was recognized: answers do not cover it. */
  readonly unread?: { readonly code: string; readonly message: string } | undefined;
  /** What is wrong with the input. */
  readonly diagnostics: readonly DiagnosticFact[];
}

/** Dumps that were read. */
export interface Dumps {
  /** In the order of the inputs, and of the lines in each. Addresses are bigints. */
  readonly facts: readonly Fact[];
  /** Number of operations, of session files. */
  readonly operations: number;
  readonly sources: readonly Source[];
  /** What the facts say together. The inputs of one call are one host unless they contradict each other. */
  readonly hosts: readonly Host[];
}
