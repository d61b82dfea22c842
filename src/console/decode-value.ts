/** What a value is: guessed from its bytes, so that it can be shown as what its writer meant. */
import { bytesOf, textOf } from "./bytes.ts";

export type Format = "json" | "text" | "kubernetes" | "hex";

export interface KubernetesObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly namespace: string;
  readonly uid: string;
  readonly sizeBytes: number;
}

/** How Kubernetes marks what it stores as protobuf. */
const kubernetesMark = "k8s\0";

export function guessFormat(value: string): Format {
  if (value.startsWith(kubernetesMark) && decodeKubernetes(value)) return "kubernetes";
  const text = textOf(value);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: exactly these make it binary
  if (text === undefined || /[\u0000-\u0008\u000e-\u001f]/.test(text)) return "hex";
  return /^\s*[[{]/.test(text) && indentJson(text) !== undefined ? "json" : "text";
}

/** JSON with two blanks a level, its numbers with all their digits. Undefined if it is none. */
export function indentJson(text: string): string | undefined {
  try {
    JSON.parse(text);
  } catch {
    return undefined;
  }
  const out: string[] = [];
  let depth = 0;
  let before = "";
  const line = () => `\n${"  ".repeat(depth)}`;
  for (const [token] of text.matchAll(/"(?:[^"\\]|\\.)*"|[[\]{},:]|[^\s[\]{},:"]+/g)) {
    const isClosing = token === "}" || token === "]";
    if (isClosing) depth--;
    // What is empty stays on its line.
    if (before === "," || (isClosing ? !isOpening(before) : isOpening(before))) out.push(line());
    out.push(token === ":" ? ": " : token);
    if (isOpening(token)) depth++;
    before = token;
  }
  return out.join("");
}

const isOpening = (token: string): boolean => token === "{" || token === "[";

/** Offset, sixteen bytes, and what of them is ASCII. */
export function hexDump(value: string, bytesMax = 64 * 1024): string {
  const lines: string[] = [];
  for (let at = 0; at < Math.min(value.length, bytesMax); at += 16) {
    const row = [...value.slice(at, at + 16)];
    const hex = row.map((c) => c.charCodeAt(0).toString(16).padStart(2, "0"));
    const halves = [hex.slice(0, 8).join(" "), hex.slice(8).join(" ")].join("  ").padEnd(48);
    const ascii = row.map((c) => (c >= " " && c <= "~" ? c : ".")).join("");
    lines.push(`${at.toString(16).padStart(8, "0")}  ${halves}  ${ascii}`);
  }
  if (value.length > bytesMax) lines.push(`... ${value.length - bytesMax} bytes more`);
  return lines.join("\n");
}

/** The fields of a protobuf message that have a length, by number. Undefined if the bytes are none. */
function delimitedFields(bytes: Uint8Array): Map<number, Uint8Array> | undefined {
  const fields = new Map<number, Uint8Array>();
  let at = 0;
  const varint = (): number => {
    let value = 0;
    for (let shift = 0; shift < 56; shift += 7) {
      const byte = bytes[at++];
      if (byte === undefined) return Number.NaN;
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
    return Number.NaN;
  };
  while (at < bytes.length) {
    const tag = varint();
    const type = tag & 7;
    if (type === 0) varint();
    else if (type === 1) at += 8;
    else if (type === 5) at += 4;
    else if (type === 2) {
      const length = varint();
      if (!(at + length <= bytes.length)) return undefined;
      const number = tag >>> 3;
      if (!fields.has(number)) fields.set(number, bytes.subarray(at, at + length));
      at += length;
    } else return undefined;
    if (Number.isNaN(tag) || at > bytes.length) return undefined;
  }
  return fields;
}

const decoder = new TextDecoder();

/** The names in an object that Kubernetes stored as protobuf: its type, and its metadata if it has any. */
export function decodeKubernetes(value: string): KubernetesObject | undefined {
  const unknown = delimitedFields(bytesOf(value.slice(kubernetesMark.length)));
  const type = delimitedFields(unknown?.get(1) ?? new Uint8Array(0));
  if (!unknown?.has(1) || !type) return undefined;
  const raw = unknown.get(2) ?? new Uint8Array(0);
  const text = (bytes: Uint8Array | undefined): string => decoder.decode(bytes ?? new Uint8Array(0));
  const metadata = delimitedFields(delimitedFields(raw)?.get(1) ?? new Uint8Array(0));
  return {
    apiVersion: text(type.get(1)),
    kind: text(type.get(2)),
    name: text(metadata?.get(1)),
    namespace: text(metadata?.get(3)),
    uid: text(metadata?.get(5)),
    sizeBytes: raw.length,
  };
}
