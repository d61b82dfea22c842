/** A server in memory, a proxy before it, and clients of both. */
import { Client } from "../../src/client/client.ts";
import { parseWords } from "../../src/lib/command-line/flags.ts";
import { silentLogger } from "../../src/lib/testing/silent-logger.ts";
import { Etcd } from "../../src/library/etcd.ts";
import { type RunningProxy, startProxy } from "../../src/proxy/grpc/proxy-server.ts";
import { proxyFlags } from "../../src/proxy/grpc/settings.ts";

export interface ProxyTry {
  readonly etcd: Etcd;
  readonly proxy: RunningProxy;
  /** Through the proxy. */
  readonly client: Client;
  /** Past the proxy. */
  readonly direct: Client;
  /** Another client through the proxy, closed at the end. */
  another(options?: Partial<ConstructorParameters<typeof Client>[0]>): Promise<Client>;
  /** The value of a metric of the server. */
  serverMetric(name: string): number;
  /** What the proxy answers to GET. */
  get(path: string): Promise<{ readonly status: number; readonly text: string }>;
}

const address = "127.0.0.1:0";

export function proxyFlagsFrom(words: readonly string[]) {
  return parseWords([`--listen-addr=${address}`, ...words], proxyFlags).values;
}

export async function withProxy(
  words: readonly string[],
  body: (parts: ProxyTry) => Promise<void>,
): Promise<void> {
  const etcd = await Etcd.start({ memory: true });
  const clients: Client[] = [];
  let proxy: RunningProxy | undefined;
  try {
    proxy = await startProxy(proxyFlagsFrom([`--endpoints=${etcd.endpoint}`, ...words]), silentLogger);
    const endpoint = `http://127.0.0.1:${proxy.port}`;
    const another: ProxyTry["another"] = async (options = {}) => {
      const client = await Client.connect({ endpoints: [endpoint], ...options });
      clients.push(client);
      return client;
    };
    await body({
      etcd,
      proxy,
      client: await another(),
      direct: await another({ endpoints: [etcd.endpoint] }),
      another,
      serverMetric: (name) => metricIn(etcd.metrics(), name),
      get: async (path) => {
        const answer = await fetch(`${endpoint}${path}`);
        return { status: answer.status, text: await answer.text() };
      },
    });
  } finally {
    for (const client of clients) client.close();
    await proxy?.stop(0);
    await etcd.close();
  }
}

export function metricIn(text: string, name: string): number {
  const line = text.split("\n").find((one) => one.startsWith(`${name} `));
  if (line === undefined) throw new Error(`there is no metric ${name}`);
  return Number(line.slice(name.length + 1));
}

/** How long a test waits for a condition, also on a machine that does other things. */
const patienceMs = 60_000;

/** Asks again and again until it is so; what cannot be asked is not so. */
export async function untilSo(what: string, isSo: () => Promise<boolean>): Promise<void> {
  const endMs = performance.now() + patienceMs;
  while (!(await isSo().catch(() => false))) {
    if (performance.now() > endMs) throw new Error(`waited too long for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
