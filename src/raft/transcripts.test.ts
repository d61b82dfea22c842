/**
 * Replays the stories in testdata. `RAFT_TRANSCRIPTS=rewrite` writes them anew with what happens now: the difference
 * is the change of behaviour, to be read and judged before it is committed.
 */
import assert from "node:assert/strict";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { describe, it } from "node:test";
import { runCommand, Stage } from "./testing/transcript/commands.ts";
import { parseCommand, parseTranscript, printTranscript } from "./testing/transcript/parse.ts";

const folder = new URL("./testdata/", import.meta.url);
const rewrite = process.env["RAFT_TRANSCRIPTS"] === "rewrite";

describe("transcripts", () => {
  const files = readdirSync(folder).filter((file) => file.endsWith(".txt"));
  assert.ok(files.length > 0);
  for (const file of files) {
    it(file.replace(".txt", "").replaceAll("-", " "), () => {
      const path = new URL(file, folder);
      const steps = parseTranscript(readFileSync(path, "utf8"));
      const stage = new Stage();
      const outputs = steps.map((step) => {
        const output = runCommand(stage, parseCommand(step.command));
        if (!rewrite) assert.deepEqual(output, step.expected, `${file}:${step.line}: ${step.command}`);
        return output;
      });
      if (rewrite) writeFileSync(path, printTranscript(steps, outputs));
    });
  }
});
