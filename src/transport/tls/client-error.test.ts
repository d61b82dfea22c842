import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { handshakeErrorOf, verificationErrorOf } from "./client-error.ts";

const failed = (code: string, message = "m"): Error => Object.assign(new Error(message), { code });

describe("a handshake that failed", () => {
  it("is told in Go's words, the certificate's fault first", () => {
    assert.deepEqual(handshakeErrorOf(failed("ECONNRESET"), "CERT_HAS_EXPIRED"), {
      text: "tls: failed to verify certificate: x509: certificate has expired or is not yet valid",
      isHangUp: false,
    });
    assert.equal(
      handshakeErrorOf(failed("ERR_SSL_NO_SHARED_CIPHER"), null).text,
      "tls: no cipher suite supported by both client and server",
    );
  });

  it("is no more than a client that went away", () => {
    assert.deepEqual(handshakeErrorOf(failed("ECONNRESET", "socket hang up"), null), {
      text: "EOF",
      isHangUp: true,
    });
  });

  it("is told in OpenSSL's words, without its places, if nobody knows better", () => {
    const openssl = "404D:error:0A00010B:SSL routines:ssl3_get_record:wrong version number:../a.c:360:\n";
    assert.equal(handshakeErrorOf(failed("X", openssl), undefined).text, "tls: wrong version number");
    const boring = "error:100000f7:SSL routines:OPENSSL_internal:WRONG_VERSION_NUMBER";
    assert.equal(handshakeErrorOf(failed("X", boring), undefined).text, "tls: wrong version number");
    const unread = "error:10000068:SSL routines:OPENSSL_internal:BAD_PACKET_LENGTH";
    assert.equal(handshakeErrorOf(failed("X", unread), undefined).text, "local error: tls: bad record MAC");
    assert.equal(
      handshakeErrorOf(failed("X", "received corrupt message"), "").text,
      "tls: received corrupt message",
    );
  });
});

describe("a server's certificate", () => {
  it("is found wanting in Go's words", () => {
    assert.match(
      verificationErrorOf(failed("SELF_SIGNED_CERT_IN_CHAIN")) ?? "",
      /x509: certificate signed by unknown/,
    );
    assert.equal(verificationErrorOf(failed("ECONNREFUSED")), undefined);
  });
});
