import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it } from "node:test";
import { gunzipSync } from "node:zlib";
import { openLogOutput } from "./log-output.ts";
import { type LogRotation, RotatingFile } from "./rotating-file.ts";

const rotation: LogRotation = {
  maxBytes: 100,
  maxAgeDays: 0,
  maxBackups: 0,
  localTime: false,
  compress: false,
};
const dayMs = 86_400_000;
const nowMs = Date.UTC(2026, 0, 2, 3, 4, 5, 6);

describe("a rotating log", () => {
  let folder = "";
  const path = () => join(folder, "etcd.log");
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "etclite-rotate-"));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it("keeps every line in order, and no file larger than the limit", async () => {
    writeFileSync(path(), `${"x".repeat(94)}\n`);
    const output = openLogOutput([path()], undefined, rotation);
    const lines = Array.from({ length: 40 }, (_, i) => `line ${i}\n`);
    for (const line of lines) output.write(line, false);
    await output.flush();
    output.write("urgent\n", true);
    await output.close();
    const names = readdirSync(folder).filter((name) => name !== "etcd.log");
    const all = [...names.sort(), "etcd.log"].map((name) => readFileSync(join(folder, name), "utf8"));
    assert.ok(all.length > 3);
    for (const text of all) assert.ok(text.length <= 100 && text.endsWith("\n"), text);
    assert.equal(all.join(""), `${"x".repeat(94)}\n${lines.join("")}urgent\n`);
    assert.match(names[0]!, /^etcd-\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d\.\d{3}\.log$/);
  });

  it("names a full file by the time, and never over another one", async () => {
    const file = new RotatingFile(path(), rotation, () => nowMs);
    file.rotate();
    file.rotate();
    file.close();
    await file.tidied();
    const names = ["etcd-2026-01-02T03-04-05.006.log", "etcd-2026-01-02T03-04-05.007.log", "etcd.log"];
    assert.deepEqual(readdirSync(folder).sort(), names);
  });

  it("goes on in the old file when there cannot be a new one", async () => {
    const file = new RotatingFile(path(), rotation, () => nowMs);
    file.grow(100);
    assert.ok(!file.hasRoom(1));
    rmSync(folder, { recursive: true, force: true });
    file.rotate();
    writeSync(file.fd, "still a file");
    assert.ok(file.hasRoom(100));
    file.close();
    await file.tidied();
  });

  it("lets go of what is too much or too old, and of nothing else", async () => {
    const days = (ago: number) =>
      new Date(nowMs - ago * dayMs).toISOString().replaceAll(":", "-").slice(0, -1);
    const ours = [1, 2, 3, 9].map((ago) => `etcd-${days(ago)}.log`);
    const others = ["etcd-other.log", `peer-${days(9)}.log`, "etcd-2026.log.gz"];
    for (const name of [...ours, ...others]) writeFileSync(join(folder, name), name);
    const old = new RotatingFile(path(), { ...rotation, maxAgeDays: 5 }, () => nowMs);
    await old.tidied();
    old.close();
    assert.deepEqual(readdirSync(folder).sort(), [...ours.slice(0, 3), ...others, "etcd.log"].sort());
    const many = new RotatingFile(path(), { ...rotation, maxBackups: 2 }, () => nowMs);
    await many.tidied();
    many.close();
    assert.deepEqual(readdirSync(folder).sort(), [...ours.slice(0, 2), ...others, "etcd.log"].sort());
  });

  it("compresses what is full", async () => {
    const file = new RotatingFile(path(), { ...rotation, compress: true }, () => nowMs);
    writeFileSync(file.fd, "a line\n");
    file.rotate();
    await file.tidied();
    file.close();
    const name = "etcd-2026-01-02T03-04-05.006.log.gz";
    assert.deepEqual(readdirSync(folder).sort(), [name, "etcd.log"]);
    assert.equal(gunzipSync(readFileSync(join(folder, name))).toString(), "a line\n");
  });
});
