/** Stores and API servers, set up as kubeadm sets them up. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { type ExecResult, exec, mustExec } from "../support/exec.ts";
import { freePort } from "../support/ports.ts";
import { eventually } from "../support/report.ts";
import { cleanEnvironment, ServerProcess } from "../support/server-process.ts";
import { tool } from "../support/tools.ts";
import { type Files, makeFiles, makeKubeconfig } from "./certificates.ts";
import { Daemon } from "./daemon.ts";
import { KubeClient } from "./kube-client.ts";

/** One member, its addresses and its folder: what stays when the process is another. */
export interface Member {
  readonly name: string;
  readonly clientPort: number;
  readonly peerPort: number;
  readonly metricsPort: number;
  readonly folder: string;
  server: ServerProcess;
}

export interface KubePrograms {
  readonly apiserver: string;
  readonly kubectl: string;
  readonly controllers: string;
  readonly scheduler: string;
}

export interface ApiServer {
  readonly port: number;
  readonly url: string;
  readonly process: Daemon;
  readonly client: KubeClient;
  readonly kubeconfig: string;
  stop(): Promise<void>;
}

export class World {
  readonly folder: string;
  readonly store: string;
  readonly files: Files;
  readonly programs: KubePrograms;
  readonly #etcdctl: string;
  #made = 0;

  private constructor(folder: string, store: string, files: Files, programs: KubePrograms, etcdctl: string) {
    this.folder = folder;
    this.store = store;
    this.files = files;
    this.programs = programs;
    this.#etcdctl = etcdctl;
  }

  static async make(folder: string, store: string, programs: KubePrograms): Promise<World> {
    const files = await makeFiles(join(folder, "pki"));
    return new World(folder, store, files, programs, await tool("etcdctl"));
  }

  /** A folder of its own for what is started next. */
  newFolder(name: string): string {
    const folder = join(this.folder, `${name}-${++this.#made}`);
    mkdirSync(folder, { recursive: true });
    return folder;
  }

