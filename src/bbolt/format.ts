/**
 * The numbers of bbolt's file format, version 2: what stands where in a page. Everything is little-endian, as bbolt
 * writes it on every machine that etcd runs on. DESIGN.md beside this file draws a file.
 */

/** Identifies the format, at the head of a meta page. */
export const magic = 0xed0cdaed;
export const formatVersion = 2;

/** Id (8 bytes), flags (2), count of elements (2), further pages that belong to it (4). */
export const pageHeaderBytes = 16;
/** Where each row of a leaf or branch page is, in front of the rows: flags, place, key length, value length for a
 * leaf; place, key length, page id for a branch. */
export const elementBytes = 16;
/** What stands behind the header of a meta page, checksum included. */
export const metaBytes = 64;
/** The value of a bucket's row: the id of its root page and a counter. With a root of 0 its only page follows. */
export const bucketHeaderBytes = 16;

/** Exactly one of them is set in a page's header. */
export const PageFlag = { branch: 0x01, leaf: 0x02, meta: 0x04, freelist: 0x10 } as const;

/** In a leaf element's flags: the value is a bucket. */
export const bucketRowFlag = 0x01;

/** Stands for the freelist's page in a file that has none: which pages are free is found out by looking. etcd's own
 * files are so. */
export const noFreelist = 0xffff_ffff_ffff_ffffn;

export const keyBytesMax = 32_768;
export const valueBytesMax = 2 ** 31 - 2;

/** The page size of what we write; what we read has any. */
export const pageBytes = 4096;

/** What a meta page says. There are two of them; the one with the higher `txid` that is whole counts. */
export interface Meta {
  readonly pageBytes: number;
  /** The page of the tree of buckets. */
  readonly rootPage: number;
  /** Undefined when there is no list of free pages. */
  readonly freelistPage: number | undefined;
  /** How many pages the file has. */
  readonly pageCount: number;
  readonly txid: bigint;
}

export function writePageHeader(
  view: DataView,
  at: number,
  page: { readonly id: number; readonly flags: number; readonly count: number; readonly overflow: number },
): void {
  view.setUint32(at, page.id >>> 0, true);
  view.setUint32(at + 4, Math.floor(page.id / 2 ** 32), true);
  view.setUint16(at + 8, page.flags, true);
  view.setUint16(at + 10, page.count, true);
  view.setUint32(at + 12, page.overflow, true);
}

/** Writes what follows the page header of a meta page. */
export function writeMeta(view: DataView, at: number, meta: Meta): void {
  view.setUint32(at, magic, true);
  view.setUint32(at + 4, formatVersion, true);
  view.setUint32(at + 8, meta.pageBytes, true);
  view.setUint32(at + 12, 0, true);
  view.setBigUint64(at + 16, BigInt(meta.rootPage), true);
  view.setBigUint64(at + 24, 0n, true);
  view.setBigUint64(at + 32, meta.freelistPage === undefined ? noFreelist : BigInt(meta.freelistPage), true);
  view.setBigUint64(at + 40, BigInt(meta.pageCount), true);
  view.setBigUint64(at + 48, meta.txid, true);
  view.setBigUint64(at + 56, metaChecksum(view, at), true);
}

/** Reads what `writeMeta` wrote; the error is a few words that say what is wrong. */
export function readMeta(view: DataView, at: number): Meta | { readonly error: string } {
  if (view.getUint32(at, true) !== magic) return { error: "the magic number is missing" };
  const version = view.getUint32(at + 4, true);
  if (version !== formatVersion) return { error: `the format has version ${version}, not ${formatVersion}` };
  if (view.getBigUint64(at + 56, true) !== metaChecksum(view, at)) return { error: "the checksum is wrong" };
  const freelist = view.getBigUint64(at + 32, true);
  return {
    pageBytes: view.getUint32(at + 8, true),
    rootPage: Number(view.getBigUint64(at + 16, true)),
    freelistPage: freelist === noFreelist ? undefined : Number(freelist),
    pageCount: Number(view.getBigUint64(at + 40, true)),
    txid: view.getBigUint64(at + 48, true),
  };
}

/** FNV-1a, 64 bits, over all of a meta but its checksum. */
function metaChecksum(view: DataView, at: number): bigint {
  let hash = 0xcbf2_9ce4_8422_2325n;
  for (let i = at; i < at + metaBytes - 8; i++) {
    hash = ((hash ^ BigInt(view.getUint8(i))) * 0x100_0000_01b3n) & 0xffff_ffff_ffff_ffffn;
  }
  return hash;
}
