/** The program as a process: what goes to which stream, and with which status it ends. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import packageJson from "../../package.json" with { type: "json" };

const main = fileURLToPath(new URL("./main.ts", import.meta.url));
const deno = process.versions["deno"] === undefined ? [] : ["run", "-A", "--no-check"];

describe("the program", () => {
  let folder = "";
  before(() => {
    folder = mkdtempSync(join(tmpdir(), "etclite-cmd-"));
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  function run(args: string[], env: Record<string, string> = {}) {
    // HOME is for runtimes that keep a cache there; the program itself needs none.
    const inherited = { PATH: process.env["PATH"] ?? "", HOME: process.env["HOME"] ?? "" };
    const { status, stdout, stderr } = spawnSync(process.execPath, [...deno, main, ...args], {
      cwd: folder,
      env: { ...inherited, ...env },
      encoding: "utf8",
      timeout: 60_000,
    });
    return { status, stdout, stderr };
  }

  /** Lines of the log without their time. */
  function lines(text: string): Record<string, unknown>[] {
    return text
      .trim()
      .split("\n")
      .map((line) => {
        const { ts, ...rest } = JSON.parse(line);
        assert.match(ts, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}(Z|[+-]\d{4})$/);
        return rest;
      });
  }

  it("prints etcd's version lines and its own", () => {
    for (const args of [["--version"], ["-version"], ["--name", "a", "--version=true"]]) {
      const { status, stdout, stderr } = run(args);
      assert.deepEqual([status, stderr], [0, ""]);
      const shown = stdout.split("\n");
      assert.equal(shown[0], "etcd Version: 3.7.3");
      assert.match(shown[1] ?? "", /^Git SHA: \S/);
      assert.match(shown[2] ?? "", /^Go Version: none \((Bun|Node|Deno) \d+\.\d+\.\d+/);
      assert.match(shown[3] ?? "", /^Go OS\/Arch: [a-z]+\/[a-z0-9]+$/);
      assert.equal(shown[4], `etclite Version: ${packageJson.version}`);
      assert.equal(shown.length, 6);
    }
  });

  it("prints the list of flags to stdout and the usage to stderr", () => {
    const { status, stdout, stderr } = run(["--help"]);
    assert.equal(status, 0);
    assert.match(stderr, /^Usage:\n/);
    assert.match(stdout, /\n {2}--listen-client-urls 'http:\/\/localhost:2379'\n/);
  });

  it("ends with 2 and the usage for a command line that cannot be read", () => {
    const { status, stdout, stderr } = run(["--listen-client-url=x"]);
    assert.deepEqual([status, stdout], [2, ""]);
    const shown = stderr.split("\n");
    assert.deepEqual(shown.slice(0, 3), [
      "flag provided but not defined: -listen-client-url",
      "did you mean --listen-client-urls?",
      "Usage:",
    ]);
  });

  it("ends with 1 and etcd's lines for settings that do not go together", () => {
    const { status, stdout, stderr } = run(["--listen-client-urls=http://127.0.0.1:37000"]);
    assert.deepEqual([status, stdout], [1, ""]);
    const error = "--advertise-client-urls is required when --listen-client-urls is set explicitly";
    const [running, failed, unset, ...more] = lines(stderr);
    assert.equal(running?.["msg"], "Running: ");
    assert.deepEqual((running?.["args"] as string[] | undefined)?.slice(1), [
      "--listen-client-urls=http://127.0.0.1:37000",
    ]);
    const from = { level: "warn", caller: "config/load.ts" };
    assert.deepEqual(failed, { ...from, msg: "failed to verify flags", error });
    assert.deepEqual(unset, { ...from, msg: "advertise client URLs are not set", error });
    assert.deepEqual(more, []);
  });

  it("ends with 1 and a fatal line for a flag that is also a variable", () => {
    const { status, stderr } = run(["--name", "b"], { ETCD_NAME: "a" });
    assert.equal(status, 1);
    assert.deepEqual(lines(stderr).at(-1), {
      level: "fatal",
      caller: "config/environment.ts",
      msg: "conflicting environment variable is shadowed by corresponding command-line flag (either unset environment variable or disable flag))",
      "environment-variable": "ETCD_NAME",
    });
  });

  it("writes refusals where the log goes", () => {
    const { status, stderr } = run([
      "--log-outputs=refused.log",
      "--log-format=console",
      "--auto-compaction-mode=x",
    ]);
    assert.deepEqual([status, stderr], [1, ""]);
    const log = readFileSync(join(folder, "refused.log"), "utf8");
    assert.match(
      log,
      /\twarn\tconfig\/load\.ts\tfailed to verify flags\t\{"error": "unknown auto-compaction-mode/,
    );
  });

  it("refuses a log that cannot be opened in etcd's words", () => {
    const { status, stderr } = run(["--log-outputs=no/such.log"]);
    assert.equal(status, 1);
    assert.equal(
      lines(stderr).at(-1)?.["error"],
      'open sink "no/such.log": open no/such.log: no such file or directory',
    );
  });

  it("says where a file is wrong", () => {
    writeFileSync(join(folder, "bad.yml"), "name: a\nnmae: b\n");
    const { status, stderr } = run(["--config-file", "bad.yml"]);
    assert.equal(status, 1);
    assert.equal(lines(stderr).at(-1)?.["error"], 'bad.yml:2:1: unknown key "nmae"; did you mean "name"?');
  });

  it("does not log passwords", () => {
    const { stderr } = run(["--discovery-password=hunter2", "--auto-compaction-mode=x"]);
    assert.ok(!stderr.includes("hunter2"));
  });
});
