/** What a certificate says of whose it is. */
import { X509Certificate } from "node:crypto";
import { isIP } from "node:net";
import type { DetailedPeerCertificate, TLSSocket } from "node:tls";
import { plainSerial } from "./read-crl.ts";

/** The certificate that the other end showed, if it showed one. */
export function shownCertificate(socket: TLSSocket): X509Certificate | undefined {
  const { raw } = (socket.getPeerCertificate() ?? {}) as { raw?: Buffer };
  return raw === undefined || raw.length === 0 ? undefined : new X509Certificate(raw);
}

/** The serial numbers of what the other end showed, and of those who signed it as far as they are known. */
export function serialNumbersOf(socket: TLSSocket): string[] {
  const serials: string[] = [];
  const seen = new Set<object>();
  let certificate: DetailedPeerCertificate | undefined = socket.getPeerCertificate(true);
  // The last one is its own issuer.
  while (certificate?.serialNumber !== undefined && !seen.has(certificate)) {
    seen.add(certificate);
    serials.push(plainSerial(certificate.serialNumber));
    certificate = certificate.issuerCertificate;
  }
  return serials;
}

/** Go's `CommonName`: the last one, if there are several; empty if there is none. */
export function commonNameOf(socket: TLSSocket): string {
  const subject = socket.getPeerCertificate()?.subject;
  const name = subject?.CN as string | string[] | undefined;
  return (Array.isArray(name) ? name.at(-1) : name) ?? "";
}

export interface AlternativeNames {
  readonly dns: readonly string[];
  readonly ips: readonly string[];
}

/** Names that hold a comma or a quote are given in quotes. */
const alternativeName = /(DNS|IP Address):("(?:[^"\\]|\\.)*"|[^,]*)/g;

export function alternativeNamesOf({ subjectAltName }: X509Certificate): AlternativeNames {
  const dns: string[] = [];
  const ips: string[] = [];
  for (const [, kind, value] of (subjectAltName ?? "").matchAll(alternativeName)) {
    (kind === "DNS" ? dns : ips).push(value!.trim());
  }
  return { dns, ips };
}

/** Whether the certificate is for this host name or address; its common name does not count, as in Go. */
export function isFor(certificate: X509Certificate, host: string): boolean {
  const plain = host.replace(/^\[(.*)\]$/, "$1");
  if (isIP(plain) !== 0) return certificate.checkIP(plain) !== undefined;
  // Not by `checkHost`: not every runtime can be told to leave the common name alone.
  return alternativeNamesOf(certificate).dns.some((pattern) => matches(pattern, plain));
}

/** "*" stands for the whole first label, and for one label only. */
function matches(pattern: string, host: string): boolean {
  const want = labels(pattern);
  const have = labels(host);
  if (want.length !== have.length || have.includes("")) return false;
  return want.every((label, i) => label === have[i] || (i === 0 && label === "*" && want.length > 1));
}

const labels = (name: string): string[] => name.toLowerCase().replace(/\.$/, "").split(".");
