import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createLogger, type LogFields, type LoggerOptions, parseLogLevel, silentLogger } from "./logger.ts";

const atMs = Date.UTC(2026, 10, 21, 16, 1, 57) + 119.721;

function capture(options: Partial<LoggerOptions> = {}) {
  const lines: string[] = [];
  const urgent: boolean[] = [];
  const sink = {
    write(line: string, now: boolean) {
      lines.push(line);
      urgent.push(now);
    },
  };
  return { lines, urgent, logger: createLogger({ sink, wallMs: () => atMs, ...options }) };
}

describe("JSON lines", () => {
  it("have zap's fields in zap's order", () => {
    // A line of etcd 3.7.3, but for the file and line of its caller.
    const { lines, logger } = capture({ caller: "etcdmain/etcd.go:65" });
    logger.warn("failed to verify flags", { error: new Error('unknown auto-compaction-mode "x"') });
    assert.equal(
      lines[0],
      '{"level":"warn","ts":"2026-11-21T16:01:57.119721Z","caller":"etcdmain/etcd.go:65",' +
        '"msg":"failed to verify flags","error":"unknown auto-compaction-mode \\"x\\""}\n',
    );
  });

  it("put the logger's name before the caller", () => {
    const { lines, logger } = capture({ caller: "v3@v3.7.0/raft.go:897" });
    logger.named("raft").info("bf89369269eaff9d became follower at term 0");
    assert.equal(
      lines[0],
      '{"level":"info","ts":"2026-11-21T16:01:57.119721Z","logger":"raft","caller":"v3@v3.7.0/raft.go:897",' +
        '"msg":"bf89369269eaff9d became follower at term 0"}\n',
    );
  });

  it("keep the types of values", () => {
    const { lines, logger } = capture();
    const fields: LogFields = {
      text: 'a"\n\u0001é',
      number: 1.5,
      big: 18446744073709551615n,
      yes: true,
      nothing: null,
      gone: undefined,
      list: ["a", 1, []],
      nested: { a: [{ b: 1n }], gone: undefined },
      nan: Number.NaN,
      infinite: Number.POSITIVE_INFINITY,
    };
    logger.info("m", fields);
    assert.equal(
      lines[0],
      '{"level":"info","ts":"2026-11-21T16:01:57.119721Z","msg":"m","text":"a\\"\\n\\u0001é","number":1.5,' +
        '"big":18446744073709551615,"yes":true,"nothing":null,"list":["a",1,[]],"nested":{"a":[{"b":1}]},' +
        '"nan":"NaN","infinite":"+Inf"}\n',
    );
    JSON.parse(lines[0] as string);
  });

  it("carry the stack of an error from level error upward only", () => {
    const { lines, urgent, logger } = capture();
    const error = new Error("broken");
    logger.warn("m", { error });
    logger.error("m", { error });
    logger.error("m", { error: "text" });
    logger.fatal("m", { error });
    const stacks = lines.map((line) => JSON.parse(line).stacktrace);
    assert.deepEqual(stacks, [undefined, error.stack, undefined, error.stack]);
    assert.deepEqual(urgent, [false, false, false, true]);
  });

  it("give microseconds and the local offset as Go does", () => {
    const times = (zoneMinutes: number, ms: number) => {
      const { lines, logger } = capture({ zone: () => zoneMinutes, wallMs: () => ms });
      logger.info("m");
      return JSON.parse(lines[0] as string).ts;
    };
    assert.equal(times(330, Date.UTC(2026, 10, 21, 16, 7, 34) + 423.224), "2026-11-21T21:37:34.423224+0530");
    assert.equal(times(-210, Date.UTC(2026, 0, 1, 1)), "2025-12-31T21:30:00.000000-0330");
    assert.equal(times(0, Date.UTC(2026, 0, 1) + 999.9996), "2026-01-01T00:00:00.999999Z");
  });

  it("notice that the second changed", () => {
    let now = atMs;
    const { lines, logger } = capture({ wallMs: () => now });
    logger.info("m");
    now += 1000;
    logger.info("m");
    now -= 60_000;
    logger.info("m");
    assert.deepEqual(
      lines.map((line) => JSON.parse(line).ts),
      ["2026-11-21T16:01:57.119721Z", "2026-11-21T16:01:58.119721Z", "2026-11-21T16:00:58.119721Z"],
    );
  });
});

describe("console lines", () => {
  it("look like zap's", () => {
    const { lines, logger } = capture({ format: "console", caller: "embed/etcd.go:138" });
    logger.info("configuring peer listeners", {
      "listen-peer-urls": ["http://a:1", "http://b:2"],
      n: { a: 1 },
    });
    logger.named("bbolt").warn("no fields");
    assert.deepEqual(lines, [
      "2026-11-21T16:01:57.119721Z\tinfo\tembed/etcd.go:138\tconfiguring peer listeners\t" +
        '{"listen-peer-urls": ["http://a:1", "http://b:2"], "n": {"a": 1}}\n',
      "2026-11-21T16:01:57.119721Z\twarn\tbbolt\tembed/etcd.go:138\tno fields\n",
    ]);
  });
});

describe("loggers", () => {
  it("leave out what is below their level", () => {
    const { lines, logger } = capture({ level: "warn" });
    assert.deepEqual(
      [logger.enabled("info"), logger.enabled("warn"), logger.enabled("fatal")],
      [false, true, true],
    );
    logger.debug("m");
    logger.info("m");
    logger.warn("m");
    assert.equal(lines.length, 1);
  });

  it("can be asked for fatal lines alone", () => {
    const { lines, logger } = capture({ level: "fatal" });
    logger.error("m");
    logger.fatal("m");
    assert.equal(lines.length, 1);
  });

  it("hand their fields, caller and name to their children", () => {
    const { lines, logger } = capture({ caller: "a/b.ts" });
    logger.with({ x: 1 }).at("c/d.ts").named("e").named("f").with({ y: 2 }).info("m", { z: 3 });
    assert.equal(
      lines[0],
      '{"level":"info","ts":"2026-11-21T16:01:57.119721Z","logger":"e.f","caller":"c/d.ts","msg":"m",' +
        '"x":1,"y":2,"z":3}\n',
    );
  });

  it("can be silent", () => {
    assert.equal(silentLogger.with({ a: 1 }).at("x").named("y").enabled("fatal"), false);
  });
});

describe("parseLogLevel", () => {
  it("takes zap's words", () => {
    assert.deepEqual(["debug", "INFO", "", "dpanic", "fatal", "Warn", "warning", "x"].map(parseLogLevel), [
      "debug",
      "info",
      "info",
      "dpanic",
      "fatal",
      "warn",
      "warn",
      undefined,
    ]);
  });
});
