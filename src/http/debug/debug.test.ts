import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { cpuProfile, heapSnapshot } from "../../runtime/profiles.ts";
import { startTestApp, type TestApp } from "../testing/test-app.ts";

describe("/debug", () => {
  let app: TestApp;
  before(async () => {
    app = await startTestApp({
      variables: { "b.c": () => ({ d: 1 }), a: () => ["x"] },
      profiles: async () => ({
        cpu: cpuProfile,
        heap: heapSnapshot,
        commandLine: () => ["etcd", "--name=a"],
      }),
    });
  });
  after(() => app.stop());
  const get = (path: string) => fetch(app.url + path);

  it("/vars shows variables in Go's form", async () => {
    const response = await get("/debug/vars");
    assert.equal(response.headers.get("content-type"), "application/json; charset=utf-8");
    assert.equal(await response.text(), '{\n"a": ["x"],\n"b.c": {"d":1}\n}\n');
  });

  it("/pprof/profile says where the time goes, for one at a time", async () => {
    const taken = get("/debug/pprof/profile?seconds=0.5");
    // The first has begun when a second is refused.
    let refused = await get("/debug/pprof/profile?seconds=0.001");
    while (refused.status === 200) refused = await get("/debug/pprof/profile?seconds=0.001");
    assert.equal(refused.status, 500);
    assert.match(await refused.text(), /cpu profiling already in use/);
    // A server at rest has nothing to show.
    let isTaken = false;
    void taken.then(() => {
      isTaken = true;
    });
    while (!isTaken) await get("/debug/vars");
    const response = await taken;
    assert.match(response.headers.get("content-disposition") ?? "", /etclite\.cpuprofile/);
    const profile = JSON.parse(await response.text());
    assert.ok(profile.nodes.length > 0 && profile.endTime > profile.startTime);
    assert.equal((await get("/debug/pprof/profile?seconds=x")).status, 400);
  });

  it("/pprof/heap shows all objects", async () => {
    const snapshot = JSON.parse(await (await get("/debug/pprof/heap")).text());
    assert.ok(snapshot.snapshot.node_count > 1000);
    assert.equal(
      snapshot.nodes.length,
      snapshot.snapshot.node_count * snapshot.snapshot.meta.node_fields.length,
    );
  });

  it("/pprof/ names what there is and what there is not", async () => {
    assert.match(await (await get("/debug/pprof/")).text(), /href="profile\?seconds=30"/);
    assert.equal(await (await get("/debug/pprof/cmdline")).text(), "etcd\0--name=a");
    const goroutines = await get("/debug/pprof/goroutine?debug=1");
    assert.equal(goroutines.status, 404);
    assert.match(await goroutines.text(), /no goroutines/);
  });

  it("/pprof/ is not there unless it was asked for", async () => {
    const plain = await startTestApp();
    for (const path of ["/debug/pprof/", "/debug/pprof/profile?seconds=1", "/debug/pprof/heap"]) {
      assert.equal((await fetch(plain.url + path)).status, 404);
    }
    await plain.stop();
  });
});
