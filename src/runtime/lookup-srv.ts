/** SRV records, from the system's DNS servers or from given ones. */
import { Resolver } from "node:dns/promises";

export interface SrvRecord {
  /** A host name, perhaps with a dot behind it. */
  readonly name: string;
  readonly port: number;
  readonly priority: number;
  readonly weight: number;
}

/** The records of a name, in order of priority. Rejects with an error worded as Go does. */
export async function lookupSrv(name: string, servers?: readonly string[]): Promise<SrvRecord[]> {
  const resolver = new Resolver();
  if (servers !== undefined) resolver.setServers([...servers]);
  try {
    const records = await resolver.resolveSrv(name);
    return records
      .map(({ name: host, port, priority, weight }) => ({ name: host, port, priority, weight }))
      .sort((a, b) => a.priority - b.priority || b.weight - a.weight);
  } catch (cause) {
    const code = (cause as { code?: string }).code ?? (cause as Error).message;
    const why = code.endsWith("ENOTFOUND") || code.endsWith("ENODATA") ? "no such host" : code;
    throw new Error(`lookup ${name}: ${why}`, { cause });
  }
}
