/** Several server processes that form a cluster, each from a YAML file, as users start them. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { freePort } from "../ports.ts";
import { eventually } from "../report.ts";
import { ServerProcess } from "../server-process.ts";
import { type MemberInfo, memberList, status } from "./calls.ts";
import type { PeerNetwork } from "./peer-network.ts";

export type Settings = Readonly<Record<string, string | number | boolean>>;

export interface ClusterOptions {
  readonly program: string;
  /** Holds a folder for each member. */
  readonly folder: string;
  readonly size: number;
  /** Stands between the members, if given. */
  readonly network?: PeerNetwork;
  /** Further keys of the YAML files. */
  readonly settings?: Settings;
}

export interface MemberAddress {
  readonly name: string;
  readonly clientPort: number;
  /** Where it listens for members. */
  readonly peerPort: number;
  /** What it advertises: the proxy's port, or the same. */
  readonly advertisedPort: number;
}

export class ClusterMember {
  readonly address: MemberAddress;
  readonly #program: string;
  readonly #folder: string;
  server: ServerProcess | undefined;
  isPaused = false;

  constructor(program: string, folder: string, address: MemberAddress) {
    this.#program = program;
    this.#folder = folder;
    this.address = address;
  }

  get name(): string {
    return this.address.name;
  }

  get url(): string {
    return `http://127.0.0.1:${this.address.clientPort}`;
  }

  get peerUrl(): string {
    return `http://127.0.0.1:${this.address.advertisedPort}`;
  }

  get isUp(): boolean {
    return this.server !== undefined && this.server.exit === undefined;
  }

  get isServing(): boolean {
    return this.isUp && !this.isPaused;
  }

  /** Starts the process. `initialCluster` is used on the first start only, as always. */
  async start(initialCluster: string, state: "new" | "existing", settings: Settings = {}): Promise<void> {
    mkdirSync(this.#folder, { recursive: true });
    const configFile = join(this.#folder, "etcd.yml");
    const values = {
      name: this.name,
      "data-dir": join(this.#folder, "data"),
      "listen-client-urls": this.url,
      "advertise-client-urls": this.url,
      "listen-peer-urls": `http://127.0.0.1:${this.address.peerPort}`,
      "initial-advertise-peer-urls": this.peerUrl,
      "initial-cluster": initialCluster,
      "initial-cluster-token": "process-cluster",
      "initial-cluster-state": state,
      ...settings,
    };
    const lines = Object.entries(values).map(([key, value]) => `${key}: ${JSON.stringify(value)}\n`);
    writeFileSync(configFile, lines.join(""));
    const { clientPort, peerPort } = this.address;
    const options = { program: this.#program, folder: this.#folder, clientPort, peerPort, configFile };
    this.isPaused = false;
    this.server = await ServerProcess.start(options);
  }

  /** SIGKILL, and waits for the end. */
  async kill(): Promise<void> {
    this.isPaused = false;
    await this.server?.kill();
  }

  pause(): void {
    this.isPaused = true;
    this.server?.signal("SIGSTOP");
  }

  resume(): void {
    this.isPaused = false;
    this.server?.signal("SIGCONT");
  }
}

export class ProcessCluster {
  readonly members: ClusterMember[] = [];
  readonly #options: ClusterOptions;
  #made = 0;

  private constructor(options: ClusterOptions) {
    this.#options = options;
  }

  /** Starts a cluster and waits until all its members are healthy. */
  static async start(options: ClusterOptions): Promise<ProcessCluster> {
    const cluster = new ProcessCluster(options);
    for (let i = 0; i < options.size; i++) cluster.members.push(await cluster.newMember());
    await Promise.all(cluster.members.map((member) => cluster.startMember(member)));
    await cluster.ready();
    await cluster.learnIds();
    return cluster;
  }

  /** Another member, not started and not known to the cluster. */
  async newMember(): Promise<ClusterMember> {
    const { program, folder, network } = this.#options;
    const name = `n${++this.#made}`;
    const [clientPort, peerPort] = [await freePort(), await freePort()];
    const advertisedPort = network ? await freePort() : peerPort;
    await network?.listen(name, advertisedPort, peerPort);
    const address = { name, clientPort, peerPort, advertisedPort };
    return new ClusterMember(program, join(folder, name), address);
  }

  get initialCluster(): string {
    return this.members.map((member) => `${member.name}=${member.peerUrl}`).join();
  }

  get urls(): string[] {
    return this.members.map(({ url }) => url);
  }

  async startMember(
    member: ClusterMember,
    state: "new" | "existing" = "new",
    more: Settings = {},
  ): Promise<void> {
    await member.start(this.initialCluster, state, { ...this.#options.settings, ...more });
  }

  async ready(timeoutMs = 60_000): Promise<void> {
    const up = this.members.filter((member) => member.isServing);
    await Promise.all(up.map((member) => member.server!.ready(timeoutMs, 5)));
  }

  /** Tells the network which id is whose. */
  async learnIds(): Promise<MemberInfo[]> {
    const infos = await memberList(this.members.find((member) => member.isServing)!.url);
    for (const { id, name } of infos) this.#options.network?.known(id.toString(16), name);
    return infos;
  }

  /** Who leads, as far as the members agree on it; undefined if nobody seems to. */
  async leader(): Promise<ClusterMember | undefined> {
    const serving = this.members.filter((member) => member.isServing);
    const answers = await Promise.all(serving.map((m) => status(m.url, 500).catch(() => undefined)));
    const newest = answers.reduce((term, answer) => Math.max(term, answer?.raftTerm ?? 0), 0);
    const at = answers.findIndex((a) => a !== undefined && a.raftTerm === newest && a.leader === a.memberId);
    return serving[at];
  }

  /** Waits until somebody leads. */
  async aLeader(): Promise<ClusterMember> {
    let leader: ClusterMember | undefined;
    const stands = async (): Promise<boolean> => {
      leader = await this.leader();
      return leader !== undefined;
    };
    await eventually("a leader stands", stands, { timeoutMs: 30_000, everyMs: 50 });
    return leader!;
  }

  async close(): Promise<void> {
    await Promise.all(this.members.map((member) => member.kill()));
    this.#options.network?.close();
  }
}
