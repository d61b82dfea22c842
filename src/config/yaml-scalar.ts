/** What an unquoted word of YAML means to etcd (go-yaml v2): YAML 1.1 without numbers of base 60. */
import { type GoIntegerRange, parseGoInteger } from "../lib/go-number.ts";
import type { YamlScalar } from "./yaml-document.ts";

export type ScalarValue =
  | { readonly type: "nothing" }
  | { readonly type: "bool"; readonly value: boolean }
  | { readonly type: "integer"; readonly value: bigint }
  | { readonly type: "float"; readonly value: number }
  | { readonly type: "text"; readonly value: string };

const nothing = ["", "~", "null", "Null", "NULL"];
const yes = ["y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"];
const no = ["n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"];
const infinite = /^[-+]?\.(?:inf|Inf|INF)$|^\.(?:nan|NaN|NAN)$/;
const float = /^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$/;
const range: GoIntegerRange = { min: -(2n ** 63n), max: 2n ** 64n - 1n };
const tags = "tag:yaml.org,2002:";

export function scalarValue({ text, plain, tag }: YamlScalar): ScalarValue {
  const type = tag?.startsWith(tags) ? tag.slice(tags.length) : tag;
  if (type === "str" || (!plain && type === undefined)) return { type: "text", value: text };
  if (nothing.includes(text)) return { type: "nothing" };
  if (yes.includes(text)) return { type: "bool", value: true };
  if (no.includes(text)) return { type: "bool", value: false };
  if (infinite.test(text)) return { type: "float", value: text.startsWith("-") ? -Infinity : Infinity };
  if (/^[-+.0-9]/.test(text)) {
    const number = numberOf(text.replaceAll("_", ""));
    if (number) return number;
  }
  return { type: "text", value: text };
}

function numberOf(digits: string): ScalarValue | undefined {
  const integer = parseGoInteger(digits, range);
  if (typeof integer === "bigint") return { type: "integer", value: integer };
  if (!float.test(digits)) return undefined;
  const value = Number(digits);
  // JSON, through which etcd sends all of this, writes 5.0 and 1e3 as whole numbers.
  return Number.isSafeInteger(value) ? { type: "integer", value: BigInt(value) } : { type: "float", value };
}
