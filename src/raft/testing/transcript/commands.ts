/**
 * What can be done in a transcript. Each command prints lines.
 */
import type { MemberId, RaftIndex } from "../../../lib/ids.ts";
import type { Message } from "../../../lib/raft-message.ts";
import { type ConfChangeSingle, ConfChangeTransition, type ConfChangeType } from "../../confchange/types.ts";
import type { RaftConfig } from "../../config.ts";
import { messageName } from "../../message.ts";
import { describeConfig } from "../../reconfigure.ts";
import { Cluster } from "../cluster.ts";
import { toBytes } from "../machine.ts";
import { formatMember, formatMessage, formatProgress, formatReady } from "./format.ts";
import type { Arguments } from "./parse.ts";

/** The world of one transcript. */
export class Stage {
  #cluster: Cluster | undefined;
  /** What the cores said since the last command began. */
  readonly #said: string[] = [];

  get cluster(): Cluster {
    if (this.#cluster === undefined) throw new Error("the transcript has no cluster yet");
    return this.#cluster;
  }

  set cluster(cluster: Cluster) {
    this.#cluster = cluster;
  }

  say(line: string): void {
    this.#said.push(line);
  }

  takeSaid(): string[] {
    return this.#said.splice(0);
  }
}

type Command = (stage: Stage, args: Arguments) => string[];

const ok = ["ok"];

/** Member 1 waits for 10 ticks, member 2 for 13, and so on: nobody gets in another's way by chance. */
const staggered = (id: number) => (bound: number) => ((id - 1) * 3) % bound;

/** Runs a command; answers what it prints: what it did, and what the cores said meanwhile. */
export function runCommand(stage: Stage, args: Arguments): string[] {
  const command = commands[args.name];
  if (command === undefined) throw new Error(`unknown command ${args.name}`);
  stage.takeSaid();
  const lines = command(stage, args);
  const said = stage.takeSaid();
  return lines.length + said.length === 0 ? ok : [...said, ...lines];
}

const commands: Record<string, Command> = {
  /** cluster size=3 [learners=] [outsiders=] [logs=1:1,1,2/2:1] [prevote] [checkquorum] [lease] [max-entries=]... */
  cluster(stage, { options, words }) {
    const logs = Object.fromEntries(
      (options.get("logs") ?? "")
        .split("/")
        .filter((part) => part !== "")
        .map((part) => [part.split(":")[0], part.split(":")[1]!.split(",").map(Number)]),
    );
    const config = configFrom(stage, words, options);
    const [size, learners, outsiders] = ["size", "learners", "outsiders"].map((name) =>
      Number(options.get(name) ?? 0),
    );
    const sizes = { size: size!, learners: learners!, outsiders: outsiders! };
    stage.cluster = new Cluster({ ...sizes, logs, config, randomOf: staggered });
    return [];
  },

  /** campaign 1 */
  campaign: (stage, args) => each(stage, args, (id) => stage.cluster.node(id).campaign()),

  /** tick 1 5: five ticks of member 1. */
  tick(stage, { words }) {
    stage.cluster.tick(Number(words[0]), Number(words[1] ?? 1));
    return [];
  },

  /** pass 10: so many ticks for all, and whatever follows from each. */
  pass(stage, { words }) {
    stage.cluster.pass(Number(words[0]));
    return [];
  },

  /** propose 1 a b: one proposal for each text. */
  propose(stage, { words }) {
    const [id, ...texts] = words;
    return texts.flatMap((text) => {
      const refusal = stage.cluster.member(Number(id)).propose(text);
      return refusal === undefined ? [] : [`refused: ${refusal}`];
    });
  },

  /** change 1 v4 l5 r1 [joint=explicit|implicit]; without letters it leaves a joint configuration. */
  change(stage, { words, options }) {
    const [id, ...parts] = words;
    const joint = options.get("joint");
    const transition =
      joint === "explicit"
        ? ConfChangeTransition.jointExplicit
        : joint === "implicit"
          ? ConfChangeTransition.jointImplicit
          : ConfChangeTransition.auto;
    const change = { transition, changes: parts.map(parseChange), context: toBytes("") };
    const refusal = stage.cluster.node(Number(id)).proposeConfChange(change);
    return refusal === undefined ? [] : [`refused: ${refusal}`];
  },

  /** ready 1 2: each takes one Ready; what it writes is under way from then on. */
  ready(stage, { words }) {
    return words.map(Number).flatMap((id) => {
      const member = stage.cluster.member(id);
      if (!member.node.hasReady()) return [`${id} has nothing to do`];
      return indent(`${id} ready`, formatReady(member.takeReady()));
    });
  },

  /** persist 1 [all]: the oldest write of member 1 becomes durable. */
  persist(stage, { words }) {
    const member = stage.cluster.member(Number(words[0]));
    const lines: string[] = [];
    do {
      if (!member.persistNext()) return lines.length > 0 ? lines : ["nothing is being written"];
      lines.push(`durable: last=${member.disk.lastIndex} term=${member.disk.hardState?.term ?? 0}`);
    } while (words[1] === "all");
    return lines;
  },

  /** work 1 2: each does everything it has to do, disk included. */
  work: (stage, args) => each(stage, args, (id) => stage.cluster.work(id)),

  /** settle: everybody works, and everything is delivered, until nothing moves. */
  settle(stage) {
    stage.cluster.settle();
    return [];
  },

  /** wire: what is on its way. */
  wire: (stage) => stage.cluster.wire.map(formatMessage),

  /** deliver [1>2] [type=MsgApp]: what is on its way and matches arrives. */
  deliver(stage, args) {
    const messages = stage.cluster.take(matching(args));
    return messages.flatMap((message) => {
      stage.cluster.deliverOne(message);
      return [formatMessage(message), ...stage.takeSaid().map((line) => `  ${line}`)];
    });
  },

  /** lose [1>2] [type=MsgApp]: what is on its way and matches does not arrive. */
  lose: (stage, args) =>
    stage.cluster.take(matching(args)).map((message) => `lost ${formatMessage(message)}`),

  /** isolate 3; partition 1,2 3,4,5; heal */
  isolate(stage, { words }) {
    stage.cluster.isolate(...words.map(Number));
    return [];
  },
  partition(stage, { words }) {
    stage.cluster.partition(...words.map((group) => group.split(",").map(Number)));
    return [];
  },
  heal(stage) {
    stage.cluster.heal();
    return [];
  },

  /** crash 1 [survivors=1]; restart 1 */
  crash(stage, { words, options }) {
    stage.cluster.member(Number(words[0])).crash(Number(options.get("survivors") ?? 0));
    return [];
  },
  restart: (stage, args) => each(stage, args, (id) => stage.cluster.member(id).restart()),

  /** transfer 1 2: member 1 is asked to hand leadership to 2. */
  transfer(stage, { words }) {
    stage.cluster.node(Number(words[0])).transferLeader(BigInt(words[1]!) as MemberId);
    return [];
  },

  /** read 2 a b: member 2 asks for a read index for each. */
  read(stage, { words }) {
    const [id, ...marks] = words;
    return marks.flatMap((mark) => {
      const refusal = stage.cluster.node(Number(id)).readIndex(toBytes(mark));
      return refusal === undefined ? [] : [`refused: ${refusal}`];
    });
  },

  forget: (stage, args) => each(stage, args, (id) => stage.cluster.node(id).forgetLeader()),

  /** unreachable 1 2: member 1 is told that 2 cannot be reached. */
  unreachable(stage, { words }) {
    stage.cluster.node(Number(words[0])).reportUnreachable(BigInt(words[1]!) as MemberId);
    return [];
  },

  /** snapshot-sent 1 3 ok|failed: how the snapshot from 1 to 3 went. */
  "snapshot-sent"(stage, { words }) {
    stage.cluster.node(Number(words[0])).reportSnapshot(BigInt(words[1]!) as MemberId, words[2] === "ok");
    return [];
  },

  /** compact 1 [5]: member 1 forgets its log up to what it applied, or to the given entry. */
  compact(stage, { words }) {
    const member = stage.cluster.member(Number(words[0]));
    member.compact(Number(words[1] ?? member.machine.index) as RaftIndex);
    return [`log begins at ${member.node.status().firstIndex}`];
  },

  /** state; progress 1; config 1 2; log 1 2; texts 1 2 */
  state: (stage) => [...stage.cluster.members.values()].map(formatMember),
  progress: (stage, { words }) => formatProgress(stage.cluster.member(Number(words[0]))),
  config: (stage, { words }) =>
    words.map((id) => `${id}: ${describeConfig(stage.cluster.node(Number(id)).confState)}`),
  log: (stage, { words }) =>
    words.map((id) => {
      const { firstIndex } = stage.cluster.node(Number(id)).status();
      return `${id}: from ${firstIndex}: ${stage.cluster.terms(Number(id)).join(" ")}`;
    }),
  texts: (stage, { words }) =>
    words.map((id) => [`${id}:`, ...stage.cluster.member(Number(id)).machine.texts].join(" ")),
};

function each(_stage: Stage, { words }: Arguments, run: (id: number) => void): string[] {
  for (const id of words.map(Number)) run(id);
  return [];
}

function indent(title: string, lines: readonly string[]): string[] {
  return [title, ...lines.map((line) => `  ${line}`)];
}

/** `1>2`, `1>`, `>2` and `type=`; all must fit. */
function matching({ words, options }: Arguments): (message: Message) => boolean {
  const [from, to] = (words[0] ?? ">").split(">");
  const type = options.get("type");
  return (message) =>
    (from === "" || `${message.from}` === from) &&
    (to === "" || `${message.to}` === to) &&
    (type === undefined || messageName(message.type) === type);
}

function parseChange(text: string): ConfChangeSingle {
  const type = "vrul".indexOf(text[0]!);
  if (type < 0) throw new Error(`unknown change ${text}`);
  return { type: type as ConfChangeType, nodeId: BigInt(text.slice(1)) as MemberId };
}

function configFrom(
  stage: Stage,
  words: readonly string[],
  options: ReadonlyMap<string, string>,
): Partial<RaftConfig> {
  const number = (name: string, field: keyof RaftConfig) =>
    options.has(name) ? { [field]: Number(options.get(name)) } : {};
  return {
    preVote: words.includes("prevote"),
    checkQuorum: words.includes("checkquorum") || words.includes("lease"),
    ...(words.includes("lease") ? { readMode: "lease" as const } : {}),
    ...(words.includes("stay-when-removed") ? { stepDownOnRemoval: false } : {}),
    keepEntries: 0,
    ...number("max-message-bytes", "maxMessageBytes"),
    ...number("max-inflight", "maxInflightMessages"),
    ...number("max-applying-bytes", "maxApplyingBytes"),
    logger: { debug() {}, info: (line) => stage.say(line), warn: (line) => stage.say(line) },
  };
}
