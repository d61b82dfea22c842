/** Host names to addresses, as the system does it. */
import { lookup } from "node:dns/promises";

export async function resolveHost(hostname: string): Promise<string> {
  return (await lookup(hostname)).address;
}
