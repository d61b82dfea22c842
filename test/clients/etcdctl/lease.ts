/** etcdctl lease, and lock and elect, which live on leases. */
import assert from "node:assert/strict";
import { eventually } from "../../support/report.ts";
import { base64, type Ctl, type CtlContext } from "./ctl.ts";

async function grant(ctl: Ctl, seconds: number): Promise<string> {
  const output = await ctl.ok(["lease", "grant", String(seconds)]);
  const match = /^lease ([0-9a-f]{16}) granted with TTL\((\d+)s\)\n$/.exec(output);
  assert.ok(match, output);
  assert.ok(Number(match[2]) >= seconds);
  return match[1] as string;
}

interface JsonTtl {
  readonly id: number;
  readonly ttl: number;
  "granted-ttl": number;
  readonly keys: string[] | null;
}

export async function leaseChecks(context: CtlContext): Promise<void> {
  await lifeChecks(context);
  await refusalChecks(context);
  await lockChecks(context);
}

async function lifeChecks({ ctl, report }: CtlContext): Promise<void> {
  await report.check("lease grant, list, timetolive", async () => {
    const id = await grant(ctl, 500);
    assert.ok((await ctl.lines(["lease", "list"])).includes(id));
    const line = await ctl.ok(["lease", "timetolive", id]);
    const match = new RegExp(`^lease ${id} granted with TTL\\(500s\\), remaining\\((\\d+)s\\)\n$`).exec(line);
    assert.ok(match, line);
    assert.ok(Number(match[1]) > 490 && Number(match[1]) <= 500);
  });
  await report.check("lease timetolive --keys", async () => {
    const id = await grant(ctl, 500);
    await ctl.put("lease/b", "1", `--lease=${id}`);
    await ctl.put("lease/a", "1", `--lease=${id}`);
    const answer = await ctl.json<JsonTtl>(["lease", "timetolive", "--keys", id]);
    assert.deepEqual([...(answer.keys ?? [])].sort(), ["lease/a", "lease/b"].map(base64));
    assert.equal(answer["granted-ttl"], 500);
    const [kv] = await ctl.kvs(["lease/a"]);
    assert.ok(kv?.lease !== undefined && kv.lease > 0);
  });
  await report.check("a put without the lease detaches the key", async () => {
    const id = await grant(ctl, 500);
    await ctl.put("lease/d", "1", `--lease=${id}`);
    await ctl.put("lease/kept", "1", `--lease=${id}`);
    await ctl.ok(["put", "--ignore-lease", "lease/kept", "2"]);
    await ctl.put("lease/d", "2");
    await ctl.ok(["lease", "revoke", id]);
    assert.equal(await ctl.ok(["get", "--prefix", "lease/d"]), "lease/d\n2\n");
    assert.equal(await ctl.ok(["get", "lease/kept"]), "");
  });
  await report.check("lease revoke deletes its keys in one revision", async () => {
    const id = await grant(ctl, 500);
    await ctl.put("lease/r1", "1", `--lease=${id}`);
    const last = await ctl.put("lease/r2", "1", `--lease=${id}`);
    assert.equal(await ctl.ok(["lease", "revoke", id]), `lease ${id} revoked\n`);
    assert.deepEqual(await ctl.kvs(["--prefix", "lease/r"]), []);
    assert.equal(await ctl.put("lease/next", "1"), last + 2);
    assert.ok(!(await ctl.lines(["lease", "list"])).includes(id));
  });
  await report.check("lease expiry deletes the keys, and not early", async () => {
    const started = performance.now();
    const id = await grant(ctl, 3);
    await ctl.put("lease/e", "1", `--lease=${id}`);
    let last = performance.now();
    await eventually("the key is gone", async () => {
      const found = await ctl.ok(["get", "lease/e"]);
      if (found !== "") last = performance.now();
      return found === "";
    });
    assert.ok(performance.now() - started >= 3_000, "gone before its time");
    assert.ok(last - started < 6_000, `still there ${Math.round(last - started)} ms after the grant`);
    assert.equal(await ctl.ok(["lease", "timetolive", id]), `lease ${id} already expired\n`);
  });
  await report.check("lease keep-alive", async () => {
    const id = await grant(ctl, 3);
    const line = await ctl.ok(["lease", "keep-alive", "--once", id]);
    assert.equal(line, `lease ${id} keepalived with TTL(3)\n`);
    const running = ctl.start(["lease", "keep-alive", id]);
    try {
      const started = performance.now();
      const lines = await running.has(5); // one a second, two seconds past the TTL
      assert.deepEqual(new Set(lines), new Set([`lease ${id} keepalived with TTL(3)`]));
      assert.ok(performance.now() - started > 3_000);
      assert.match(await ctl.ok(["lease", "timetolive", id]), /remaining\([123]s\)/);
    } finally {
      await running.stop();
    }
  });
}

async function refusalChecks({ ctl, report }: CtlContext): Promise<void> {
  const notFound = "etcdserver: requested lease not found";
  await report.check("an unknown lease is refused", async () => {
    await ctl.fails(["put", "--lease=1234", "lease/u", "1"], notFound, 1);
    await ctl.fails(["lease", "revoke", "1234"], `failed to revoke lease (${notFound})`, 1);
    assert.equal(await ctl.ok(["lease", "timetolive", "1234"]), "lease 0000000000001234 already expired\n");
    await ctl.fails(["lease", "keep-alive", "--once", "1234"], notFound);
    const running = await ctl.run(["lease", "keep-alive", "1234"]);
    assert.match(running.stdout, /lease 0000000000001234 expired or revoked\./);
    assert.equal(await ctl.ok(["get", "lease/u"]), "");
  });
  await report.check("a lease of too long a time is refused", () =>
    ctl.fails(["lease", "grant", "9000000001"], /etcdserver: too large lease TTL/, 1),
  );
}

async function lockChecks({ ctl, report }: CtlContext): Promise<void> {
  await report.check("lock lets one in after the other", async () => {
    const holder = ctl.start(["lock", "lock/a"]);
    const [key] = await holder.has(1);
    assert.match(key as string, /^lock\/a\/[0-9a-f]+$/);
    const waiter = ctl.start(["lock", "lock/a", "--", "sh", "-c", 'echo "in $ETCD_LOCK_KEY"']);
    await eventually("the second waits", async () => (await ctl.kvs(["--prefix", "lock/a/"])).length === 2);
    assert.equal(waiter.lines.length, 0);
    await holder.stop();
    assert.equal(await waiter.ended, 0);
    assert.match(waiter.lines[0] as string, /^in lock\/a\//);
    assert.deepEqual(await ctl.kvs(["--prefix", "lock/a/"]), []);
  });
  await report.check("elect", async () => {
    const first = ctl.start(["elect", "elect/a", "one"]);
    const elected = await first.has(2);
    const observer = ctl.start(["elect", "-l", "elect/a"]);
    assert.deepEqual(await observer.has(2), [elected[0], "one"]);
    const second = ctl.start(["elect", "elect/a", "two"]);
    await eventually("the second stands", async () => (await ctl.kvs(["--prefix", "elect/a/"])).length === 2);
    await first.stop();
    assert.equal((await second.has(2))[1], "two");
    assert.equal((await observer.has(4))[3], "two");
    await second.stop();
    await observer.stop();
  });
}
