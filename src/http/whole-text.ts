/**
 * A short answer in one piece, with its length. Without a length it would go out in chunks, which probes that speak
 * HTTP/1.0 do not read; and not every runtime says by itself that a text is one.
 */
export function wholeText(
  text: string,
  status = 200,
  fields: Readonly<Record<string, string>> = {},
): Response {
  const bytes = new TextEncoder().encode(text);
  const headers = { "Content-Type": plainText, "Content-Length": String(bytes.length), ...fields };
  return new Response(bytes, { status, headers });
}

const plainText = "text/plain; charset=utf-8";

/** As Go's http.Error answers. */
export const refusal = (
  text: string,
  status: number,
  fields: Readonly<Record<string, string>> = {},
): Response => wholeText(text, status, { ...fields, "X-Content-Type-Options": "nosniff" });
