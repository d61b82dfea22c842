import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";
import { consoleAssets, sourcesHash } from "../../gen/console-assets.ts";
import { startTestApp, type TestApp } from "../testing/test-app.ts";
import { consoleSourcesHash } from "./sources-hash.ts";

/** What all of it may weigh, compressed. */
const compressedBytesMax = 150_000;

let app: TestApp;
before(async () => {
  app = await startTestApp({
    console: { memberOrigins: () => ["http://10.0.0.1:2379", "unix://nowhere", "http://x;script-src *"] },
  });
});
after(() => app.stop());

describe("the console", () => {
  it("is made from the sources as they are", () => {
    const folder = fileURLToPath(new URL("../../console", import.meta.url));
    assert.equal(sourcesHash, consoleSourcesHash(folder), "run `npm run console`");
  });

  it("is small", () => {
    const bytes = Object.values(consoleAssets).reduce(
      (sum, { gzip }) => sum + Buffer.from(gzip, "base64").length,
      0,
    );
    assert.ok(bytes <= compressedBytesMax, `${bytes} bytes`);
  });

  it("is served whole: all that the page names is there", async () => {
    const page = await fetch(`${app.url}/console`);
    assert.equal(page.status, 200);
    assert.match(page.headers.get("content-type")!, /^text\/html/);
    const html = await page.text();
    const named = [...html.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, path]) => path!);
    assert.equal(named.length, 3);
    for (const path of named) {
      const response = await fetch(new URL(path, `${app.url}/console`));
      assert.equal(response.status, 200, path);
      assert.ok((await response.text()).length > 100, path);
    }
  });

  it("takes nothing from elsewhere, and no script in line", async () => {
    for (const { gzip } of Object.values(consoleAssets)) {
      const text = gunzipSync(Buffer.from(gzip, "base64")).toString();
      const foreign = [...text.matchAll(/https?:\/\/[\w.-]+/g)].map(([url]) => url);
      assert.deepEqual(
        foreign.filter((url) => url !== "http://www.w3.org"),
        [],
      );
      assert.doesNotMatch(text, /<script>|\son\w+="|\sstyle="|innerHTML|eval\(/);
    }
  });

  it("may only be what it is", async () => {
    const page = await fetch(`${app.url}/console`);
    await page.body?.cancel();
    const policy = page.headers.get("content-security-policy")!;
    assert.match(policy, /default-src 'none'; script-src 'self'; style-src 'self'/);
    assert.match(policy, /connect-src 'self' http:\/\/10\.0\.0\.1:2379;/);
    assert.doesNotMatch(policy, /unsafe|\*|unix/);
    assert.match(policy, /frame-ancestors 'none'/);
    assert.equal(page.headers.get("x-content-type-options"), "nosniff");
    assert.equal(page.headers.get("x-frame-options"), "DENY");
  });

  it("is not sent again while it is the same", async () => {
    const first = await fetch(`${app.url}/console/main.js`);
    await first.body?.cancel();
    const again = await fetch(`${app.url}/console/main.js`, {
      headers: { "If-None-Match": first.headers.get("etag")! },
    });
    assert.equal(again.status, 304);
  });

  it("is not there when it is turned off", async () => {
    const without = await startTestApp();
    const response = await fetch(`${without.url}/console`);
    assert.equal(response.status, 404);
    await response.body?.cancel();
    await without.stop();
  });
});
