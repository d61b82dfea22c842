import { GrpcCode } from "../../errors/etcd-error.ts";
import { goQuote } from "../../lib/go-quote.ts";
import type { GrpcHandler, Metadata } from "../grpc.ts";
import type { RequestHead } from "../http2/request-head.ts";
import type { MethodRecord } from "./call-records.ts";
import type { GrpcService } from "./grpc-service.ts";
import { badBase64At, HeaderMetadata } from "./metadata.ts";
import { parseGrpcTimeout } from "./timeout.ts";

/** A method that is served. */
export interface Route extends MethodRecord {
  readonly handler: GrpcHandler;
}

/** An answer that needs no handler. */
export interface Refusal {
  readonly httpStatus: number;
  readonly code: GrpcCode;
  readonly message: string;
}

/** What the header list of a gRPC request asks for: worked out once for all requests with the same list. */
export type CallPlan = ServedCallPlan | RefusedCallPlan;

export interface ServedCallPlan {
  readonly kind: "call";
  readonly service: GrpcService;
  readonly route: Route;
  readonly timeoutMs: number | undefined;
  readonly metadata: Metadata;
  /** The client may compress. */
  readonly isGzip: boolean;
  /** What the answer's content-type has to be, and whether that is plain `application/grpc`. */
  readonly contentType: string;
  readonly isPlain: boolean;
}

export interface RefusedCallPlan {
  readonly kind: "refused call";
  readonly refusal: Refusal;
  readonly contentType: string;
}

/** A shorter timeout is over before anybody can look at the clock. */
const leastTimeoutMs = 0.001;
const baseContentType = "application/grpc";

/** Whether a request is for gRPC at all: gRPC-web and everything else are ordinary HTTP. */
export function isGrpc(contentType: string | undefined): contentType is string {
  return contentType?.startsWith(baseContentType) === true && !contentType.startsWith("application/grpc-web");
}

export class CallPlanner {
  private readonly service: GrpcService;
  private readonly serviceNames = new Set<string>();

  constructor(service: GrpcService) {
    this.service = service;
    for (const path of service.routes.keys()) this.serviceNames.add(path.slice(1, path.lastIndexOf("/")));
  }

  plan(head: RequestHead, contentType: string): CallPlan {
    const basis = head.basis?.plan as CallPlan | undefined;
    if (basis?.kind === "call") {
      const timeoutMs = timeoutOf(head);
      // Metadata leaves the timeout out, so it may be shared.
      if (timeoutMs > leastTimeoutMs) return { ...basis, timeoutMs };
    }
    const { timeoutMs, encoding, refusal: early } = checkFields(head, contentType);
    const answerType = answerContentType(contentType);
    const route = this.service.routes.get(head.path);
    const refusal =
      early ?? (route === undefined ? this.refusalOfPath(head.path) : refusalOfEncoding(encoding));
    if (route === undefined || refusal !== undefined) {
      return { kind: "refused call", refusal: refusal!, contentType: answerType };
    }
    return {
      kind: "call",
      service: this.service,
      route,
      timeoutMs,
      metadata: new HeaderMetadata(head),
      isGzip: encoding === "gzip",
      contentType: answerType,
      isPlain: answerType === baseContentType,
    };
  }

  /** grpc-go's words for a path that leads nowhere. */
  private refusalOfPath(path: string): Refusal {
    const slash = path.lastIndexOf("/");
    if (!path.startsWith("/") || slash === 0) return unimplemented(`malformed method name: ${goQuote(path)}`);
    const service = path.slice(1, slash);
    if (!this.serviceNames.has(service)) return unimplemented(`unknown service ${service}`);
    return unimplemented(`unknown method ${path.slice(slash + 1)} for service ${service}`);
  }
}

/** The `grpc-timeout` of a head that has one, 0 if it is malformed. */
function timeoutOf(head: RequestHead): number {
  const at = head.fields.lastIndexOf("grpc-timeout");
  const parsed = at < 0 ? 0 : parseGrpcTimeout(head.fields[at + 1]!);
  return typeof parsed === "number" ? parsed : 0;
}

function unimplemented(message: string): Refusal {
  return { httpStatus: 200, code: GrpcCode.unimplemented, message };
}

function refusalOfEncoding(encoding: string): Refusal | undefined {
  if (encoding === "" || encoding === "identity" || encoding === "gzip") return undefined;
  return unimplemented(`grpc: Decompressor is not installed for grpc-encoding ${goQuote(encoding)}`);
}

/** The checks that grpc-go makes before it looks at the path, in its order. */
function checkFields(
  head: RequestHead,
  contentType: string,
): { timeoutMs: number | undefined; encoding: string; refusal: Refusal | undefined } {
  let timeoutMs: number | undefined;
  let encoding = "";
  let problem: string | undefined;
  let hosts = 0;
  for (let at = 0; at < head.fields.length; at += 2) {
    const name = head.fields[at]!;
    const value = head.fields[at + 1]!;
    if (name === "grpc-timeout") {
      const parsed = parseGrpcTimeout(value);
      if (typeof parsed === "number") timeoutMs = parsed;
      else problem = `malformed grpc-timeout: ${parsed.problem}`;
    } else if (name === "grpc-encoding") {
      encoding = value;
    } else if (name === "host") {
      hosts++;
    } else if (name.endsWith("-bin")) {
      problem = problemOfBinary(name, value) ?? problem;
    }
  }
  return { timeoutMs, encoding, refusal: firstProblem(head, contentType, hosts, problem, timeoutMs) };
}

function problemOfBinary(name: string, value: string): string | undefined {
  const at = badBase64At(value);
  if (at < 0) return undefined;
  const where = `malformed binary metadata ${goQuote(value)} in header ${goQuote(name)}`;
  return `${where}: illegal base64 data at input byte ${at}`;
}

function firstProblem(
  head: RequestHead,
  contentType: string,
  hosts: number,
  fieldProblem: string | undefined,
  timeoutMs: number | undefined,
): Refusal | undefined {
  const authorities = head.authority === undefined ? 0 : 1;
  if (hosts > 1) {
    const counts = `num values of :authority: ${authorities}, num values of host: ${hosts}`;
    return refuse(400, `${counts}, both must only have 1 value as per HTTP/2 spec`);
  }
  if (!/^application\/grpc([+;]|$)/.test(contentType)) {
    const message = `invalid gRPC request content-type ${goQuote(contentType)}`;
    return { httpStatus: 415, code: GrpcCode.invalidArgument, message };
  }
  if (fieldProblem !== undefined) return refuse(400, fieldProblem);
  if (authorities + hosts === 0) return refuse(400, "no host or :authority header present");
  if (head.method !== "POST") {
    return refuse(405, `Received a HEADERS frame with :method ${goQuote(head.method)} which should be POST`);
  }
  if (timeoutMs !== undefined && timeoutMs <= leastTimeoutMs) {
    return { httpStatus: 200, code: GrpcCode.deadlineExceeded, message: "context deadline exceeded" };
  }
  return undefined;
}

function refuse(httpStatus: number, message: string): Refusal {
  return { httpStatus, code: GrpcCode.internal, message };
}

/** The answer has the subtype of the request. */
function answerContentType(contentType: string): string {
  const subtype = /^application\/grpc[+;](.+)$/.exec(contentType)?.[1];
  return subtype === undefined ? baseContentType : `${baseContentType}+${subtype}`;
}
