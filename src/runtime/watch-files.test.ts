import { mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { watchFiles } from "./watch-files.ts";

async function within(work: (dir: string) => Promise<void>): Promise<void> {
  const dir = mkdtempSync(join(tmpdir(), "watch-files-"));
  try {
    await work(dir);
  } finally {
    rmSync(dir, { recursive: true });
  }
}

/** Calls that come one after the other, each waited for. */
function calls(): { call: () => void; next: () => Promise<void> } {
  let count = 0;
  let seen = 0;
  let wake = () => {};
  return {
    call: () => {
      count++;
      wake();
    },
    async next() {
      while (count === seen) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
      seen = count;
    },
  };
}

// What keeps a test alive while it waits: looking at files does not.
const alive = () => setInterval(() => {}, 1000);

describe("watchFiles", () => {
  it("tells when a file is written, exchanged, gone and back", () =>
    within(async (dir) => {
      const keepAlive = alive();
      const [a, b] = [join(dir, "a"), join(dir, "b")];
      writeFileSync(a, "1");
      const { call, next } = calls();
      const watching = watchFiles([a, b], call, 5);
      writeFileSync(a, "22");
      await next();
      writeFileSync(b, "1");
      await next();
      writeFileSync(join(dir, "new"), "22");
      renameSync(join(dir, "new"), a);
      await next();
      rmSync(b);
      await next();
      watching.close();
      clearInterval(keepAlive);
    }));

  it("follows links that are exchanged", () =>
    within(async (dir) => {
      const keepAlive = alive();
      const at = (name: string) => join(dir, name);
      writeFileSync(at("one"), "1");
      writeFileSync(at("two"), "2");
      symlinkSync(at("one"), at("link"));
      const { call, next } = calls();
      const watching = watchFiles([at("link")], call, 5);
      symlinkSync(at("two"), at("link.new"));
      renameSync(at("link.new"), at("link"));
      await next();
      watching.close();
      clearInterval(keepAlive);
    }));
});
