/** Asks a Kubernetes API server, as the user `admin`, in JSON. */
import { readFileSync } from "node:fs";
import { Agent, type RequestOptions, request } from "node:https";
import { lineSplitter } from "../support/exec.ts";
import { eventually, withTimeout } from "../support/report.ts";
import type { Files } from "./certificates.ts";

export interface Metadata {
  name: string;
  namespace?: string;
  uid?: string;
  resourceVersion?: string;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  finalizers?: string[];
  [field: string]: unknown;
}

/** An object of Kubernetes; what else it holds is for the caller to know. */
export interface KubeObject {
  kind?: string;
  apiVersion?: string;
  metadata: Metadata;
  // biome-ignore lint/suspicious/noExplicitAny: the fields differ from kind to kind, and checks look deep into them
  [field: string]: any;
}

export interface KubeList {
  kind: string;
  metadata: { resourceVersion: string; continue?: string; remainingItemCount?: number };
  items: KubeObject[];
}

export interface Answer {
  readonly status: number;
  readonly text: string;
  readonly ms: number;
}

/** An answer other than 2xx. */
export class KubeError extends Error {
  readonly status: number;
  readonly reason: string;
  readonly body: KubeObject | undefined;
  constructor(what: string, answer: Answer) {
    super(`${what} answered ${answer.status}: ${answer.text.slice(0, 600)}`);
    this.status = answer.status;
    try {
      this.body = JSON.parse(answer.text) as KubeObject;
    } catch {
      this.body = undefined; // not the API's own answer: the text is in the message
    }
    this.reason = String(this.body?.["reason"] ?? "");
  }
}

const patchTypes = {
  merge: "application/merge-patch+json",
  json: "application/json-patch+json",
  strategic: "application/strategic-merge-patch+json",
  apply: "application/apply-patch+yaml",
} as const;

export class KubeClient {
  readonly #options: RequestOptions;
  readonly #agent: Agent;

  constructor(files: Files, port: number) {
    const read = (name: string): string => readFileSync(files.path(name), "utf8");
    const tls = { ca: read("ca.crt"), cert: read("admin.crt"), key: read("admin.key") };
    this.#agent = new Agent({ ...tls, keepAlive: true, maxSockets: 100 });
    this.#options = { host: "127.0.0.1", port, ...tls };
  }

  /** One request. Rejects only if there is no answer. */
  ask(
    method: string,
    path: string,
    body?: unknown,
    contentType = "application/json",
    timeoutMs = 60_000,
  ): Promise<Answer> {
    const started = performance.now();
    const text = body === undefined ? undefined : JSON.stringify(body);
    const headers = {
      accept: "application/json",
      // Said outright: not every runtime sends a length, and then the body, with a DELETE.
      ...(text === undefined
        ? {}
        : { "content-type": contentType, "content-length": Buffer.byteLength(text) }),
    };
    const answer = new Promise<Answer>((resolve, reject) => {
      const call = request({ ...this.#options, agent: this.#agent, method, path, headers }, (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("error", reject);
        response.on("end", () => {
          const text = Buffer.concat(chunks).toString();
          resolve({ status: response.statusCode ?? 0, text, ms: performance.now() - started });
        });
      });
      call.on("error", reject);
      call.end(text);
    });
    return withTimeout(answer, timeoutMs, `${method} ${path}`);
  }

  async #json<T>(method: string, path: string, body?: unknown, contentType?: string): Promise<T> {
    const answer = await this.ask(method, path, body, contentType);
    if (answer.status >= 300) throw new KubeError(`${method} ${path}`, answer);
    return JSON.parse(answer.text) as T;
  }

  get = <T = KubeObject>(path: string): Promise<T> => this.#json<T>("GET", path);
  list = (path: string): Promise<KubeList> => this.#json<KubeList>("GET", path);
  create = (path: string, object: unknown): Promise<KubeObject> => this.#json("POST", path, object);
  update = (path: string, object: unknown): Promise<KubeObject> => this.#json("PUT", path, object);
  delete = (path: string, options?: unknown): Promise<KubeObject> => this.#json("DELETE", path, options);
  patch = (path: string, patch: unknown, type: keyof typeof patchTypes = "merge"): Promise<KubeObject> =>
    this.#json("PATCH", path, patch, patchTypes[type]);

  /** The text of a path that is not JSON: metrics, probes. */
  async text(path: string): Promise<string> {
    const answer = await this.ask("GET", path);
    if (answer.status >= 300) throw new KubeError(`GET ${path}`, answer);
    return answer.text;
  }

  /** All the pages of a list, `limit` objects each. */
  async pages(path: string, limit: number): Promise<KubeList[]> {
    const pages = [await this.list(`${path}?limit=${limit}`)];
    for (let next = pages[0]!.metadata.continue; next; next = pages.at(-1)!.metadata.continue) {
      pages.push(await this.list(`${path}?limit=${limit}&continue=${encodeURIComponent(next)}`));
    }
    return pages;
  }

  watch(path: string, parameters: Record<string, string | number | boolean> = {}): Watch {
    const query = new URLSearchParams({ watch: "true" });
    for (const [name, value] of Object.entries(parameters)) query.set(name, String(value));
    return new Watch({ ...this.#options, agent: false, path: `${path}?${query}` });
  }

  close(): void {
    this.#agent.destroy();
  }
}

export interface WatchEvent {
  readonly type: "ADDED" | "MODIFIED" | "DELETED" | "BOOKMARK" | "ERROR";
  readonly object: KubeObject;
}

/** A watch, on a connection of its own. Keeps all the events it got. */
export class Watch {
  readonly events: WatchEvent[] = [];
  /** Why it ended, if it did. */
  ended: string | undefined;
  readonly #call: ReturnType<typeof request>;

  constructor(options: RequestOptions) {
    const onLine = (line: string): void => {
      if (line !== "") this.events.push(JSON.parse(line) as WatchEvent);
    };
    this.#call = request(options, (response) => {
      const lines = lineSplitter(onLine);
      response.on("data", (chunk: Buffer) => lines.push(chunk));
      response.on("end", () => {
        this.ended ??= "the server ended it";
      });
      response.on("error", (error: Error) => {
        this.ended ??= String(error);
      });
    });
    this.#call.on("error", (error: Error) => {
      this.ended ??= String(error);
    });
    this.#call.end();
  }

  /** Waits until an event matches, and answers with it. */
  async until(
    what: string,
    matches: (event: WatchEvent) => boolean,
    timeoutMs = 30_000,
  ): Promise<WatchEvent> {
    await eventually(
      what,
      () => {
        if (this.events.some(matches)) return true;
        if (this.ended !== undefined) throw new Error(`the watch ended (${this.ended}) before ${what}`);
        return false;
      },
      { timeoutMs },
    );
    return this.events.find(matches)!;
  }

  /** `ADDED a`, `MODIFIED a` and so on, without bookmarks. */
  changes(): string[] {
    return this.events.filter((e) => e.type !== "BOOKMARK").map((e) => `${e.type} ${e.object.metadata.name}`);
  }

  close(): void {
    this.#call.destroy();
  }
}
