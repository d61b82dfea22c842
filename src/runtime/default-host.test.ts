import assert from "node:assert/strict";
import { isIP } from "node:net";
import { it } from "node:test";
import { defaultHost, defaultInterface } from "./default-host.ts";

const head = "Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT\n";

it("finds the interface of the best default route", () => {
  const routes =
    head +
    "lo\t0000007F\t00000000\t0001\t0\t0\t0\t000000FF\t0\t0\t0\n" +
    "wlan0\t00000000\t0101A8C0\t0003\t0\t0\t600\t00000000\t0\t0\t0\n" +
    "down0\t00000000\t0101A8C0\t0002\t0\t0\t1\t00000000\t0\t0\t0\n" +
    "eth0\t00000000\t0101A8C0\t0003\t0\t0\t100\t00000000\t0\t0\t0\n" +
    "half0\t00000000\t0101A8C0\t0003\t0\t0\t2\t00000080\t0\t0\t0\n";
  assert.equal(defaultInterface(routes), "eth0");
});

it("finds none without a default route", () => {
  assert.equal(
    defaultInterface(`${head}eth0\t0001A8C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n`),
    undefined,
  );
  assert.equal(defaultInterface(""), undefined);
});

it("answers with an address or nothing", () => {
  const host = defaultHost();
  if (host !== undefined) assert.equal(isIP(host), 4);
});
