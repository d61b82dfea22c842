/** The driver of Bun. */
import type { SqliteDatabase, SqliteDriver, SqliteStatement } from "./sqlite.ts";

export async function openDriver(): Promise<SqliteDriver> {
  const { Database } = await import("bun:sqlite");
  return {
    name: "bun:sqlite",
    open: (file, { readOnly }): SqliteDatabase => {
      const db = new Database(file, readOnly ? { readonly: true } : { readwrite: true, create: true });
      return {
        exec: (sql) => db.exec(sql),
        prepare: <Row>(sql: string) => db.prepare(sql) as unknown as SqliteStatement<Row>,
        close: () => db.close(false),
      };
    },
  };
}
