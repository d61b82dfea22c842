/** gRPC-web and Connect from a page of another origin, over HTTP/1.1 and, by TLS, HTTP/2. */
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { join } from "node:path";
import type { Browser } from "playwright-core";
import { mustExec } from "../support/exec.ts";
import { httpPost, postJson } from "../support/http.ts";
import { repository } from "../support/paths.ts";
import { freePort } from "../support/ports.ts";
import { eventually, type Report, skip } from "../support/report.ts";
import { ServerProcess } from "../support/server-process.ts";
import type { Trial } from "./page.ts";

type TryProtocol = (
  trial: Trial,
) => Promise<{ refused: string; got: string; error: string; watched: string[] }>;

const protocols: readonly Trial["protocol"][] = ["gRPC-web", "Connect", "Connect, JSON"];

export interface BrowserSuite {
  readonly browser: Browser;
  readonly program: string;
  readonly folder: string;
  readonly report: Report;
}

export async function tryProtocols(suite: BrowserSuite): Promise<void> {
  const page = await openPage(suite);
  const attempt = (trial: Trial) =>
    page.page.evaluate(
      (asked) => (globalThis as unknown as { tryProtocol: TryProtocol }).tryProtocol(asked),
      trial,
    );
  const plain = await startPlain(suite);
  const secure = await startSecure(suite);
  for (const protocol of protocols) {
    for (const { baseUrl, version } of [plain, secure]) {
      await suite.report.check(`${protocol} over ${version}: put, get, an error, a live watch`, async () => {
        const { got, error, watched } = await attempt({ baseUrl, protocol });
        assert.equal(got, "one");
        assert.equal(error, "etcdserver: key is not provided");
        assert.deepEqual(watched, ["two", "three"]);
      });
    }
  }
  for (const { baseUrl, version } of [plain, secure]) {
    await suite.report.check(`a WebSocket beside ${version}: a live watch`, async () => {
      const watched = await page.page.evaluate(watchBySocket(baseUrl, []));
      assert.deepEqual(watched, ["created", "one", "closed 1000"]);
    });
  }
  await suite.report.check("TLS connections speak HTTP/2", async () => {
    // A page is told how it came itself, not how calls to other origins go.
    const context = await suite.browser.newContext({ ignoreHTTPSErrors: true });
    const console = await context.newPage();
    await console.goto(`${secure.baseUrl}/console`);
    const spoken = (await console.evaluate(`
      ["navigation", "resource"].flatMap((type) =>
        performance.getEntriesByType(type).map(({ nextHopProtocol }) => nextHopProtocol))
    `)) as string[];
    assert.ok(spoken.length >= 3);
    assert.deepEqual([...new Set(spoken)], ["h2"]);
    await context.close();
  });
  await suite.report.check("users log in from a page, and only then may write", async () => {
    await makeRoot(plain.port);
    await postJson(plain.port, "/v3/auth/enable", {});
    for (const protocol of protocols) {
      const user = { name: "root", password: "secret" };
      const { refused, got, watched } = await attempt({ baseUrl: plain.baseUrl, protocol, user });
      assert.equal(refused, "etcdserver: user name is empty");
      assert.equal(got, "one");
      assert.deepEqual(watched, ["two", "three"]);
    }
  });
  await suite.report.check("a WebSocket brings its token as a subprotocol", async () => {
    const { status, body } = await httpPost(
      plain.port,
      "/v3/auth/authenticate",
      JSON.stringify({ name: "root", password: "secret" }),
    );
    assert.equal(status, 200, body);
    const { token } = JSON.parse(body) as { token: string };
    const watched = await page.page.evaluate(watchBySocket(plain.baseUrl, ["Bearer", token]));
    assert.deepEqual(watched, ["created", "one", "closed 1000"]);
  });
  await page.close();
  await Promise.all([plain.stop(), secure.stop()]);
}

/** The source of what a page does: watches, puts, and closes when it has seen the put. */
function watchBySocket(baseUrl: string, protocols: readonly string[]): string {
  const [, token] = protocols;
  return `new Promise((resolve, reject) => {
    const url = ${JSON.stringify(baseUrl)};
    const socket = new WebSocket(url.replace("http", "ws") + "/v3/watch", ${JSON.stringify(protocols)});
    const seen = [];
    socket.onopen = () => socket.send(JSON.stringify({ create_request: { key: btoa("socket") } }));
    socket.onmessage = ({ data }) => {
      const { result } = JSON.parse(data);
      if (result.created) {
        seen.push("created");
        fetch(url + "/v3/kv/put", {
          method: "POST",
          headers: ${JSON.stringify(token === undefined ? {} : { authorization: token })},
          body: JSON.stringify({ key: btoa("socket"), value: btoa("one") }),
        }).catch(reject);
      } else {
        for (const { kv } of result.events) seen.push(atob(kv.value));
        socket.close(1000);
      }
    };
    socket.onerror = () => reject(new Error("the WebSocket failed"));
    socket.onclose = ({ code }) => resolve([...seen, "closed " + code]);
    setTimeout(() => reject(new Error("waited too long: " + seen)), 20_000);
  })`;
}

/** Makes the user that there must be before users have to log in. */
export async function makeRoot(port: number): Promise<void> {
  const { status } = await httpPost(port, "/v3/auth/role/add", JSON.stringify({ name: "root" }));
  if (status === 501) skip("this server has no users and roles");
  await postJson(port, "/v3/auth/user/add", { name: "root", password: "secret" });
  await postJson(port, "/v3/auth/user/grant", { user: "root", role: "root" });
}

async function startPlain({ program, folder }: BrowserSuite) {
  const server = await ServerProcess.ready({ program, folder: join(folder, "plain") });
  return {
    baseUrl: server.url,
    port: server.clientPort,
    version: "HTTP/1.1",
    stop: () => server.stop(),
  };
}

/** With a certificate that the server makes for itself, which the browser is told to take. */
async function startSecure({ program, folder }: BrowserSuite) {
  const clientPort = await freePort();
  const baseUrl = `https://127.0.0.1:${clientPort}`;
  const flags = ["--auto-tls", `--listen-client-urls=${baseUrl}`, `--advertise-client-urls=${baseUrl}`];
  const server = await ServerProcess.start({ program, folder: join(folder, "secure"), clientPort, flags });
  await eventually("the server is ready", () => server.log().includes("ready to serve client requests"), {
    timeoutMs: 60_000,
  });
  return { baseUrl, version: "HTTP/2", stop: () => server.stop() };
}

/** A page of an origin of its own, with the script in it. */
async function openPage({ browser, folder }: BrowserSuite) {
  const script = join(folder, "page.js");
  const source = join(repository, "test", "browser", "page.ts");
  await mustExec(process.execPath, ["build", "--target=browser", "--outfile", script, source]);
  const server = createServer((_request, response) => response.end("<!doctype html><title>page</title>"));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  const context = await browser.newContext({ ignoreHTTPSErrors: true });
  const page = await context.newPage();
  await page.goto(`http://127.0.0.1:${port}/`);
  await page.addScriptTag({ path: script });
  return {
    page,
    close: async () => {
      await context.close();
      server.close();
    },
  };
}
