/** etcdctl put, get and del. */
import assert from "node:assert/strict";
import { fromBinary } from "@bufbuild/protobuf";
import { RangeResponseSchema } from "../../../src/gen/etcdserverpb/rpc_pb.ts";
import { base64, type CtlContext, type JsonHeader, type JsonKv, text } from "./ctl.ts";

export async function kvChecks(context: CtlContext): Promise<void> {
  await putChecks(context);
  await getChecks(context);
  await orderChecks(context);
  await formatChecks(context);
  await delChecks(context);
}

async function putChecks({ ctl, report }: CtlContext): Promise<void> {
  await report.check("put and get", async () => {
    assert.equal(await ctl.ok(["put", "put/a", "one"]), "OK\n");
    assert.equal(await ctl.ok(["get", "put/a"]), "put/a\none\n");
    assert.equal(await ctl.ok(["get", "put/none"]), "");
  });
  await report.check("put advances the revision by one", async () => {
    const first = await ctl.put("put/r", "1");
    assert.equal(await ctl.put("put/r", "2"), first + 1);
    const [kv] = await ctl.kvs(["put/r"]);
    assert.deepEqual([kv?.create_revision, kv?.mod_revision, kv?.version], [first, first + 1, 2]);
  });
  await report.check("put --prev-kv", async () => {
    assert.equal(await ctl.ok(["put", "--prev-kv", "put/p", "1"]), "OK\n");
    assert.equal(await ctl.ok(["put", "--prev-kv", "put/p", "2"]), "OK\nput/p\n1\n");
    const { prev_kv } = await ctl.json<{ prev_kv: JsonKv }>(["put", "--prev-kv", "put/p", "3"]);
    assert.deepEqual([prev_kv.key, prev_kv.value, prev_kv.version], [base64("put/p"), base64("2"), 2]);
  });
  await report.check("put --ignore-value, --ignore-lease", async () => {
    await ctl.fails(["put", "--ignore-value", "put/i"], "etcdserver: key not found", 1);
    await ctl.fails(["put", "--ignore-lease", "put/i", "v"], "etcdserver: key not found", 1);
    await ctl.put("put/i", "kept");
    assert.equal(await ctl.ok(["put", "--ignore-value", "put/i"]), "OK\n");
    const [kv] = await ctl.kvs(["put/i"]);
    assert.deepEqual([text(kv?.value), kv?.version], ["kept", 2]);
  });
  await report.check("put of odd keys and values", async () => {
    assert.equal(await ctl.ok(["put", "put/stdin"], { input: "from\nstdin" }), "OK\n");
    assert.equal(await ctl.ok(["get", "--print-value-only", "put/stdin"]), "from\nstdin\n");
    assert.equal(await ctl.ok(["put", "--", "put/dash", "-v"]), "OK\n");
    assert.equal(await ctl.ok(["get", "put/dash"]), "put/dash\n-v\n");
    await ctl.put("put/empty", "");
    assert.equal(await ctl.ok(["get", "put/empty"]), "put/empty\n\n");
    await ctl.put("put/ключ 鍵", "значение 値");
    assert.equal(await ctl.ok(["get", "put/ключ 鍵"]), "put/ключ 鍵\nзначение 値\n");
    await ctl.fails(["put", "", "v"], "etcdserver: key is not provided", 1);
  });
  await report.check("put of a value up to the limit, and over it", async () => {
    const big = "x".repeat(1_500_000);
    assert.equal(await ctl.ok(["put", "put/big"], { input: big }), "OK\n");
    assert.equal(await ctl.ok(["get", "--print-value-only", "put/big"]), `${big}\n`);
    await ctl.fails(["put", "put/big"], "etcdserver: request is too large", 1, "x".repeat(1_600_000));
    const more = ["put", "put/big", "--max-request-bytes=100000000"];
    await ctl.fails(more, /received message larger than max \(\d+ vs\. 2097152\)/, 1, "x".repeat(3_000_000));
  });
}

