/**
 * What a backend should answer, computed in the most obvious way: all versions in one array, looked through from end to
 * end for every question.
 */
import type { LeaseId, Revision } from "../../lib/ids.ts";
import type { BinaryKey, Generation, KeySpan, Version } from "../backend.ts";

export class NaiveModel {
  versions: Version[] = [];
  meta = new Map<string, Map<BinaryKey, Uint8Array>>();
  revision = 1;
  compactRevision = 0;

  write(generation: Generation): void {
    this.versions.push(...generation.versions);
    for (const { bucket, key, value } of generation.meta) {
      const rows = this.meta.get(bucket) ?? new Map<BinaryKey, Uint8Array>();
      this.meta.set(bucket, rows);
      if (value === undefined) rows.delete(key);
      else rows.set(key, value);
    }
    this.revision = generation.revision;
    this.compactRevision = generation.compactRevision;
  }

  /** Removes what a finished compaction removes. */
  compact(revision: number): void {
    this.versions = this.versions.filter((version) => {
      if (version.modRevision > revision) return true;
      const next = this.versions.find((other) => other.key === version.key && isNewer(other, version));
      if (next !== undefined && next.modRevision <= revision) return false;
      return version.version > 0 || version.modRevision === revision;
    });
  }

  versionAt(key: BinaryKey, at: number): Version | undefined {
    return this.versions.findLast((version) => version.key === key && version.modRevision <= at);
  }

  newestHead(key: BinaryKey): Version | undefined {
    return this.versions.findLast((version) => version.key === key);
  }

  /** All live rows of the span, in key order. */
  scan(span: KeySpan, at: number): Version[] {
    const keys = new Set(this.versions.map((version) => version.key));
    return [...keys]
      .filter((key) => key >= span.from && (span.to === undefined || key < span.to))
      .sort()
      .map((key) => this.versionAt(key, at))
      .filter((version) => version !== undefined && version.version > 0) as Version[];
  }

  history(after: { revision: Revision; sub: number }): Version[] {
    return this.versions.filter((version) =>
      isNewer(version, { modRevision: after.revision, sub: after.sub }),
    );
  }

  keysOfLease(lease: LeaseId): BinaryKey[] {
    const keys = [...new Set(this.versions.map((version) => version.key))].sort();
    return keys.filter((key) => this.newestHead(key)!.lease === lease);
  }

  metaRows(bucket: string): { key: BinaryKey; value: Uint8Array }[] {
    const rows = [...(this.meta.get(bucket) ?? [])].map(([key, value]) => ({ key, value }));
    return rows.sort((a, b) => (a.key < b.key ? -1 : 1));
  }
}

function isNewer(a: { modRevision: number; sub: number }, b: { modRevision: number; sub: number }): boolean {
  return a.modRevision > b.modRevision || (a.modRevision === b.modRevision && a.sub > b.sub);
}
