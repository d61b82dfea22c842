/**
 * Which folder of src/ may import which: an arrow only points down, and folders on one line do not import each
 * other. docs/architecture.md draws the same table and says why; a test compares the two.
 */

/** From the top down. */
export const layers: readonly (readonly string[])[] = [
  ["library"],
  ["cmd"],
  ["ctl", "utl", "proxy", "console"],
  ["http"],
  ["rpc"],
  ["client", "transport"],
  ["server"],
  ["mvcc", "lease", "auth", "membership"],
  ["raft", "wal", "backend", "bbolt", "etcd-wal"],
  ["config"],
  ["runtime"],
  ["errors", "gen", "lib", "codec"],
];

/** Arrows along a line that are allowed all the same, each with its reason. */
export const sideways: readonly { readonly from: string; readonly to: string; readonly why: string }[] = [
  { from: "codec", to: "lib", why: "the distinct number types (LeaseId and so on) are in lib/ids.ts" },
  { from: "gen", to: "codec", why: "tables of messages are of the type that the codec reads by" },
  {
    from: "client",
    to: "transport",
    why: "HPACK, the frame reader and HTTP/2's numbers are the same at both ends",
  },
];

/** Folders with no clock, no random numbers, no files, no network and no promises: see tsconfig.pure.json. */
export const pureFolders: readonly string[] = [
  "raft",
  "lease",
  "auth",
  "membership",
  "mvcc",
  "codec",
  "errors",
];