async function getChecks({ ctl, report }: CtlContext): Promise<void> {
  const all = ["get/a", "get/b", "get/b1", "get/c", "get/d"];
  for (const key of all) await ctl.put(key, `v-${key}`);
  const keys = (args: readonly string[]) => ctl.kvs(args).then((kvs) => kvs.map((kv) => text(kv.key)));

  await report.check("get --prefix, a range, --from-key", async () => {
    assert.deepEqual(await keys(["--prefix", "get/"]), all);
    assert.deepEqual(await keys(["--prefix", "get/b"]), ["get/b", "get/b1"]);
    assert.deepEqual(await keys(["get/b", "get/d"]), ["get/b", "get/b1", "get/c"]);
    assert.deepEqual((await keys(["--from-key", "get/c"])).slice(0, 2), ["get/c", "get/d"]);
    assert.deepEqual(await keys(["get/d", "get/b"]), []);
    assert.ok((await keys(["--prefix", ""])).length >= all.length);
  });
  await report.check("get --limit", async () => {
    const page = await ctl.json<{ kvs: JsonKv[]; more?: boolean; count: number }>([
      ...["get", "--prefix", "get/", "--limit=2"],
    ]);
    assert.deepEqual([page.kvs.length, page.more, page.count], [2, true, all.length]);
    const whole = await ctl.json<{ more?: boolean }>(["get", "--prefix", "get/", `--limit=${all.length}`]);
    assert.equal(whole.more ?? false, false);
  });
  await report.check("get --keys-only, --print-value-only", async () => {
    assert.equal(await ctl.ok(["get", "--keys-only", "get/a", "get/b1"]), "get/a\n\nget/b\n\n");
    assert.equal(await ctl.ok(["get", "--print-value-only", "get/a", "get/b1"]), "v-get/a\nv-get/b\n");
  });
  await report.check("get --count-only", async () => {
    const fields = await ctl.lines(["get", "--count-only", "--prefix", "get/", "-w", "fields"]);
    assert.ok(fields.includes(`"Count" : ${all.length}`), fields.join("\n"));
    assert.ok(!fields.some((line) => line.startsWith('"Key"')));
  });
  await report.check("get --consistency=s", async () => {
    assert.equal(await ctl.ok(["get", "--consistency=s", "get/a"]), "get/a\nv-get/a\n");
  });
  await report.check("get --stream", async () => {
    const args = ["get", "--prefix", "get/"];
    assert.equal(await ctl.ok([...args, "--stream"]), await ctl.ok(args));
  });
  await report.check("get --rev in the past and in the future", async () => {
    const first = await ctl.put("get/rev", "1");
    await ctl.put("get/rev", "2");
    await ctl.ok(["del", "get/rev"]);
    const at = (revision: number) => ctl.ok(["get", `--rev=${revision}`, "--print-value-only", "get/rev"]);
    assert.deepEqual([await at(first - 1), await at(first), await at(first + 1)], ["", "1\n", "2\n"]);
    assert.equal(await at(first + 2), "");
    const future = "etcdserver: mvcc: required revision is a future revision";
    await ctl.fails(["get", `--rev=${first + 1000}`, "get/rev"], future, 1);
  });
}

async function orderChecks({ ctl, report }: CtlContext): Promise<void> {
  // Five keys that every sort target puts into another order.
  const first = await ctl.put("sort/c", "3");
  await ctl.put("sort/a", "9");
  await ctl.put("sort/b", "5");
  await ctl.put("sort/b", "4");
  await ctl.put("sort/c", "7");
  await ctl.put("sort/c", "2");
  const order = async (...args: string[]) =>
    (await ctl.kvs(["--prefix", "sort/", ...args])).map((kv) => text(kv.key).slice(-1)).join("");

  await report.check("get --sort-by, --order", async () => {
    assert.equal(await order("--sort-by=KEY"), "abc");
    assert.equal(await order("--sort-by=KEY", "--order=DESCEND"), "cba");
    assert.equal(await order("--sort-by=CREATE", "--order=ASCEND"), "cab");
    assert.equal(await order("--sort-by=CREATE", "--order=DESCEND"), "bac");
    assert.equal(await order("--sort-by=MODIFY", "--order=ASCEND"), "abc");
    assert.equal(await order("--sort-by=VERSION", "--order=DESCEND"), "cba");
    assert.equal(await order("--sort-by=VALUE", "--order=ASCEND"), "cba");
    assert.equal(await order("--sort-by=VALUE", "--order=DESCEND", "--limit=1"), "a");
  });
  await report.check("get by create and mod revision", async () => {
    assert.equal(await order(`--min-mod-rev=${first + 3}`), "bc");
    assert.equal(await order(`--max-mod-rev=${first + 3}`), "ab");
    assert.equal(await order(`--min-create-rev=${first + 1}`), "ab");
    assert.equal(await order(`--max-create-rev=${first + 1}`), "ac");
  });
}

