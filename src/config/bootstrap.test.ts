import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  checkExistingCluster,
  checkNewCluster,
  formatInitialCluster,
  parseInitialCluster,
} from "./bootstrap.ts";
import { configFromObject, type SettingsInput } from "./from-object.ts";

const addresses: Readonly<Record<string, string>> = {
  a: "10.0.0.1",
  alias: "10.0.0.1",
  b: "10.0.0.2",
  six: "fd00::1",
};

async function resolve(hostname: string): Promise<string> {
  const address = addresses[hostname] ?? (/^[\da-f.:]*[.:][\da-f.:]*$/.test(hostname) ? hostname : undefined);
  if (address === undefined) throw new Error(`lookup ${hostname}: no such host`);
  return address;
}

const config = (input: SettingsInput) =>
  configFromObject({ name: "m", initialAdvertisePeerUrls: "http://127.0.0.1:1", ...input });

describe("--initial-cluster", () => {
  it("is read by names, with several URLs each", () => {
    const cluster = parseInitialCluster("b=http://b:1,a=http://a:2,,a=http://a:1");
    assert.deepEqual([...cluster.keys()].sort(), ["a", "b"]);
    assert.equal(formatInitialCluster(cluster), "a=http://a:1,a=http://a:2,b=http://b:1");
  });

  it("is refused in etcd's words", () => {
    const message = "error setting up initial cluster: URL scheme must be http, https, unix, or unixs: ";
    assert.throws(() => parseInitialCluster("a=bad"), { name: "ConfigError", message: `${message}bad` });
    assert.throws(() => parseInitialCluster("a"), { message });
  });
});

describe("a new cluster", () => {
  it("has to hold this member under the URLs it advertises", async () => {
    const cluster = await checkNewCluster(
      config({ initialCluster: "m=http://127.0.0.1:1,n=http://b:1" }),
      resolve,
    );
    assert.equal(cluster.size, 2);
  });

  it("may use other names of the same host", async () => {
    const input = { initialAdvertisePeerUrls: "http://alias:1", initialCluster: "m=http://a:1" };
    await checkNewCluster(config(input), resolve);
    const six = { initialAdvertisePeerUrls: "http://[fd00::1]:1", initialCluster: "m=http://six:1" };
    await checkNewCluster(config(six), resolve);
    const upper = { initialAdvertisePeerUrls: "http://NOWHERE:1", initialCluster: "m=http://nowhere:1" };
    await checkNewCluster(config(upper), resolve);
  });

  // What etcd 3.7.3 answers.
  const refused: [SettingsInput, string][] = [
    [
      { initialCluster: "n=http://127.0.0.1:1" },
      'couldn\'t find local name "m" in the initial cluster configuration',
    ],
    [{ initialCluster: "" }, 'couldn\'t find local name "m" in the initial cluster configuration'],
    [
      { initialCluster: "m=http://127.0.0.1:2" },
      "--initial-cluster has m=http://127.0.0.1:2 but missing from --initial-advertise-peer-urls=http://127.0.0.1:1 " +
        '(resolved urls: "http://127.0.0.1:1" != "http://127.0.0.1:2")',
    ],
    [
      { initialCluster: "m=http://127.0.0.1:1,m=http://127.0.0.1:2" },
      "--initial-cluster has m=http://127.0.0.1:2 but missing from --initial-advertise-peer-urls=http://127.0.0.1:1 " +
        '(len(["http://127.0.0.1:1"]) != len(["http://127.0.0.1:1" "http://127.0.0.1:2"]))',
    ],
    [
      { initialCluster: "m=http://127.0.0.1:1,n=http://127.0.0.1:1" },
      "initial cluster m=http://127.0.0.1:1,n=http://127.0.0.1:1 has duplicate url",
    ],
    [
      {
        initialCluster: "m=http://127.0.0.1:1",
        initialAdvertisePeerUrls: "http://127.0.0.1:1,http://127.0.0.1:2",
      },
      "--initial-advertise-peer-urls has http://127.0.0.1:2 but missing from " +
        "--initial-cluster=m=http://127.0.0.1:1,m=http://127.0.0.1:2",
    ],
    [
      { initialCluster: "m=http://nowhere:1" },
      "--initial-cluster has m=http://nowhere:1 but missing from --initial-advertise-peer-urls=http://127.0.0.1:1 " +
        '(failed to resolve "http://nowhere:1" (lookup nowhere: no such host))',
    ],
  ];
  for (const [input, message] of refused) {
    it(`is refused for ${JSON.stringify(input)}`, async () => {
      await assert.rejects(checkNewCluster(config(input), resolve), { name: "ConfigError", message });
    });
  }
});

describe("an existing cluster", () => {
  it("may know this member by other URLs", () => {
    assert.equal(checkExistingCluster(config({ initialCluster: "m=http://a:9,n=http://b:1" })).size, 2);
  });

  it("has to know its name, and each URL once", () => {
    assert.throws(
      () => checkExistingCluster(config({ initialCluster: "n=http://a:1" })),
      /couldn't find local name "m"/,
    );
    assert.throws(
      () => checkExistingCluster(config({ initialCluster: "m=http://a:1,n=http://a:1" })),
      /has duplicate url$/,
    );
  });
});
