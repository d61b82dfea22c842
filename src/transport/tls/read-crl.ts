/** Lists of revoked certificates. */
import { loadX509 } from "./load-x509.ts";

/** The serial numbers of a list in DER or PEM, as hexadecimal digits in lower case without zeros in front. Rejects with
 * what is wrong. Who signed the list is not checked, nor how old it is: etcd does not either. */
export async function readRevokedSerials(list: Uint8Array): Promise<ReadonlySet<string>> {
  const { X509Crl } = await loadX509();
  const text = Buffer.from(list).toString("latin1");
  try {
    const crl = new X509Crl(text.includes("-----BEGIN") ? text : new Uint8Array(list));
    return new Set(crl.entries.map(({ serialNumber }) => plainSerial(serialNumber)));
  } catch (cause) {
    throw new Error("x509: malformed crl (it is no list of revoked certificates, in DER or in PEM)", {
      cause,
    });
  }
}

export function plainSerial(hex: string): string {
  return hex.toLowerCase().replace(/^0+(?=.)/, "");
}
