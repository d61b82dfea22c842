/** What a handshake that failed is called: in Go's words, whichever runtime tells. */

const unknownAuthority = "tls: failed to verify certificate: x509: certificate signed by unknown authority";

const byCode: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: "tls: failed to verify certificate: x509: certificate has expired or is not yet valid",
  CERT_NOT_YET_VALID: "tls: failed to verify certificate: x509: certificate has expired or is not yet valid",
  INVALID_PURPOSE: "tls: failed to verify certificate: x509: certificate specifies an incompatible key usage",
  CERT_REVOKED: "tls: failed to verify certificate: x509: certificate is revoked",
  // Without its authority a certificate cannot be followed further, whatever else is wrong with it.
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: unknownAuthority,
  UNABLE_TO_GET_ISSUER_CERT: unknownAuthority,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: unknownAuthority,
  SELF_SIGNED_CERT_IN_CHAIN: unknownAuthority,
  DEPTH_ZERO_SELF_SIGNED_CERT: unknownAuthority,
  CERT_SIGNATURE_FAILURE: unknownAuthority,
  ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE: "tls: client didn't provide a certificate",
  ERR_SSL_UNSUPPORTED_PROTOCOL: "tls: client offered only unsupported versions",
  ERR_SSL_NO_SHARED_CIPHER: "tls: no cipher suite supported by both client and server",
  ERR_SSL_NO_APPLICATION_PROTOCOL: "tls: client requested unsupported application protocols",
  ERR_SSL_TLSV1_ALERT_UNKNOWN_CA: "remote error: tls: unknown certificate authority",
  ERR_SSL_TLSV1_UNKNOWN_CA: "remote error: tls: unknown certificate authority",
  ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE: "remote error: tls: bad certificate",
  ERR_SSL_SSLV3_ALERT_CERTIFICATE_UNKNOWN: "remote error: tls: unknown certificate",
  ERR_SSL_SSLV3_ALERT_CERTIFICATE_EXPIRED: "remote error: tls: expired certificate",
  ERR_TLS_HANDSHAKE_TIMEOUT: "tls: handshake timeout",
};

/** A client that goes away in the middle of a handshake, or never finishes one: worth no warning. */
const hangUp = "EOF";

export interface HandshakeError {
  readonly text: string;
  /** Nobody's fault: scanners and health checks of load balancers do nothing else. */
  readonly isHangUp: boolean;
}

/** `authorizationError`: what the runtime has against the client's certificate, if it got that far. */
export function handshakeErrorOf(cause: Error, authorizationError: unknown): HandshakeError {
  const reason = codeOf(authorizationError);
  const code = reason ?? (cause as { code?: string }).code ?? "";
  const text = byCode[code] ?? (code === "ECONNRESET" ? hangUp : inGoWords(withoutPlaces(cause.message)));
  return { text, isHangUp: text === hangUp };
}

/** What is wrong with a server's certificate, in Go's words; undefined: nothing that is known here. */
export function verificationErrorOf(cause: Error): string | undefined {
  const text = byCode[(cause as { code?: string }).code ?? ""];
  return text?.includes("x509") ? text : undefined;
}

function codeOf(error: unknown): string | undefined {
  if (typeof error === "string" && error !== "") return error;
  return (error as { code?: string } | null | undefined)?.code;
}

/**
 * A client that does not like our certificate says so, in TLS 1.3, before it has begun to encrypt: Go and BoringSSL cannot
 * read that, and neither says why. (OpenSSL can.)
 */
const inGoWords = (text: string): string =>
  text === "tls: bad packet length" ? "local error: tls: bad record MAC" : text;

/** OpenSSL tells where in its sources something went wrong: `1A2B:error:0A000102:SSL routines:f:reason:file:line:`. */
function withoutPlaces(message: string): string {
  const match = /error:[0-9a-fA-F]+:[^:]*:[^:]*:([^:\n]+)/.exec(message);
  return `tls: ${match === null ? message.trim() : match[1]!.toLowerCase().replaceAll("_", " ")}`;
}
