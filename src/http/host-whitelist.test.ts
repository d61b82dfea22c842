import assert from "node:assert/strict";
import { it } from "node:test";
import { Hono } from "hono";
import { silentLogger } from "../lib/logger.ts";
import { checkHost } from "./host-whitelist.ts";

function appFor(allowed: readonly string[], secure = false): Hono {
  const app = new Hono();
  app.use(checkHost(allowed, () => secure, silentLogger));
  app.get("/version", (context) => context.text("ok"));
  return app;
}

const ask = (app: Hono, host: string) => app.request("http://ignored/version", { headers: { host } });

it("refuses other names than the allowed ones, in etcd's words", async () => {
  const app = appFor(["localhost", "::1"]);
  for (const host of ["localhost", "localhost:2379", "[::1]:2379"]) {
    assert.equal((await ask(app, host)).status, 200, host);
  }
  const refused = await ask(app, "evil.example:2379");
  assert.equal(refused.status, 421);
  assert.equal(
    await refused.text(),
    "\netcd received your request, but the Host header was unrecognized.\n\n" +
      "To fix this, choose one of the following options:\n" +
      "- Enable TLS, then any HTTPS request will be allowed.\n" +
      "- Add the hostname you want to use to the whitelist in settings.\n" +
      '  - e.g. etcd --host-whitelist "evil.example"\n\n' +
      'This requirement has been added to help prevent "DNS Rebinding" attacks (CVE-2018-5702).\n\n',
  );
});

it("lets all names in by default, and over TLS", async () => {
  for (const app of [appFor(["*"]), appFor([]), appFor(["localhost"], true)]) {
    assert.equal((await ask(app, "evil.example")).status, 200);
  }
});
