/** etcdctl watch in its forms. */
import assert from "node:assert/strict";
import { eventually } from "../../support/report.ts";
import type { Ctl, CtlContext, RunningCtl } from "./ctl.ts";

/** A watch says nothing when it stands: put a probe until it shows up, then forget what was printed. */
async function standing(ctl: Ctl, watch: RunningCtl, key: string): Promise<RunningCtl> {
  await eventually("the watch stands", async () => {
    await ctl.put(key, "probe");
    await new Promise((resolve) => setTimeout(resolve, 30));
    return watch.lines.length > 0;
  });
  await ctl.put(key, "last probe");
  await eventually("the last probe came", () => watch.lines.includes("last probe"));
  watch.lines.length = 0;
  return watch;
}

async function using(watch: RunningCtl, body: (watch: RunningCtl) => Promise<void>): Promise<void> {
  try {
    await body(watch);
  } finally {
    await watch.stop();
  }
}

export async function watchChecks(context: CtlContext): Promise<void> {
  await liveChecks(context);
  await pastChecks(context);
  await otherForms(context);
}

async function liveChecks({ ctl, report }: CtlContext): Promise<void> {
  await report.check("watch of a key", () =>
    using(ctl.start(["watch", "watch/a"]), async (watch) => {
      await standing(ctl, watch, "watch/a");
      await ctl.put("watch/a1", "not watched");
      await ctl.put("watch/a", "one");
      await ctl.ok(["del", "watch/a"]);
      assert.deepEqual(await watch.has(5), ["PUT", "watch/a", "one", "DELETE", "watch/a", ""].slice(0, 6));
    }),
  );
  await report.check("watch --prefix --prev-kv", () =>
    using(ctl.start(["watch", "--prefix", "--prev-kv", "watch/p/"]), async (watch) => {
      await standing(ctl, watch, "watch/p/a");
      await ctl.put("watch/q", "not watched");
      await ctl.put("watch/p/b", "1");
      await ctl.put("watch/p/b", "2");
      await ctl.ok(["del", "watch/p/b"]);
      const put = (...rest: string[]) => ["PUT", ...rest];
      assert.deepEqual(await watch.has(13), [
        ...put("watch/p/b", "1"),
        ...put("watch/p/b", "1", "watch/p/b", "2"),
        ...["DELETE", "watch/p/b", "2", "watch/p/b", ""],
      ]);
    }),
  );
  await report.check("watch of a range", () =>
    using(ctl.start(["watch", "watch/r/b", "watch/r/d"]), async (watch) => {
      await standing(ctl, watch, "watch/r/b");
      for (const key of ["a", "b", "c", "d"]) await ctl.put(`watch/r/${key}`, key);
      assert.deepEqual(await watch.has(6), ["PUT", "watch/r/b", "b", "PUT", "watch/r/c", "c"]);
    }),
  );
}

async function pastChecks({ ctl, report }: CtlContext): Promise<void> {
  await report.check("watch --rev replays the past and goes on", async () => {
    await ctl.put("watch/h", "0");
    const first = await ctl.put("watch/h", "1");
    await ctl.put("watch/other", "x");
    await ctl.put("watch/h", "2");
    await ctl.ok(["del", "watch/h"]);
    await using(ctl.start(["watch", `--rev=${first}`, "watch/h"]), async (watch) => {
      await watch.has(9);
      await ctl.put("watch/h", "3");
      const put = (value: string) => ["PUT", "watch/h", value];
      assert.deepEqual(await watch.has(12), [...put("1"), ...put("2"), "DELETE", "watch/h", "", ...put("3")]);
    });
  });
  await report.check("watch --rev in the future waits for it", async () => {
    const now = await ctl.put("watch/f", "now");
    await using(ctl.start(["watch", `--rev=${now + 3}`, "watch/f"]), async (watch) => {
      for (let i = 1; i <= 4; i++) await ctl.put("watch/f", `+${i}`);
      assert.deepEqual(await watch.has(6), ["PUT", "watch/f", "+3", "PUT", "watch/f", "+4"]);
    });
  });
  await report.check("watch of a compacted revision is cancelled", async () => {
    const revision = await ctl.put("watch/k", "1");
    const now = await ctl.put("watch/k", "2");
    await ctl.ok(["compaction", String(now)]);
    const result = await ctl.run(["watch", `--rev=${revision}`, "watch/k"]);
    assert.notEqual(result.status, 0);
    const reason = "watch was canceled (etcdserver: mvcc: required revision has been compacted)";
    assert.ok(result.stderr.includes(reason), result.stderr);
  });
}

async function otherForms({ ctl, report }: CtlContext): Promise<void> {
  await report.check("watch with a command", async () => {
    const first = await ctl.put("watch/x", "ran");
    const show = 'echo "$ETCD_WATCH_REVISION $ETCD_WATCH_EVENT_TYPE $ETCD_WATCH_KEY $ETCD_WATCH_VALUE"';
    await using(ctl.start(["watch", `--rev=${first}`, "watch/x", "--", "sh", "-c", show]), async (watch) => {
      await eventually("the command ran", () => watch.lines.some((line) => line.includes(`${first} `)));
      const line = watch.lines.find((text) => text.includes(`${first} `));
      assert.equal(line, `${first} "PUT" "watch/x" "ran"`);
    });
  });
  await report.check("watch --interactive, two watches and a cancel", () =>
    using(ctl.start(["watch", "-i"]), async (watch) => {
      const first = await ctl.put("watch/i/a", "1");
      await ctl.put("watch/i/b", "2");
      watch.type(`watch --rev=${first} watch/i/a\n`);
      await watch.has(3);
      watch.type(`watch --rev=${first} watch/i/b\n`);
      assert.deepEqual(await watch.has(6), ["PUT", "watch/i/a", "1", "PUT", "watch/i/b", "2"]);
      watch.type("progress\n");
      const lines = await watch.has(7);
      assert.match(lines[6] as string, /^progress notify: \d+$/);
      assert.ok(Number((lines[6] as string).split(": ")[1]) >= first + 1);
    }),
  );
  await report.check("fifty watches at once", async () => {
    const first = await ctl.put("watch/m", "1");
    const watches = Array.from({ length: 50 }, () => ctl.start(["watch", `--rev=${first}`, "watch/m"]));
    try {
      await ctl.put("watch/m", "2");
      for (const watch of watches) {
        assert.deepEqual(await watch.has(6), ["PUT", "watch/m", "1", "PUT", "watch/m", "2"]);
      }
    } finally {
      await Promise.all(watches.map((watch) => watch.stop()));
    }
  });
}
