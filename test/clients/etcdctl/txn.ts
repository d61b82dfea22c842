/** etcdctl txn. */
import assert from "node:assert/strict";
import type { CtlContext, JsonHeader, JsonKv } from "./ctl.ts";

/** The three parts of a transaction as etcdctl reads them: compares, then, else. */
const script = (compares: string[], then: string[], otherwise: string[]): string =>
  `${[compares, then, otherwise].map((part) => part.map((line) => `${line}\n`).join("")).join("\n")}\n`;

export async function txnChecks({ ctl, report }: CtlContext): Promise<void> {
  const run = (compares: string[], then: string[], otherwise: string[]) =>
    ctl.lines(["txn"], { input: script(compares, then, otherwise) });

  await report.check("txn that succeeds and one that does not", async () => {
    await ctl.put("txn/a", "1");
    const yes = await run(['value("txn/a") = "1"'], ["put txn/a 2", "get txn/a"], ["put txn/a 3"]);
    assert.deepEqual(yes, ["SUCCESS", "", "OK", "", "txn/a", "2"]);
    const no = await run(['value("txn/a") = "1"'], ["put txn/a 4"], ["get txn/a", "put txn/b else"]);
    assert.deepEqual(no, ["FAILURE", "", "txn/a", "2", "", "OK"]);
  });
  // Not by lease: etcdctl 3.7.3 panics on that. Go's client compares by it.
  await report.check("txn compares by every target", async () => {
    const revision = await ctl.put("txn/c", "m");
    const holds = async (compare: string) => (await run([compare], [], [])).at(0) === "SUCCESS";
    for (const [target, low, same, high] of [
      ["value", "l", "m", "n"],
      ["version", 0, 1, 2],
      ["mod", revision - 1, revision, revision + 1],
      ["create", revision - 1, revision, revision + 1],
    ]) {
      const compares = [
        `= "${same}"`,
        `> "${low}"`,
        `< "${high}"`,
        `= "${high}"`,
        `> "${same}"`,
        `< "${same}"`,
      ];
      const verdicts = await Promise.all(compares.map((compare) => holds(`${target}("txn/c") ${compare}`)));
      assert.deepEqual(verdicts, [true, true, true, false, false, false], `${target}`);
    }
  });
  await report.check("txn compares a key that is not there", async () => {
    assert.equal((await run(['create("txn/none") = "0"'], [], []))[0], "SUCCESS");
    assert.equal((await run(['version("txn/none") = "0"'], [], []))[0], "SUCCESS");
    assert.equal((await run(['value("txn/none") = ""'], [], []))[0], "FAILURE");
  });
  await report.check("txn needs all its compares", async () => {
    await ctl.put("txn/d", "1");
    const both = await run(['value("txn/d") = "1"', 'version("txn/d") > "5"'], ["put txn/d 2"], []);
    assert.equal(both[0], "FAILURE");
    assert.equal(await ctl.ok(["get", "--print-value-only", "txn/d"]), "1\n");
  });
  await report.check("txn is one revision", async () => {
    const before = await ctl.put("txn/e", "1");
    const input = script([], ["put txn/f 1", "put txn/g 1", "del txn/e"], []);
    const answer = await ctl.json<JsonHeader>(["txn"], { input });
    assert.equal(answer.header.revision, before + 1);
    const kvs: JsonKv[] = await ctl.kvs(["txn/f", "txn/h"]);
    assert.deepEqual(new Set(kvs.map((kv) => kv.mod_revision)), new Set([before + 1]));
  });
  await report.check("txn refuses a key put twice and does nothing", async () => {
    const input = script([], ["put txn/twice 1", "put txn/twice 2"], []);
    await ctl.fails(["txn"], "etcdserver: duplicate key given in txn request", 1, input);
    assert.equal(await ctl.ok(["get", "txn/twice"]), "");
  });
  await report.check("txn refuses more operations than --max-txn-ops", async () => {
    const many = Array.from({ length: 129 }, (_, i) => `put txn/many/${i} 1`);
    await ctl.fails(["txn"], "etcdserver: too many operations in txn request", 1, script([], many, []));
    assert.equal((await run([], many.slice(1), []))[0], "SUCCESS");
  });
}
