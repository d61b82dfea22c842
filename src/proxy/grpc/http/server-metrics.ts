/** The metrics of a server behind the proxy, over plain HTTP or with the proxy's certificate. */
import { type IncomingMessage, request as requestHttp } from "node:http";
import { request as requestHttps } from "node:https";
import type { ConnectionOptions } from "node:tls";

const timeoutMs = 10_000;
const bytesMax = 64 * 1024 * 1024;

/** Rejects if the server cannot be reached, or with what it says too much. */
export function fetchServerMetrics(endpoint: string, tls: ConnectionOptions | undefined): Promise<string> {
  const scheme = tls === undefined ? "http" : "https";
  const url = new URL("/metrics", /^https?:\/\//.test(endpoint) ? endpoint : `${scheme}://${endpoint}`);
  return new Promise((resolve, reject) => {
    const onAnswer = (answer: IncomingMessage): void => {
      const chunks: Buffer[] = [];
      let bytes = 0;
      answer.on("data", (chunk: Buffer) => {
        chunks.push(chunk);
        bytes += chunk.length;
        if (bytes > bytesMax) call.destroy(new Error("the server's metrics are too long"));
      });
      answer.on("error", reject);
      answer.on("end", () => resolve(Buffer.concat(chunks).toString()));
    };
    const call =
      url.protocol === "https:"
        ? requestHttps(url, { ...tls, timeout: timeoutMs }, onAnswer)
        : requestHttp(url, { timeout: timeoutMs }, onAnswer);
    call.on("timeout", () => call.destroy(new Error("the server does not answer")));
    call.on("error", reject);
    call.end();
  });
}
