import { goQuote } from "../../lib/go-quote.ts";

/** Milliseconds in each unit of a grpc-timeout. */
const unitMs: Readonly<Record<string, number>> = {
  H: 3_600_000,
  M: 60_000,
  S: 1_000,
  m: 1,
  u: 1e-3,
  n: 1e-6,
};
/** Eight digits and the unit. */
const maxLength = 9;

/** A timeout in milliseconds, or what is wrong with it (in grpc-go's words). */
export function parseGrpcTimeout(value: string): number | { readonly problem: string } {
  if (value.length < 2) return { problem: `transport: timeout string is too short: ${goQuote(value)}` };
  if (value.length > maxLength)
    return { problem: `transport: timeout string is too long: ${goQuote(value)}` };
  const unit = unitMs[value[value.length - 1]!];
  if (unit === undefined) return { problem: `transport: timeout unit is not recognized: ${goQuote(value)}` };
  const digits = value.slice(0, -1);
  if (!/^\d+$/.test(digits)) {
    return { problem: `strconv.ParseUint: parsing ${goQuote(digits)}: invalid syntax` };
  }
  return Number(digits) * unit;
}
