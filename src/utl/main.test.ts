import assert from "node:assert/strict";
import { it } from "node:test";
import { runUtl } from "./main.ts";

async function utl(...words: string[]): Promise<{ status: number; out: string; err: string }> {
  const texts = { out: "", err: "" };
  const status = await runUtl(words, {
    out: (text) => {
      texts.out += text;
    },
    err: (text) => {
      texts.err += text;
    },
  });
  return { status, ...texts };
}

it("makes scripts for shells, and answers them", async () => {
  const { status, out } = await utl("completion", "bash");
  assert.equal(status, 0);
  assert.match(out, /^complete -o default -F __etcdutl_complete etcdutl$/m);
  assert.equal((await utl("completion")).status, 1);
  assert.equal((await utl("__complete", "snapshot", "re")).out.split("\t")[0], "restore");
});

it("explains why nothing is migrated", async () => {
  const missing = await utl("migrate", "--data-dir", "x");
  assert.deepEqual(
    [missing.status, missing.err.split("\n")[0]],
    [1, 'Error: required flag(s) "target-version" not set'],
  );
  const { status, err } = await utl("migrate", "--data-dir", "x", "--target-version", "3.6");
  assert.equal(status, 1);
  assert.match(err, /utl export --to-etcd/);
});
