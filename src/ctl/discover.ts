/** Endpoints from DNS: SRV records of etcd's client services. */
import { resolveSrv } from "node:dns/promises";

/** `https` endpoints before `http` ones. Rejects if neither service is known. */
export async function discoverEndpoints(domain: string, serviceName: string): Promise<string[]> {
  const suffix = serviceName === "" ? "" : `-${serviceName}`;
  const services = [
    { scheme: "https", service: `etcd-client-ssl${suffix}` },
    { scheme: "http", service: `etcd-client${suffix}` },
  ];
  const found: string[] = [];
  const problems: string[] = [];
  for (const { scheme, service } of services) {
    try {
      const records = await resolveSrv(`_${service}._tcp.${domain}`);
      records.sort((a, b) => a.priority - b.priority || b.weight - a.weight);
      for (const { name, port } of records) found.push(`${scheme}://${name.replace(/\.$/, "")}:${port}`);
    } catch (error) {
      const { code } = error as { code?: string };
      const why = code === "ENOTFOUND" || code === "ENODATA" ? "no such host" : (error as Error).message;
      problems.push(`lookup _${service}._tcp.${domain}: ${why}`);
    }
  }
  if (found.length === 0) throw new Error(`dns lookup errors: ${problems.join(" and ")}`);
  return found;
}
