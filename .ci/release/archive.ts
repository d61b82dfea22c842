/** Writes archives that depend on nothing but the files in them: fixed order, times, owners and modes. */
import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Zippable, zipSync } from "fflate";
import { create } from "tar";

/** All paths in a folder, sorted: a folder before what is in it. */
function pathsIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" }).sort();
}

/** Puts `folder`, which is in `parent`, into a gzipped tar file. Links stay links. */
export async function writeTarGz(file: string, parent: string, folder: string, date: Date): Promise<void> {
  const names = pathsIn(join(parent, folder));
  await create({ file, cwd: parent, gzip: { level: 9 }, portable: true, mtime: date, noDirRecurse: true }, [
    folder,
    ...names.map((name) => `${folder}/${name}`),
  ]);
}

/** Puts `folder` into a zip file, with Unix modes for those who unpack it there. */
export function writeZip(file: string, parent: string, folder: string, date: Date): void {
  const files: Zippable = {};
  for (const name of pathsIn(join(parent, folder))) {
    const path = join(parent, folder, name);
    if (statSync(path).isDirectory()) continue;
    const mode = 0o100000 | (statSync(path).mode & 0o111 ? 0o755 : 0o644);
    // Zip files have local times of two seconds' steps; that of UTC is the same everywhere.
    const local = new Date(date.getTime() + date.getTimezoneOffset() * 60_000);
    files[`${folder}/${name}`] = [readFileSync(path), { level: 9, mtime: local, os: 3, attrs: mode << 16 }];
  }
  writeFileSync(file, zipSync(files));
}
