/**
 * The driver of Node (22.13 and newer) and Deno. Bun has it too.
 *
 * Deno's `iterate` takes an error of SQLite (a damaged page, say) for the end of the rows, so there all rows are fetched
 * at once.
 */
import type { SqliteDatabase, SqliteDriver, SqliteStatement } from "./sqlite.ts";

export async function openDriver(): Promise<SqliteDriver> {
  const { DatabaseSync } = await import("node:sqlite");
  return {
    name: "node:sqlite",
    open: (file, { readOnly }): SqliteDatabase => {
      const db = new DatabaseSync(file, { readOnly });
      return {
        exec: (sql) => db.exec(sql),
        prepare: <Row>(sql: string) => {
          const statement = db.prepare(sql) as unknown as SqliteStatement<Row>;
          if ("Deno" in globalThis) statement.iterate = statement.all;
          return statement;
        },
        close: () => db.close(),
      };
    },
  };
}
