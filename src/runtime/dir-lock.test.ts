import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { DirInUseError, lockDir, lockFileName } from "./dir-lock.ts";

const holder = fileURLToPath(new URL("./testing/lock-holder.ts", import.meta.url));

/** A process of the same runtime that tries to lock `dir`, and what it says. If it got the lock it keeps it. */
async function lockInAnotherProcess(dir: string): Promise<{ child: ChildProcess; said: string }> {
  const deno = process.versions["deno"] !== undefined;
  const args = deno ? ["run", "-A", "--no-check", holder, dir] : [holder, dir];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
  const [line] = await once(child.stdout!, "data");
  return { child, said: String(line).trim() };
}

describe("lockDir", () => {
  let root = "";
  before(() => {
    root = mkdtempSync(join(tmpdir(), "dir-lock-"));
  });
  after(() => {
    rmSync(root, { recursive: true, force: true });
  });
  const folder = (name: string): string => {
    const dir = join(root, name);
    mkdirSync(dir);
    return dir;
  };

  it("refuses a second lock in the same process, until the first is released", async () => {
    const dir = folder("same-process");
    const lock = await lockDir(dir);
    await assert.rejects(lockDir(dir), DirInUseError);
    // The refused attempt has not taken the lock away.
    await assert.rejects(lockDir(dir), { name: "DirInUseError", message: new RegExp(`${dir} is in use`) });
    lock.release();
    (await lockDir(dir)).release();
  });

  it("leaves one empty file", async () => {
    const dir = folder("one-file");
    const lock = await lockDir(dir);
    assert.deepEqual(readdirSync(dir), [lockFileName]);
    assert.equal(statSync(join(dir, lockFileName)).size, 0);
    lock.release();
    assert.deepEqual(readdirSync(dir), [lockFileName]);
  });

  it("locks folders independently", async () => {
    const locks = [await lockDir(folder("a")), await lockDir(folder("b"))];
    for (const lock of locks) lock.release();
  });

  it("is held against another process, and freed by the system when its holder is killed", async () => {
    const dir = folder("two-processes");
    const { child, said } = await lockInAnotherProcess(dir);
    try {
      assert.equal(said, "locked");
      await assert.rejects(lockDir(dir), DirInUseError);
    } finally {
      child.kill("SIGKILL");
      await once(child, "exit");
    }
    (await lockDir(dir)).release();
  });

  it("refuses another process", async () => {
    const dir = folder("refuses");
    const lock = await lockDir(dir);
    const { child, said } = await lockInAnotherProcess(dir);
    child.kill();
    assert.equal(said, "refused: DirInUseError");
    lock.release();
  });

  it("says why a lock file cannot be made", async () => {
    await assert.rejects(lockDir(join(root, "no-such-folder")), { code: "ENOENT" });
  });
});
