import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { describe, it } from "node:test";
import { cleanMappings, releaseProgramPages } from "./program-pages.ts";

const entry = (head: string, { rss = 8, anonymous = 0, swap = 0 }) =>
  `${head}\nSize:  16 kB\nRss:   ${rss} kB\nAnonymous:   ${anonymous} kB\nSwap:   ${swap} kB\nVmFlags: rd\n`;

describe("the mappings of the program", () => {
  it("are those of its file that nothing has changed", () => {
    const smaps = [
      entry("00200000-01a39000 r--p 00000000 fe:00 1038                           /bin/a program", {}),
      entry("01a40000-0684a000 r-xp 01838000 fe:00 1038                           /bin/a program", {
        rss: 12,
      }),
      entry("06867000-0767f000 rw-p 0665e000 fe:00 1038                           /bin/a program", {}),
      entry("0767f000-07680000 r--p 0665e000 fe:00 1038                           /bin/a program", {
        anonymous: 4,
      }),
      entry("07680000-07681000 r--p 0665e000 fe:00 1038                           /bin/a program", {
        swap: 4,
      }),
      entry("277b7000000-277f7000000 r-xp 00000000 00:00 0 ", {}),
      entry("7f658bf2f000-7f658c085000 r-xp 00026000 fe:00 326269                 /lib/libc.so.6", {}),
    ].join("");
    assert.deepEqual(cleanMappings(smaps, "/bin/a program"), [
      { start: 0x200000, end: 0x1a39000, residentBytes: 8192 },
      { start: 0x1a40000, end: 0x684a000, residentBytes: 12_288 },
    ]);
  });

  it("are none where the kernel does not tell enough", () => {
    const smaps = "01a40000-0684a000 r-xp 01838000 fe:00 1038 /bin/x\nRss: 8 kB\n";
    assert.deepEqual(cleanMappings(smaps, "/bin/x"), []);
  });

  it("can be let go of while the program goes on, where the C library can be called", async () => {
    const released = await releaseProgramPages();
    const isPossible =
      process.platform === "linux" && ("bun" in process.versions || "deno" in process.versions);
    if (isPossible) assert.ok(released! > 1024 * 1024, `${released} bytes`);
    else assert.equal(released, undefined);
    const text = await readFile(new URL(import.meta.url), "utf8");
    assert.match(text, /goes on/);
  });
});
