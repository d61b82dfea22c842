/** Versions of etcd, as members compare them. */

/** The oldest cluster that a member of this version can be in. */
export const minClusterVersion = "3.0.0";
/** What says nothing about its version is this one: etcd 2.0 sent no version. */
const silentVersion = "2.0.0";

export interface MajorMinor {
  readonly major: number;
  readonly minor: number;
}

/** Undefined if `text` is no semantic version. */
export function parseVersion(text: string): MajorMinor | undefined {
  const match = /^(\d{1,9})\.(\d{1,9})\.\d{1,9}(?:-[0-9A-Za-z.-]+)?(?:\+[0-9A-Za-z.-]+)?$/.exec(text);
  return match === null ? undefined : { major: Number(match[1]), minor: Number(match[2]) };
}

/** A version from a header: empty means etcd 2.0. */
export function headerVersion(text: string): MajorMinor | undefined {
  return parseVersion(text === "" ? silentVersion : text);
}

/** Negative if `a` is older than `b`; patches do not count. */
export function compareMinor(a: MajorMinor, b: MajorMinor): number {
  return a.major - b.major || a.minor - b.minor;
}
