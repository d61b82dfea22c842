/** The files that kubeadm would make: authorities, certificates, the key of service accounts, a kubeconfig. */
import { generateKeyPairSync } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { TestAuthority } from "../../src/transport/testing/make-certificates.ts";

const names = { dns: ["localhost"], ips: ["127.0.0.1"] };

export interface Files {
  readonly folder: string;
  path(name: string): string;
}

/**
 * Two authorities as with kubeadm, one for the store (`etcd-ca`: `etcd-server`, `etcd-peer`, `etcd-client`) and one for
 * the API (`ca`: `apiserver`, `admin`, `controllers`, `scheduler`); each name has a .crt and, if it is no authority, a .key.
 */
export async function makeFiles(folder: string): Promise<Files> {
  mkdirSync(folder, { recursive: true });
  const path = (name: string): string => join(folder, name);
  const put = (name: string, text: string): void => writeFileSync(path(name), text, { mode: 0o600 });
  const authorities = {
    "etcd-ca": await TestAuthority.make("etcd-ca"),
    ca: await TestAuthority.make("kubernetes"),
  };
  const issue = async (
    authority: keyof typeof authorities,
    name: string,
    spec: Parameters<TestAuthority["issue"]>[0],
  ): Promise<void> => {
    const { cert, key } = await authorities[authority].issue(spec);
    put(`${name}.crt`, cert);
    put(`${name}.key`, key);
  };
  for (const [name, { cert }] of Object.entries(authorities)) put(`${name}.crt`, cert);
  await issue("etcd-ca", "etcd-server", { commonName: "kube-etcd", ...names });
  await issue("etcd-ca", "etcd-peer", { commonName: "kube-etcd-peer", ...names });
  const client = { usage: "client" } as const;
  await issue("etcd-ca", "etcd-client", { commonName: "kube-apiserver-etcd-client", ...client });
  await issue("ca", "apiserver", { commonName: "kube-apiserver", usage: "server", ...names });
  await issue("ca", "admin", { commonName: "admin", organization: "system:masters", ...client });
  await issue("ca", "controllers", { commonName: "system:kube-controller-manager", ...client });
  await issue("ca", "scheduler", { commonName: "system:kube-scheduler", ...client });
  const { privateKey, publicKey } = generateKeyPairSync("rsa", {
    modulusLength: 2048,
    publicKeyEncoding: { type: "spki", format: "pem" },
    privateKeyEncoding: { type: "pkcs8", format: "pem" },
  });
  put("sa.key", privateKey);
  put("sa.pub", publicKey);
  return { folder, path };
}

/** A kubeconfig for one of the users; returns its path. */
export function makeKubeconfig(files: Files, user: string, url: string): string {
  const config = {
    apiVersion: "v1",
    kind: "Config",
    "current-context": "it",
    clusters: [{ name: "it", cluster: { server: url, "certificate-authority": files.path("ca.crt") } }],
    contexts: [{ name: "it", context: { cluster: "it", user } }],
    users: [
      {
        name: user,
        user: {
          "client-certificate": files.path(`${user}.crt`),
          "client-key": files.path(`${user}.key`),
        },
      },
    ],
  };
  const file = files.path(`${user}-${new URL(url).port}.kubeconfig`);
  writeFileSync(file, JSON.stringify(config)); // JSON is YAML
  return file;
}
