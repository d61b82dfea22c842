import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { nodeDisk, type WriteSome, writeAll } from "./disk.ts";

const windows = process.platform === "win32";

describe("nodeDisk", () => {
  let root = "";
  before(() => {
    root = mkdtempSync(join(tmpdir(), "disk-"));
  });
  after(() => {
    rmSync(root, { recursive: true, force: true });
  });

  it("writes, reads, shortens and closes a file", async () => {
    const path = join(root, "file");
    const file = await nodeDisk.open(path, "create");
    await file.write(Uint8Array.from([1, 2, 3, 4]), 0);
    await file.writeDurably(Uint8Array.from([9, 8]), 3);
    await file.sync();
    assert.equal(await file.size(), 5);
    const into = new Uint8Array(10);
    assert.equal(await file.read(into, 1), 4);
    assert.deepEqual([...into.subarray(0, 4)], [2, 3, 9, 8]);
    assert.equal(await file.read(into, 5), 0);
    await file.truncate(2);
    await file.close();
    assert.deepEqual([...readFileSync(path)], [1, 2]);
    if (!windows) assert.equal(statSync(path).mode & 0o777, 0o600);
  });

  it("distinguishes the ways to open", async () => {
    const path = join(root, "modes");
    await assert.rejects(nodeDisk.open(path, "read"), { code: "ENOENT" });
    await assert.rejects(nodeDisk.open(path, "write"), { code: "ENOENT" });
    const created = await nodeDisk.open(path, "create");
    await created.write(Uint8Array.from([7]), 0);
    await created.close();
    const reading = await nodeDisk.open(path, "read");
    await assert.rejects(reading.write(Uint8Array.from([1]), 0));
    await reading.close();
    const again = await nodeDisk.open(path, "create");
    assert.equal(await again.size(), 0);
    await again.close();
  });

  // Elsewhere there is no /proc to look at.
  if (process.platform === "linux") {
    it("lets the kernel sync each durable write, except where writes run on the event loop", async () => {
      const path = join(root, "dsync");
      const file = await nodeDisk.open(path, "create");
      await file.writeDurably(Uint8Array.from([1]), 0);
      const flags: number[] = [];
      for (const fd of readdirSync("/proc/self/fd")) {
        try {
          if (readlinkSync(`/proc/self/fd/${fd}`) !== path) continue;
        } catch {
          continue; // the one that readdir itself used
        }
        const info = readFileSync(`/proc/self/fdinfo/${fd}`, "utf8");
        flags.push(Number.parseInt(/flags:\s+([0-7]+)/.exec(info)![1]!, 8));
      }
      const dsync = flags.filter((flag) => (flag & 0o10000) !== 0).length;
      assert.equal(dsync, process.versions["deno"] === undefined ? 1 : 0);
      await file.close();
    });
  }

  it("makes folders with their parents, and does not mind existing ones", async () => {
    const dir = join(root, "a", "b", "c");
    await nodeDisk.makeDir(dir);
    await nodeDisk.makeDir(dir);
    assert.ok(statSync(dir).isDirectory());
    if (!windows) assert.equal(statSync(dir).mode & 0o777, 0o700);
    assert.deepEqual(await nodeDisk.list(join(root, "a")), ["b"]);
    await assert.rejects(nodeDisk.list(join(root, "none")), { code: "ENOENT" });
  });

  it("renames and removes", async () => {
    const dir = join(root, "names");
    await nodeDisk.makeDir(dir);
    await (await nodeDisk.open(join(dir, "x"), "create")).close();
    await nodeDisk.rename(join(dir, "x"), join(dir, "y"));
    await nodeDisk.syncDir(dir);
    assert.deepEqual(await nodeDisk.list(dir), ["y"]);
    await nodeDisk.remove(join(dir, "y"));
    assert.deepEqual(await nodeDisk.list(dir), []);
    await assert.rejects(nodeDisk.remove(join(dir, "y")), { code: "ENOENT" });
  });
});

describe("writeAll", () => {
  it("goes on after a short write", async () => {
    const target = new Uint8Array(20);
    const calls: number[] = [];
    const threeAtMost: WriteSome = async (bytes, offset, position) => {
      const part = bytes.subarray(offset, offset + 3);
      target.set(part, position);
      calls.push(part.length);
      return part.length;
    };
    await writeAll(
      threeAtMost,
      Uint8Array.from({ length: 10 }, (_, i) => i + 1),
      5,
    );
    assert.deepEqual(calls, [3, 3, 3, 1]);
    assert.deepEqual([...target.subarray(5, 15)], [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  });

  it("gives up when nothing is written, and passes errors on", async () => {
    await assert.rejects(
      writeAll(async () => 0, new Uint8Array(1), 0),
      { code: "EIO" },
    );
    const full = Object.assign(new Error("full"), { code: "ENOSPC" });
    let calls = 0;
    const thenFull: WriteSome = async () => {
      if (calls++ > 0) throw full;
      return 1;
    };
    await assert.rejects(writeAll(thenFull, new Uint8Array(2), 0), full);
  });
});