async function formatChecks({ ctl, report }: CtlContext): Promise<void> {
  const revision = await ctl.put("fmt/a", "one");
  await report.check("get -w json", async () => {
    const answer = await ctl.json<JsonHeader & { kvs: JsonKv[]; count: number }>(["get", "fmt/a"]);
    assert.ok(answer.header.cluster_id > 0 && answer.header.member_id > 0 && answer.header.raft_term > 0);
    assert.equal(answer.header.revision, revision);
    const kv = { key: base64("fmt/a"), create_revision: revision, mod_revision: revision, version: 1 };
    assert.deepEqual(answer.kvs, [{ ...kv, value: base64("one") }]);
    assert.equal(answer.count, 1);
  });
  await report.check("get -w fields", async () => {
    const lines = await ctl.lines(["get", "fmt/a", "-w", "fields"]);
    assert.deepEqual(lines.slice(4), [
      '"Key" : "fmt/a"',
      `"CreateRevision" : ${revision}`,
      `"ModRevision" : ${revision}`,
      '"Version" : 1',
      '"Value" : "one"',
      '"Lease" : 0',
      '"More" : false',
      '"Count" : 1',
    ]);
    const names = lines.slice(0, 4).map((line) => line.split(" ")[0]);
    assert.deepEqual(names, ['"ClusterID"', '"MemberID"', '"Revision"', '"RaftTerm"']);
  });
  await report.check("get -w protobuf", async () => {
    const { bytes } = await ctl.run(["get", "fmt/a", "-w", "protobuf"]);
    const answer = fromBinary(RangeResponseSchema, bytes);
    assert.equal(new TextDecoder().decode(answer.kvs[0]?.value), "one");
    assert.equal(answer.header?.revision, BigInt(revision));
  });
  await report.check("get -w table is refused, --hex", async () => {
    await ctl.fails(["get", "fmt/a", "-w", "table"], "table not supported as output format");
    assert.equal(await ctl.ok(["get", "fmt/a", "--hex"]), "\\x66\\x6d\\x74\\x2f\\x61\n\\x6f\\x6e\\x65\n");
  });
}

async function delChecks({ ctl, report }: CtlContext): Promise<void> {
  const fill = async () => {
    for (const key of ["a", "b", "c", "d"]) await ctl.put(`zdel/${key}`, key);
  };
  await report.check("del", async () => {
    await fill();
    assert.equal(await ctl.ok(["del", "zdel/a"]), "1\n");
    assert.equal(await ctl.ok(["del", "zdel/a"]), "0\n");
    assert.equal(await ctl.ok(["get", "zdel/a"]), "");
  });
  await report.check("del --prev-kv", async () => {
    await fill();
    assert.equal(await ctl.ok(["del", "--prev-kv", "zdel/b"]), "1\nzdel/b\nb\n");
    const { deleted, prev_kvs } = await ctl.json<{ deleted: number; prev_kvs: JsonKv[] }>([
      ...["del", "--prev-kv", "--prefix", "zdel/"],
    ]);
    assert.deepEqual([deleted, prev_kvs.map((kv) => text(kv.value)).join("")], [3, "acd"]);
  });
  await report.check("del of a range, --from-key, --prefix", async () => {
    await fill();
    assert.equal(await ctl.ok(["del", "--range", "zdel/a", "zdel/c"]), "2\n");
    assert.equal(await ctl.ok(["del", "--from-key", "zdel/d"]), "1\n");
    assert.equal(await ctl.ok(["del", "--prefix", "zdel/"]), "1\n");
  });
  await report.check("del of several keys is one revision, of none is none", async () => {
    await fill();
    const before = await ctl.put("zdel/e", "e");
    const several = await ctl.json(["del", "--prefix", "zdel/"]);
    assert.equal(several.header.revision, before + 1);
    const none = await ctl.json(["del", "--prefix", "zdel/"]);
    assert.equal(none.header.revision, before + 1);
  });
  await report.check("a deleted key that is put again starts at version 1", async () => {
    await ctl.put("zdel/again", "1");
    await ctl.put("zdel/again", "2");
    await ctl.ok(["del", "zdel/again"]);
    const revision = await ctl.put("zdel/again", "3");
    const [kv] = await ctl.kvs(["zdel/again"]);
    assert.deepEqual([kv?.version, kv?.create_revision], [1, revision]);
  });
}