  /** Starts so many members of one cluster and waits until all of them serve. */
  async startStore(size = 1, more: readonly string[] = []): Promise<Member[]> {
    const folder = this.newFolder("store");
    const places = [];
    for (let i = 0; i < size; i++) {
      const [clientPort, peerPort, metricsPort] = [await freePort(), await freePort(), await freePort()];
      places.push({ name: `m${i}`, clientPort, peerPort, metricsPort, folder: join(folder, `m${i}`) });
    }
    const cluster = places.map(({ name, peerPort }) => `${name}=https://127.0.0.1:${peerPort}`).join();
    const members: Member[] = [];
    for (const place of places) members.push({ ...place, server: await this.#launch(place, cluster, more) });
    await Promise.all(members.map(serving));
    return members;
  }

  /** Starts a member again, after its process has ended. */
  async restart(member: Member, members: readonly Member[], more: readonly string[] = []): Promise<void> {
    const cluster = members.map(({ name, peerPort }) => `${name}=https://127.0.0.1:${peerPort}`).join();
    member.server = await this.#launch(member, cluster, more);
    await serving(member);
  }

  /** With the flags of the static pod that kubeadm 1.36 writes. */
  #launch(
    place: Omit<Member, "server">,
    initialCluster: string,
    more: readonly string[],
  ): Promise<ServerProcess> {
    const { path } = this.files;
    const client = `https://127.0.0.1:${place.clientPort}`;
    const peer = `https://127.0.0.1:${place.peerPort}`;
    return ServerProcess.start({
      program: this.store,
      folder: place.folder,
      clientPort: place.clientPort,
      peerPort: place.peerPort,
      flags: [
        `--name=${place.name}`,
        `--advertise-client-urls=${client}`,
        `--cert-file=${path("etcd-server.crt")}`,
        "--client-cert-auth=true",
        "--feature-gates=InitialCorruptCheck=true",
        `--initial-advertise-peer-urls=${peer}`,
        `--initial-cluster=${initialCluster}`,
        `--key-file=${path("etcd-server.key")}`,
        `--listen-client-urls=${client}`,
        `--listen-metrics-urls=http://127.0.0.1:${place.metricsPort}`,
        `--listen-peer-urls=${peer}`,
        `--peer-cert-file=${path("etcd-peer.crt")}`,
        "--peer-client-cert-auth=true",
        `--peer-key-file=${path("etcd-peer.key")}`,
        `--peer-trusted-ca-file=${path("etcd-ca.crt")}`,
        "--snapshot-count=10000",
        `--trusted-ca-file=${path("etcd-ca.crt")}`,
        "--watch-progress-notify-interval=5s",
        ...more,
      ],
    });
  }

  /** Starts an API server on a store and waits until it is ready. */
  async startApi(members: readonly Member[], more: readonly string[] = []): Promise<ApiServer> {
    const port = await freePort();
    const { path } = this.files;
    const log = join(this.newFolder("api"), "log");
    const flags = [
      `--secure-port=${port}`,
      "--bind-address=127.0.0.1",
      "--advertise-address=192.0.2.1", // the API refuses loopback addresses in the endpoints of its own service
      `--tls-cert-file=${path("apiserver.crt")}`,
      `--tls-private-key-file=${path("apiserver.key")}`,
      `--client-ca-file=${path("ca.crt")}`,
      `--etcd-servers=${members.map(({ clientPort }) => `https://127.0.0.1:${clientPort}`).join()}`,
      `--etcd-cafile=${path("etcd-ca.crt")}`,
      `--etcd-certfile=${path("etcd-client.crt")}`,
      `--etcd-keyfile=${path("etcd-client.key")}`,
      "--service-account-issuer=https://kubernetes.default.svc",
      `--service-account-key-file=${path("sa.pub")}`,
      `--service-account-signing-key-file=${path("sa.key")}`,
      "--service-cluster-ip-range=10.96.0.0/16",
      "--authorization-mode=Node,RBAC",
      "--enable-admission-plugins=NodeRestriction",
      "--allow-privileged=true",
      "--v=2",
      ...more,
    ];
    const process = new Daemon(this.programs.apiserver, flags, log);
    const client = new KubeClient(this.files, port);
    await untilReady(process, client);
    const url = `https://127.0.0.1:${port}`;
    const kubeconfig = makeKubeconfig(this.files, "admin", url);
    const stop = async (): Promise<void> => {
      client.close();
      await process.stop();
    };
    return { port, url, process, client, kubeconfig, stop };
  }

  /** etcdctl, as the API server's user, at one member. */
  ctl(member: Member, ...args: string[]): Promise<ExecResult> {
    const { path } = this.files;
    const tls = [`--cacert=${path("etcd-ca.crt")}`, `--cert=${path("etcd-client.crt")}`];
    const endpoint = `--endpoints=127.0.0.1:${member.clientPort}`;
    const all = [endpoint, ...tls, `--key=${path("etcd-client.key")}`, "--command-timeout=10s", ...args];
    return mustExec(this.#etcdctl, all, { env: cleanEnvironment() });
  }

  kubectl(api: ApiServer, ...args: string[]): Promise<ExecResult> {
    const env = { ...cleanEnvironment(), HOME: this.folder, KUBECONFIG: api.kubeconfig };
    return exec(this.programs.kubectl, args, { env });
  }
}

function serving(member: Member): Promise<void> {
  return member.server.logged(/ready to serve client requests/, 60_000);
}

async function untilReady(process: Daemon, client: KubeClient): Promise<void> {
  let last = "";
  const ready = async (): Promise<boolean> => {
    if (process.exit !== undefined)
      throw new Error(`the API server ended (${process.exit})\n${process.logTail()}`);
    try {
      const answer = await client.ask("GET", "/readyz?verbose", undefined, undefined, 5_000);
      last = answer.text;
      return answer.status === 200;
    } catch (error) {
      last = String(error);
      return false;
    }
  };
  const wait = { timeoutMs: 180_000, everyMs: 200 };
  await eventually("the API server is ready", ready, wait).catch((error) => {
    throw new Error(`${error}\n${last}\n${process.logTail()}`);
  });
}

export async function stopStore(members: readonly Member[]): Promise<void> {
  await Promise.all(members.map(({ server }) => server.stop().catch(() => server.kill())));
}
