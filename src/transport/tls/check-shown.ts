/** What is asked of a certificate besides a good signature. */
import type { TLSSocket } from "node:tls";
import { commonNameOf, isFor, serialNumbersOf, shownCertificate } from "./certificate-names.ts";
import type { TlsSettings } from "./tls-settings.ts";

/** Undefined: nothing is against whom this connection leads to; else what is, in etcd's words. */
export function whyNotAllowed(
  socket: TLSSocket,
  settings: TlsSettings,
  revoked: ReadonlySet<string> | undefined,
): string | undefined {
  if (!isNamed(socket, settings)) return "client certificate authentication failed";
  const withdrawn = revoked && serialNumbersOf(socket).find((serial) => revoked.has(serial));
  return withdrawn === undefined ? undefined : `transport: certificate serial ${withdrawn} revoked`;
}

function isNamed(socket: TLSSocket, { allowedCommonNames, allowedHostnames }: TlsSettings): boolean {
  if (allowedCommonNames.length > 0) return allowedCommonNames.includes(commonNameOf(socket));
  if (allowedHostnames.length === 0) return true;
  const certificate = shownCertificate(socket);
  return certificate !== undefined && allowedHostnames.some((host) => isFor(certificate, host));
}
