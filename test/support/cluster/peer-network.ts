/**
 * The network between members that are processes: each member's advertised peer URL is a proxy of this module's on
 * loopback, which tells by the header `X-Server-From` who dialled, and lets bytes through, holds them or breaks the
 * connection, in each direction by itself. Bytes that are held arrive later, as after TCP has sent them again.
 */
import { createServer, connect as dial, type Server, type Socket } from "node:net";

/** What becomes of bytes and connections on a link that is cut. */
export type CutKind = "hold" | "reset";

const headerPattern = /x-server-from:\s*([0-9a-f]+)/i;
/** Of a connection whose dialler is not known yet, so many bytes are looked at. */
const headBytesMax = 4096;

export class PeerNetwork {
  /** Directions that are cut, as "from>to". */
  readonly #cuts = new Map<string, CutKind>();
  readonly #links = new Set<Link>();
  readonly #servers: Server[] = [];
  readonly #names = new Map<string, string>();

  /** Who has the member id, in hexadecimal. */
  known(id: string, name: string): void {
    this.#names.set(id, name);
  }

  nameOf(id: string): string | undefined {
    return this.#names.get(id);
  }

  /** Starts the proxy in front of a member. */
  async listen(name: string, port: number, memberPort: number): Promise<void> {
    const server = createServer({ allowHalfOpen: true }, (socket) => {
      const link: Link = new Link(this, socket, name, memberPort, () => this.#links.delete(link));
      this.#links.add(link);
    });
    this.#servers.push(server);
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen({ port, host: "127.0.0.1" }, resolve);
    });
  }

  cutOf(from: string | undefined, to: string | undefined): CutKind | undefined {
    return this.#cuts.get(`${from}>${to}`);
  }

  cut(from: string, to: string, kind: CutKind): void {
    this.#cuts.set(`${from}>${to}`, kind);
    this.#refresh();
  }

  mend(from: string, to: string): void {
    this.#cuts.delete(`${from}>${to}`);
    this.#refresh();
  }

  mendAll(): void {
    this.#cuts.clear();
    this.#refresh();
  }

  /** Both directions between the two work. */
  joins(a: string, b: string): boolean {
    return this.cutOf(a, b) === undefined && this.cutOf(b, a) === undefined;
  }

  #refresh(): void {
    for (const link of [...this.#links]) link.refresh();
  }

  close(): void {
    for (const server of this.#servers) server.close();
    for (const link of [...this.#links]) link.destroy();
  }
}

/** One proxied connection. */
class Link {
  readonly #network: PeerNetwork;
  readonly #to: string;
  #from: string | undefined;
  #head = "";
  readonly #there: Pipe;
  readonly #back: Pipe;
  readonly #sockets: readonly [Socket, Socket];
  readonly #onEnd: () => void;

  constructor(network: PeerNetwork, dialler: Socket, to: string, memberPort: number, onEnd: () => void) {
    this.#network = network;
    this.#to = to;
    this.#onEnd = onEnd;
    const member = dial({ port: memberPort, host: "127.0.0.1", allowHalfOpen: true, noDelay: true });
    dialler.setNoDelay(true);
    this.#sockets = [dialler, member];
    const finished = () => {
      if (this.#there.isOver && this.#back.isOver) this.destroy();
    };
    this.#there = new Pipe(dialler, member, finished, (chunk) => this.#identify(chunk));
    this.#back = new Pipe(member, dialler, finished);
    this.refresh();
  }

  #identify(chunk: Buffer): void {
    if (this.#from !== undefined || this.#head.length > headBytesMax) return;
    this.#head += chunk.toString("latin1");
    const id = headerPattern.exec(this.#head)?.[1];
    if (id === undefined) return;
    this.#from = this.#network.nameOf(id);
    this.refresh();
  }

  refresh(): void {
    const there = this.#network.cutOf(this.#from, this.#to);
    const back = this.#network.cutOf(this.#to, this.#from);
    if (there === "reset" || back === "reset") {
      this.destroy();
      return;
    }
    this.#there.hold(there !== undefined);
    this.#back.hold(back !== undefined);
  }

  destroy(): void {
    for (const socket of this.#sockets) socket.destroy();
    this.#onEnd();
  }
}

/** One direction of a link. */
class Pipe {
  readonly #source: Socket;
  readonly #target: Socket;
  #held = false;
  #full = false;
  #waiting: Buffer[] = [];
  #ended = false;
  isOver = false;

  constructor(source: Socket, target: Socket, onOver: () => void, look?: (chunk: Buffer) => void) {
    this.#source = source;
    this.#target = target;
    source.on("data", (chunk: Buffer) => {
      look?.(chunk);
      this.#waiting.push(chunk);
      this.#flow();
    });
    const end = () => {
      this.#ended = true;
      this.#flow();
    };
    source.on("end", end);
    source.on("close", () => {
      end();
      onOver();
    });
    source.on("error", () => undefined); // "close" follows
    target.on("drain", () => {
      this.#full = false;
      this.#flow();
    });
    target.on("close", () => {
      this.isOver = true;
      source.destroy();
      onOver();
    });
  }

  hold(held: boolean): void {
    this.#held = held;
    this.#flow();
  }

  #flow(): void {
    if (this.isOver) return;
    while (!this.#held && !this.#full && this.#waiting.length > 0) {
      this.#full = !this.#target.write(this.#waiting.shift()!);
    }
    if (this.#held || this.#full) this.#source.pause();
    else this.#source.resume();
    if (this.#ended && !this.#held && this.#waiting.length === 0) {
      this.isOver = true;
      this.#target.end();
    }
  }
}
