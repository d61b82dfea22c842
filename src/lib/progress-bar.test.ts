import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { progressBar } from "./progress-bar.ts";

function screen(isTerminal: boolean) {
  const written: string[] = [];
  return { written, isTerminal, err: (text: string) => void written.push(text) };
}

describe("a progress bar", () => {
  it("is written for somebody who sees it, and taken away", () => {
    const seen = screen(true);
    const bar = progressBar(seen, "checking");
    bar.at(1, 2, "keys");
    bar.end();
    assert.deepEqual(seen.written, [
      `\rchecking keys ${"━".repeat(15)}${"·".repeat(15)} 50%\x1b[K`,
      "\r\x1b[K",
    ]);
    const unseen = screen(false);
    const none = progressBar(unseen, "checking");
    none.at(1, 2);
    none.end();
    assert.deepEqual(unseen.written, []);
  });

  it("names the part whose length is not known", () => {
    const seen = screen(true);
    progressBar(seen, "checking").at(0, 0, "structure");
    progressBar(seen, "reading").at(0, 0);
    assert.deepEqual(seen.written, ["\rchecking structure\x1b[K"]);
  });
});
