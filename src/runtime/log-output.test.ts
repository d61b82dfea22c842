import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { openLogOutput, queuedBytesMax } from "./log-output.ts";

describe("log output", () => {
  let folder = "";
  before(() => {
    folder = mkdtempSync(join(tmpdir(), "etclite-log-"));
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  it("appends lines to a file in order", async () => {
    const path = join(folder, "ordered.log");
    writeFileSync(path, "before\n");
    const output = openLogOutput([path]);
    for (let i = 0; i < 1_000; i++) {
      output.write(`line ${i}\n`, false);
      if (i % 100 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    await output.close();
    const lines = readFileSync(path, "utf8").split("\n");
    assert.deepEqual(lines, ["before", ...Array.from({ length: 1_000 }, (_, i) => `line ${i}`), ""]);
    assert.equal(output.droppedLines, 0);
  });

  it("writes to several outputs", async () => {
    const paths = [join(folder, "a.log"), join(folder, "b.log")];
    const output = openLogOutput(paths);
    output.write("é\n", false);
    await output.flush();
    assert.deepEqual(
      paths.map((path) => readFileSync(path, "utf8")),
      ["é\n", "é\n"],
    );
    await output.close();
  });

  it("has an urgent line written when it returns", () => {
    const path = join(folder, "urgent.log");
    const output = openLogOutput([path]);
    output.write("first\n", false);
    output.write("last\n", true);
    assert.equal(readFileSync(path, "utf8"), "first\nlast\n");
  });

  it("drops lines beyond its limit, counts them, and tells", async () => {
    const path = join(folder, "full.log");
    const told: number[] = [];
    const output = openLogOutput([path], (lines) => told.push(lines));
    const line = `${"x".repeat(1023)}\n`;
    const fitting = queuedBytesMax / line.length;
    // Nothing leaves before the next turn of the event loop.
    for (let i = 0; i < fitting + 7; i++) output.write(line, false);
    assert.equal(output.droppedLines, 7);
    await output.flush();
    assert.deepEqual(told, [7]);
    assert.equal(readFileSync(path, "utf8").length, queuedBytesMax);
    output.write("there is room again\n", false);
    await output.close();
    assert.equal(output.droppedLines, 7);
    assert.match(readFileSync(path, "utf8"), /there is room again\n$/);
  });

  it("refuses a file that cannot be opened in etcd's words", () => {
    const path = join(folder, "no", "such.log");
    assert.throws(() => openLogOutput(["stderr", path]), {
      message: `open sink "${path}": open ${path}: no such file or directory`,
    });
  });

  it("outlives a reader that goes away", async () => {
    // The child writes far more than a pipe holds while nobody reads, loses its reader, and still ends by itself.
    const module = new URL("./log-output.ts", import.meta.url).href;
    const script = join(folder, "writer.mjs");
    writeFileSync(
      script,
      `import { openLogOutput } from ${JSON.stringify(module)};
       const output = openLogOutput(["stdout"]);
       for (let i = 0; i < 2000; i++) output.write("x".repeat(1023) + "\\n", false);
       await output.flush();
       for (let i = 0; i < 10; i++) output.write("more\\n", true);
       process.exitCode = output.droppedLines > 0 ? 42 : 43;`,
    );
    const child = spawn(process.execPath, [...runtimeArguments(), script], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const ended = new Promise((resolve) => child.once("exit", (code, signal) => resolve(code ?? signal)));
    await new Promise((resolve) => child.stdout.once("data", resolve));
    child.stdout.destroy();
    assert.equal(await ended, 42);
  });
});

/** How this runtime runs a file with all permissions. */
function runtimeArguments(): string[] {
  return process.versions["deno"] === undefined ? [] : ["run", "-A", "--no-check"];
}
