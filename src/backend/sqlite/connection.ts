/**
 * Opening the file: the one connection that writes and the one that reads.
 *
 * Nothing else in the process may open and close the database file or the -shm file: closing any descriptor of a file
 * drops all of a process's POSIX locks on it, SQLite's too.
 */
import { closeSync, fsyncSync, openSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { assert } from "../../lib/assert.ts";
import type { SqliteDatabase, SqliteDriver } from "../../runtime/sqlite.ts";
import { BackendCorruptError, BackendIoError } from "../errors.ts";
import { applicationId, schema, schemaVersion } from "./schema.ts";
import { emptyState, insertState } from "./state.ts";

export interface ConnectionOptions {
  /** Only when the file is made. A power of two from 512 to 65536. */
  readonly pageSize: number;
  /** Of this connection's page cache. */
  readonly cacheBytes: number;
  /** False: SQLite never waits for the disk (`--unsafe-no-fsync`). */
  readonly sync: boolean;
  /** A limit on the file's size in pages; 0 for none. */
  readonly pagesMax: number;
  /** The file is new, and is thrown away if anything happens before it is whole: no journal. */
  readonly isFilling: boolean;
}

/** Makes or opens the file for writing, brings its -wal file home and looks it over. */
export function openWriter(driver: SqliteDriver, file: string, options: ConnectionOptions): SqliteDatabase {
  const length = statSync(file, { throwIfNoEntry: false })?.size;
  const isNew = length === undefined;
  // SQLite takes less than its header for an empty file and would start anew.
  if (length !== undefined && length > 0 && length < 512) {
    throw new BackendCorruptError(file, `offset ${length}`, "the file is cut off in its header");
  }
  // SQLite gives the files beside it the rights of the database file. It is not open yet, so closing it is harmless.
  if (isNew) closeSync(openSync(file, "a", 0o600));
  const db = driver.open(file, { readOnly: false });
  try {
    const pragma = (text: string) => pragmaValue(db, text);
    pragma("busy_timeout = 10000");
    // Both only take effect in an empty file.
    pragma(`page_size = ${options.pageSize}`);
    pragma("auto_vacuum = INCREMENTAL");
    assert(isNew || !options.isFilling, "sqlite: a store that is filled was there before");
    if (options.isFilling) {
      pragma("journal_mode = OFF");
      pragma("synchronous = OFF");
    } else {
      logAhead(db, file, options.sync);
    }
    pragma(`cache_size = ${-Math.ceil(options.cacheBytes / 1024)}`);
    pragma("cell_size_check = ON");
    pragma("temp_store = MEMORY");
    if (options.pagesMax > 0) pragma(`max_page_count = ${options.pagesMax}`);
    if (pragma("schema_version") === 0) create(db, file);
    // After a crash the -wal file holds transactions. They go into the database now: from here on what is in it
    // survives, and the file's length can be compared with what its header says.
    db.prepare("PRAGMA wal_checkpoint(TRUNCATE)").all();
    verify(db, file);
    verifyLength(db, file);
    if (isNew) syncFolder(dirname(file));
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

/** From now on commits go to the -wal file. */
export function logAhead(db: SqliteDatabase, file: string, sync: boolean): void {
  if (pragmaValue(db, "journal_mode = WAL") !== "wal") {
    throw new BackendIoError(file, "the file system cannot do write-ahead logging (no shared memory)", false);
  }
  pragmaValue(db, `synchronous = ${sync ? "NORMAL" : "OFF"}`);
  pragmaValue(db, "wal_autocheckpoint = 0");
}

/** Opens the file, which the writer has open, for reading. */
export function openReader(driver: SqliteDriver, file: string, cacheBytes: number): SqliteDatabase {
  const db = driver.open(file, { readOnly: true });
  try {
    pragmaValue(db, "busy_timeout = 10000");
    pragmaValue(db, `cache_size = ${-Math.ceil(cacheBytes / 1024)}`);
    pragmaValue(db, "cell_size_check = ON");
    pragmaValue(db, "query_only = ON");
    pragmaValue(db, "temp_store = MEMORY");
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

/** The first column of a pragma's first row. */
export function pragmaValue(db: SqliteDatabase, text: string): number | string | undefined {
  const row = db.prepare<Record<string, number | string>>(`PRAGMA ${text}`).get();
  return row ? Object.values(row)[0] : undefined;
}

function create(db: SqliteDatabase, file: string): void {
  if (db.prepare("SELECT 1 FROM sqlite_schema").get()) {
    throw new BackendCorruptError(file, "offset 40", "there are tables, but the schema was never changed");
  }
  db.exec("BEGIN IMMEDIATE");
  for (const statement of schema) db.exec(statement);
  insertState(db, emptyState);
  db.exec(`PRAGMA application_id = ${applicationId}`);
  db.exec(`PRAGMA user_version = ${schemaVersion}`);
  db.exec("COMMIT");
}

/** Refuses a file that is not ours, or is of another format. */
export function verify(db: SqliteDatabase, file: string): void {
  const id = pragmaValue(db, "application_id");
  const version = pragmaValue(db, "user_version");
  if (id !== applicationId) {
    throw new BackendCorruptError(file, "application_id", `the file belongs to another program (${id})`);
  }
  if (version !== schemaVersion) {
    throw new BackendIoError(
      file,
      `the data has format ${version}; this program reads format ${schemaVersion}`,
      false,
    );
  }
  // Names too: SQLite does not mind a letter of another case, and a damaged one is the beginning of something.
  const select = "SELECT type, name, tbl_name, sql FROM sqlite_schema WHERE sql IS NOT NULL";
  const found = db.prepare<SchemaRow>(select).all();
  const wanted = new Set(schema.map((sql) => describe(schemaRow(sql))));
  if (found.length !== wanted.size || !found.every((row) => wanted.has(describe(row)))) {
    throw new BackendCorruptError(file, "sqlite_schema", "the tables are not the ones this program made");
  }
}

/** What SQLite keeps of a table or an index. */
interface SchemaRow {
  readonly type: string;
  readonly name: string;
  readonly tbl_name: string;
  readonly sql: string;
}

/** The row of a statement of the schema. */
function schemaRow(sql: string): SchemaRow {
  const [, type = "", name = "", table = name] = /^CREATE (TABLE|INDEX) (\w+)(?: ON (\w+))?/.exec(sql) ?? [];
  return { type: type.toLowerCase(), name, tbl_name: table, sql };
}

const describe = ({ type, name, tbl_name, sql }: SchemaRow): string => [type, name, tbl_name, sql].join("\0");

/** Refuses a file that is shorter than its header says. Only once the -wal file is home: before, it may hold the rest. */
function verifyLength(db: SqliteDatabase, file: string): void {
  const pages = Number(pragmaValue(db, "page_count"));
  const expected = pages * Number(pragmaValue(db, "page_size"));
  const actual = statSync(file).size;
  if (actual < expected) {
    throw new BackendCorruptError(
      file,
      `offset ${actual}`,
      `the file is cut off: ${expected} bytes expected`,
    );
  }
}

/** A new file's name is only safe once its folder is on the disk. */
function syncFolder(folder: string): void {
  if (process.platform === "win32") return;
  const descriptor = openSync(folder, "r");
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

export function assertPageSize(pageSize: number): void {
  assert(
    pageSize >= 512 && pageSize <= 65536 && Number.isInteger(Math.log2(pageSize)),
    `page size ${pageSize}`,
  );
}
