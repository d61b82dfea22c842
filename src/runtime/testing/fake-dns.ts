/** A DNS server of a test's own, which knows SRV records only. */
import { createSocket } from "node:dgram";

/** Name to records, whose priorities are their places. */
export type SrvAnswers = Readonly<Record<string, readonly (readonly [target: string, port: number])[]>>;

export interface FakeDns {
  /** As `host:port`. */
  readonly server: string;
  close(): void;
}

export async function startFakeDns(records: SrvAnswers): Promise<FakeDns> {
  const dns = createSocket("udp4");
  dns.on("message", (query, from) => dns.send(answerTo(records, query), from.port, from.address));
  await new Promise<void>((resolve) => dns.bind(0, "127.0.0.1", resolve));
  return { server: `127.0.0.1:${dns.address().port}`, close: () => dns.close() };
}

const labels = (name: string): Buffer =>
  Buffer.concat([
    ...name.split(".").flatMap((label) => [Buffer.from([label.length]), Buffer.from(label)]),
    Buffer.from([0]),
  ]);

/** The answer to a question: the header, the question again, and a record each. */
function answerTo(records: SrvAnswers, query: Buffer): Buffer {
  let end = 12;
  const parts: string[] = [];
  while (query[end] !== 0) {
    parts.push(query.toString("latin1", end + 1, end + 1 + query[end]!));
    end += 1 + query[end]!;
  }
  const found = records[parts.join(".").toLowerCase()] ?? [];
  const header = Buffer.from(query.subarray(0, 12));
  header.writeUInt16BE(found.length > 0 ? 0x8180 : 0x8183, 2);
  header.writeUInt16BE(found.length, 6);
  header.fill(0, 8, 12);
  const answers = found.map(([target, port], at) => {
    const name = labels(target);
    const head = Buffer.alloc(18);
    head.writeUInt16BE(0xc00c, 0);
    head.writeUInt16BE(33, 2);
    head.writeUInt16BE(1, 4);
    head.writeUInt32BE(60, 6);
    head.writeUInt16BE(6 + name.length, 10);
    head.writeUInt16BE(at, 12);
    head.writeUInt16BE(port, 16);
    return Buffer.concat([head, name]);
  });
  return Buffer.concat([header, query.subarray(12, end + 5), ...answers]);
}
