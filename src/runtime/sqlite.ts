/**
 * SQLite on every runtime behind one small interface: what `bun:sqlite`, `node:sqlite` and `better-sqlite3` have in
 * common, so that their statements are used as they are, with nothing wrapped around the hot calls.
 *
 * Integers come back as numbers, so only what stays in the safe range may be stored as INTEGER; 64-bit ids are
 * blobs. (Reading every integer as a bigint costs more than the rest of the row.) Blobs come back as Uint8Array.
 */

export type SqliteParameter = number | string | Uint8Array | null;
export type SqliteValue = number | string | Uint8Array | null;

/** A prepared statement with positional parameters: `?`, not `?1`, which better-sqlite3 takes for a name. */
export interface SqliteStatement<Row = Record<string, SqliteValue>> {
  /** The first row; null or undefined if there is none. */
  get(...parameters: SqliteParameter[]): Row | null | undefined;
  all(...parameters: SqliteParameter[]): Row[];
  /** Breaking off the loop ends the statement, and the read transaction with it. Errors are thrown on the way. */
  iterate(...parameters: SqliteParameter[]): Iterable<Row>;
  run(...parameters: SqliteParameter[]): { readonly changes: number | bigint };
}

export interface SqliteDatabase {
  exec(sql: string): void;
  prepare<Row = Record<string, SqliteValue>>(sql: string): SqliteStatement<Row>;
  close(): void;
}

export interface SqliteDriver {
  readonly name: SqliteDriverName;
  /** Opens `file`; makes it if it is missing, unless `readOnly`. */
  open(file: string, options: { readonly readOnly: boolean }): SqliteDatabase;
}

export const sqliteDriverNames = ["bun:sqlite", "node:sqlite", "better-sqlite3"] as const;
export type SqliteDriverName = (typeof sqliteDriverNames)[number];

/**
 * The driver called `name`, or the best that this runtime has: bun:sqlite on Bun (node:sqlite exists there too; which
 * is quicker where is measured in src/backend/DESIGN.md), elsewhere node:sqlite, and where there is none (Node before
 * 22.13) better-sqlite3, if it is installed. Throws when there is none, saying what to do.
 */
export async function sqliteDriver(name?: SqliteDriverName): Promise<SqliteDriver> {
  if (name !== undefined) return await load(name);
  if ("bun" in process.versions) return await load("bun:sqlite");
  for (const candidate of ["node:sqlite", "better-sqlite3"] as const) {
    try {
      return await load(candidate);
    } catch {
      // The next one may be there.
    }
  }
  throw new Error("no SQLite driver: use Node 22.13 or newer, Bun or Deno, or install better-sqlite3");
}

async function load(name: SqliteDriverName): Promise<SqliteDriver> {
  switch (name) {
    case "bun:sqlite":
      return (await import("./sqlite-bun.ts")).openDriver();
    case "node:sqlite":
      return (await import("./sqlite-node.ts")).openDriver();
    case "better-sqlite3":
      return (await import("./sqlite-better.ts")).openDriver();
  }
}

/** SQLite's primary result codes, as far as somebody acts on them. */
export const SqliteCode = {
  busy: 5,
  readOnly: 8,
  ioError: 10,
  corrupt: 11,
  full: 13,
  cannotOpen: 14,
  notADatabase: 26,
} as const;

const codeOfName: ReadonlyMap<string, number> = new Map([
  ["SQLITE_BUSY", SqliteCode.busy],
  ["SQLITE_READONLY", SqliteCode.readOnly],
  ["SQLITE_IOERR", SqliteCode.ioError],
  ["SQLITE_CORRUPT", SqliteCode.corrupt],
  ["SQLITE_FULL", SqliteCode.full],
  ["SQLITE_CANTOPEN", SqliteCode.cannotOpen],
  ["SQLITE_NOTADB", SqliteCode.notADatabase],
]);

/** The primary result code of an error thrown by any of the drivers; undefined if SQLite did not throw it. */
export function sqliteCodeOf(error: unknown): number | undefined {
  if (typeof error !== "object" || error === null) return undefined;
  const { code, errno, errcode } = error as { code?: unknown; errno?: unknown; errcode?: unknown };
  // node:sqlite has the (extended) code as `errcode`, bun:sqlite as `errno`; better-sqlite3 has only the name.
  if (code === "ERR_SQLITE_ERROR" && typeof errcode === "number") return errcode & 0xff;
  if (typeof code !== "string" || !code.startsWith("SQLITE_")) return undefined;
  if (typeof errno === "number") return errno & 0xff;
  return codeOfName.get(code.split("_").slice(0, 2).join("_"));
}
