/** The keys that sign and verify tokens, read as etcd reads them: PEM files, or any bytes for the methods with a shared secret. */
import { createPrivateKey, createPublicKey, type KeyObject, X509Certificate } from "node:crypto";
import { type CryptoKey, importPKCS8, importSPKI } from "jose";
import type { KeyFiles } from "./key-files.ts";
import { TokenOptionsError, tokenFaults } from "./token-options.ts";

/** The methods that etcd knows, and the kind of key of each. */
const families: Readonly<Record<string, Family>> = {
  RS256: "RSA",
  RS384: "RSA",
  RS512: "RSA",
  PS256: "RSA",
  PS384: "RSA",
  PS512: "RSA",
  ES256: "ECDSA",
  ES384: "ECDSA",
  ES512: "ECDSA",
  EdDSA: "Ed25519",
  HS256: "HMAC",
  HS384: "HMAC",
  HS512: "HMAC",
};
type Family = "RSA" | "ECDSA" | "Ed25519" | "HMAC";

const keyType: Readonly<Record<Exclude<Family, "HMAC">, string>> = {
  RSA: "rsa",
  ECDSA: "ec",
  Ed25519: "ed25519",
};
const publicLabels = ["PUBLIC KEY", "CERTIFICATE", "RSA PUBLIC KEY"];
const privateLabels = ["PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY"];

export type JwtKey = CryptoKey | Uint8Array;

export interface JwtKeys {
  readonly method: string;
  readonly verify: JwtKey;
  /** Undefined when tokens are only verified. */
  readonly sign: JwtKey | undefined;
}

export interface JwtKeySettings {
  readonly method: string;
  readonly publicPath: string | undefined;
  readonly privatePath: string | undefined;
}

export const isSignMethod = (method: string): boolean => Object.hasOwn(families, method);

/** Rejects with a `TokenOptionsError`, or the error of a file that cannot be read. */
export async function loadJwtKeys(settings: JwtKeySettings, files: KeyFiles): Promise<JwtKeys> {
  const { method, publicPath, privatePath } = settings;
  const publicBytes = publicPath === undefined ? noBytes : await files.read(publicPath);
  const privateBytes = privatePath === undefined ? noBytes : await files.read(privatePath);
  const family = families[method]!;
  if (family === "HMAC") {
    if (privateBytes.length === 0) throw new TokenOptionsError(tokenFaults.missingKey);
    return { method, verify: privateBytes, sign: privateBytes };
  }
  const secret = privateBytes.length === 0 ? undefined : parsePrivate(privateBytes, family);
  const open = publicBytes.length === 0 ? undefined : parsePublic(publicBytes, family);
  if (secret && open && spki(createPublicKey(secret)) !== spki(open)) {
    throw new TokenOptionsError(tokenFaults.keyMismatch);
  }
  const verifying = open ?? (secret && createPublicKey(secret));
  if (!verifying) throw new TokenOptionsError(tokenFaults.missingKey);
  checkStrength(verifying);
  try {
    return {
      method,
      verify: await importSPKI(spki(verifying), method),
      sign: secret && (await importPKCS8(pkcs8(secret), method)),
    };
  } catch {
    // The curve is not the one of the method.
    throw new TokenOptionsError("key is invalid");
  }
}

const noBytes = new Uint8Array();
/** The standard (RFC 7518, section 3.3) allows no less, nor do today's libraries. */
const rsaBitsMin = 2048;

function parsePrivate(bytes: Uint8Array, family: Exclude<Family, "HMAC">): KeyObject {
  const { block } = pemBlock(bytes, privateLabels);
  const key = parsed(() => createPrivateKey(block));
  if (key.asymmetricKeyType !== keyType[family]) {
    throw new TokenOptionsError(`key is not a valid ${family} private key`);
  }
  return key;
}

function parsePublic(bytes: Uint8Array, family: Exclude<Family, "HMAC">): KeyObject {
  const { label, block } = pemBlock(bytes, publicLabels);
  const key = parsed(() =>
    label === "CERTIFICATE" ? new X509Certificate(block).publicKey : createPublicKey(block),
  );
  if (key.asymmetricKeyType !== keyType[family]) {
    throw new TokenOptionsError(`key is not a valid ${family} public key`);
  }
  return key;
}

/** The first block with one of these labels. A public key is never taken from a file with a private one. */
function pemBlock(bytes: Uint8Array, labels: readonly string[]): { label: string; block: string } {
  const text = new TextDecoder().decode(bytes);
  const blocks = [...text.matchAll(/-----BEGIN ([A-Z0-9 ]+)-----[^-]+-----END \1-----/g)];
  const found = blocks.find(([, label]) => labels.includes(label!));
  if (found) return { label: found[1]!, block: found[0] };
  if (blocks.length === 0) {
    throw new TokenOptionsError("invalid key: Key must be a PEM encoded PKCS1 or PKCS8 key");
  }
  throw new TokenOptionsError(`invalid key: found ${blocks[0]![1]}, need ${labels.join(" or ")}`);
}

function parsed(parse: () => KeyObject): KeyObject {
  try {
    return parse();
  } catch (cause) {
    throw new TokenOptionsError(`invalid key: ${(cause as Error).message}`);
  }
}

function checkStrength(key: KeyObject): void {
  const bits = key.asymmetricKeyDetails?.modulusLength;
  if (key.asymmetricKeyType !== "rsa" || bits === undefined || bits >= rsaBitsMin) return;
  throw new TokenOptionsError(`key is invalid: ${bits} bits, and an RSA key has ${rsaBitsMin} at least`);
}

const spki = (key: KeyObject): string => key.export({ type: "spki", format: "pem" }) as string;
const pkcs8 = (key: KeyObject): string => key.export({ type: "pkcs8", format: "pem" }) as string;
