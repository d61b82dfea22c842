import assert from "node:assert/strict";
import { chmod, mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { createLogger } from "../../lib/logger.ts";
import { makeAccessible } from "./data-access.ts";

describe("the data folder", () => {
  let dir: string;
  const lines: string[] = [];
  const logger = createLogger({
    sink: { write: (line) => void lines.push(line) },
    wallMs: () => 0,
    level: "info",
    format: "json",
    caller: "test",
  });
  before(async () => {
    dir = await mkdtemp(join(tmpdir(), "data-access-"));
  });
  after(() => rm(dir, { recursive: true, force: true }));

  it("is made for its owner alone", async () => {
    const made = join(dir, "a", "b");
    await makeAccessible("data", made, logger);
    assert.equal((await stat(made)).mode & 0o777, 0o700);
    await makeAccessible("data", made, logger);
    assert.deepEqual(lines, []);
  });

  it("is warned of when others may read it", async () => {
    if (process.platform === "win32") return;
    const open = join(dir, "open");
    await makeAccessible("member", open, logger);
    await chmod(open, 0o750);
    await makeAccessible("member", open, logger);
    assert.equal(lines.length, 1);
    const { level, msg, error } = JSON.parse(lines[0]!);
    assert.deepEqual([level, msg], ["warn", "check file permission"]);
    assert.match(error, /exist, but the permission is "drwxr-x---"\. The recommended permission is/);
  });

  it("is no file", async () => {
    const file = join(dir, "file");
    await writeFile(file, "");
    await assert.rejects(makeAccessible("member", file, logger), {
      message: `cannot access member directory: open ${file}: not a directory`,
    });
    await assert.rejects(makeAccessible("data", join(file, "below"), logger), {
      message: `cannot access data directory: mkdir ${join(file, "below")}: not a directory`,
    });
  });
});
