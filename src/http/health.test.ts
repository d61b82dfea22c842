import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { startTestApp, type TestApp } from "./testing/test-app.ts";

describe("health and metrics", () => {
  let app: TestApp;
  before(async () => {
    app = await startTestApp();
  });
  after(() => app.stop());

  it("say of what kind they are, as etcd's do", async () => {
    const healthy = await fetch(`${app.url}/health`);
    assert.equal(healthy.headers.get("content-type"), "text/plain; charset=utf-8");
    assert.equal(await healthy.text(), '{"health":"true","reason":""}');
  });

  it("are given by any method, and by GET alone, as etcd does it", async () => {
    for (const method of ["GET", "POST", "PUT", "DELETE"]) {
      const scrape = await fetch(`${app.url}/metrics`, { method });
      assert.equal(scrape.status, 200, method);
      assert.match(await scrape.text(), /^promhttp_metric_handler_requests_total/m);
    }
    const refused = await fetch(`${app.url}/health`, { method: "POST" });
    assert.equal(refused.status, 405);
    await refused.text();
  });
});
