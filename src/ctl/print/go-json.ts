/** JSON as Go's encoding/json writes it. */
import type { MessageType } from "../../client/wire/message.ts";

export type Json =
  | string
  | number
  | bigint
  | boolean
  | null
  | Uint8Array
  | readonly Json[]
  | { readonly [name: string]: Json | undefined };

/** Bytes are base64; members that are undefined are left out. */
export function goJson(value: Json): string {
  if (value === null) return "null";
  if (typeof value === "string") return goJsonString(value);
  if (value instanceof Uint8Array) return `"${Buffer.from(value).toString("base64")}"`;
  if (Array.isArray(value)) return `[${value.map(goJson).join(",")}]`;
  if (typeof value !== "object") return String(value);
  const members = Object.entries(value).filter(([, member]) => member !== undefined);
  return `{${members.map(([name, member]) => `${goJsonString(name)}:${goJson(member as Json)}`).join(",")}}`;
}

/** Go escapes what could end a script element, too. */
function goJsonString(text: string): string {
  return JSON.stringify(text).replaceAll(/[<>&\u2028\u2029\u007f]/g, (character) =>
    character === "\u007f" ? character : `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/** A message as Go writes its struct: what is zero is left out. */
export function messageJson<T>(type: MessageType<T>, value: T): Json {
  const json: Record<string, Json | undefined> = {};
  for (const [name, field] of type.fields) {
    const member = (value as Record<string, unknown>)[name];
    if (isEmpty(member)) continue;
    const inner = field.type;
    if (typeof inner !== "function") json[name] = member as Json;
    else if (field.repeated) json[name] = (member as unknown[]).map((one) => messageJson(inner(), one));
    else json[name] = messageJson(inner(), member);
  }
  return json;
}

function isEmpty(member: unknown): boolean {
  if (Array.isArray(member) || member instanceof Uint8Array) return member.length === 0;
  return !member;
}
