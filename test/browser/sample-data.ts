/** Something to look at: written by the JSON gateway. */
import { postJson } from "../support/http.ts";

const base64 = (text: string | Uint8Array): string => Buffer.from(text).toString("base64");

const delimited = (field: number, bytes: Uint8Array): Uint8Array =>
  Buffer.concat([Buffer.from([(field << 3) | 2, bytes.length]), bytes]);

/** A pod as Kubernetes stores it: a mark, the type, and the object with its metadata. */
function pod(namespace: string, name: string): Uint8Array {
  const metadata = Buffer.concat([
    delimited(1, Buffer.from(name)),
    delimited(3, Buffer.from(namespace)),
    delimited(5, Buffer.from("7d4f8a52-0c1e-4b8f-9d55-2f1f6f0c9e11")),
  ]);
  const type = Buffer.concat([delimited(1, Buffer.from("v1")), delimited(2, Buffer.from("Pod"))]);
  return Buffer.concat([Buffer.from("k8s\0"), delimited(1, type), delimited(2, delimited(1, metadata))]);
}

export async function writeSampleData(port: number): Promise<void> {
  const put = (key: string, value: string | Uint8Array, lease?: string) =>
    postJson(port, "/v3/kv/put", { key: base64(key), value: base64(value), ...(lease && { lease }) });
  for (const [id, ttl] of [
    ["1001", "600"],
    ["1002", "90"],
    ["1003", "7200"],
  ]) {
    await postJson(port, "/v3/lease/grant", { ID: id, TTL: ttl });
  }
  for (const name of ["api", "worker", "scheduler", "mailer"]) {
    await put(`/services/${name}/address`, `10.0.0.${name.length}:8080`, "1001");
    await put(
      `/services/${name}/config`,
      JSON.stringify({ replicas: 2, image: `registry/${name}:1.4`, env: { LOG: "info" } }),
    );
  }
  await put(
    "/services/api/config",
    JSON.stringify({ replicas: 3, image: "registry/api:1.5", env: { LOG: "info", TRACE: true } }),
  );
  await put(
    "/services/api/config",
    `{"replicas":5,"image":"registry/api:1.6","env":{"LOG":"debug","TRACE":true},"id":9007199254740993}`,
  );
  await put("/locks/backup", "worker-2", "1002");
  await put("/features/dark-mode", "on");
  await put("/features/unicode/grüße 👋", "Hallo, Welt\n<script>alert(1)</script>");
  await put("/binary", Buffer.from([0, 1, 2, 0xff]));
  for (const namespace of ["default", "kube-system"]) {
    for (let i = 0; i < 6; i++) await put(`/registry/pods/${namespace}/web-${i}`, pod(namespace, `web-${i}`));
  }
}

/** Many keys, in folders: by transactions of a hundred. */
export async function writeManyKeys(port: number, count: number): Promise<void> {
  for (let at = 0; at < count; at += 100) {
    const success = Array.from({ length: Math.min(100, count - at) }, (_, i) => {
      const n = at + i;
      const key = `/many/${String(n % 7).padStart(2, "0")}/${String(Math.floor(n / 7) % 500).padStart(3, "0")}/${n}`;
      return { request_put: { key: base64(key), value: base64(`value ${n}`) } };
    });
    await postJson(port, "/v3/kv/txn", { success });
  }
}
