/**
 * better-sqlite3, for a Node without node:sqlite. It is a native addon and not among our dependencies: whoever needs
 * it installs it. The name is computed so that no bundler takes it into the executable.
 */
import type { SqliteDatabase, SqliteDriver, SqliteStatement } from "./sqlite.ts";

interface BetterDatabase {
  exec(sql: string): void;
  prepare(sql: string): BetterStatement;
  close(): void;
}
/** `reader` is false for statements that return no rows. */
type BetterStatement = SqliteStatement & { readonly reader: boolean };
type BetterModule = {
  default: new (file: string, options: { readonly: boolean }) => BetterDatabase;
};

export async function openDriver(): Promise<SqliteDriver> {
  const specifier = ["better", "sqlite3"].join("-");
  const { default: Database } = (await import(specifier)) as BetterModule;
  return {
    name: "better-sqlite3",
    open: (file, { readOnly }): SqliteDatabase => {
      const db = new Database(file, { readonly: readOnly });
      return {
        exec: (sql) => {
          db.exec(sql);
        },
        prepare: <Row>(sql: string) => {
          const statement = db.prepare(sql);
          // The other drivers find no row where this one refuses to look for any.
          if (!statement.reader) {
            statement.get = (...parameters) => void statement.run(...parameters);
            statement.all = (...parameters) => {
              statement.run(...parameters);
              return [];
            };
          }
          return statement as unknown as SqliteStatement<Row>;
        },
        close: () => db.close(),
      };
    },
  };
}
