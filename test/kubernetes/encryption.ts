/** Secrets that the API server encrypts before they reach the store, as its documentation says to set it up. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { writeFileSync } from "node:fs";
import type { Report } from "../support/report.ts";
import { namespace } from "./objects.ts";
import { stopStore, type World } from "./world.ts";

export async function encryptionChecks(world: World, report: Report): Promise<void> {
  const members = await world.startStore();
  const plain = await world.startApi(members);
  const secrets = await namespace({ world, members, api: plain, report }, "encryption").then((path) =>
    path("secrets"),
  );
  const stored = async (name: string): Promise<string> =>
    (
      await world.ctl(members[0]!, "get", `/registry/secrets/encryption/${name}`, "--print-value-only")
    ).bytes.toString("latin1");
  await plain.client.create(secrets, { metadata: { name: "old" }, stringData: { word: "sesame" } });
  await report.check("without encryption, a secret can be read in the store", async () => {
    assert.ok((await stored("old")).includes("sesame"));
  });
  await plain.stop();

  const config = world.files.path("encryption.json");
  const keys = [{ name: "key1", secret: randomBytes(32).toString("base64") }];
  const providers = [{ secretbox: { keys } }, { identity: {} }];
  const [apiVersion, kind] = ["apiserver.config.k8s.io/v1", "EncryptionConfiguration"];
  writeFileSync(
    config,
    JSON.stringify({ apiVersion, kind, resources: [{ resources: ["secrets"], providers }] }),
  );
  const api = await world.startApi(members, [`--encryption-provider-config=${config}`]);
  await report.check(
    "with encryption, old secrets are read, and new and rewritten ones are sealed",
    async () => {
      const { client } = api;
      await client.create(secrets, { metadata: { name: "new" }, stringData: { word: "sesame" } });
      const old = await client.get(`${secrets}/old`);
      assert.equal(old["data"].word, Buffer.from("sesame").toString("base64"));
      await client.update(`${secrets}/old`, old); // the documentation's way to encrypt what was there
      for (const name of ["old", "new"]) {
        const value = await stored(name);
        assert.ok(value.startsWith("k8s:enc:secretbox:v1:key1:"), `${name}: ${value.slice(0, 40)}`);
        assert.ok(!value.includes("sesame"));
        const { data } = await client.get(`${secrets}/${name}`);
        assert.equal(data.word, Buffer.from("sesame").toString("base64"));
      }
      assert.equal((await client.list(secrets)).items.length, 2);
    },
  );
  await api.stop();
  await stopStore(members);
}
