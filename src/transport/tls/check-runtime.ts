/** What this runtime cannot do with TLS is refused at the start and not left out. */
import { createSecureContext } from "node:tls";
import type { TlsSettings } from "./tls-settings.ts";

/** Answers with the cipher suites that there are not. Throws an `Error`. */
export function checkRuntime({ cipherSuites }: TlsSettings): string[] {
  if (cipherSuites.length === 0) return [];
  if ("deno" in process.versions) {
    throw new Error("cipher suites cannot be chosen on Deno: leave out --cipher-suites, or use Bun or Node");
  }
  const unknown = cipherSuites.filter((suite) => !isKnown(suite));
  if (unknown.length === cipherSuites.length) {
    throw new Error(`none of the cipher suites is known to this runtime: ${unknown.join(", ")}`);
  }
  return unknown;
}

function isKnown(suite: string): boolean {
  try {
    createSecureContext({ ciphers: suite });
    return true;
  } catch {
    return false;
  }
}
