import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { parseEtcdUrl, parseEtcdUrls } from "./etcd-url.ts";

describe("parseEtcdUrl", () => {
  it("takes addresses apart", () => {
    const cases: [string, string, string, number][] = [
      ["http://localhost:2379", "http://localhost:2379", "localhost", 2379],
      ["https://[::1]:2380", "https://[::1]:2380", "::1", 2380],
      ["http://[fe80::1%25eth0]:1", "http://[fe80::1%25eth0]:1", "fe80::1%eth0", 1],
      ["HTTP://A:1", "http://A:1", "A", 1],
      [" http://0.0.0.0:0 ", "http://0.0.0.0:0", "0.0.0.0", 0],
      ["http://a:", "http://a:", "a", 0],
      ["http://:80", "http://:80", "", 80],
      ["http://user:password@a:1", "http://user:password@a:1", "a", 1],
      ["http://é:1", "http://é:1", "é", 1],
    ];
    for (const [text, href, hostname, port] of cases) {
      const url = parseEtcdUrl(text);
      assert.deepEqual([url.href, url.hostname, url.port, url.socketPath], [href, hostname, port, ""], text);
    }
  });

  it("keeps the scheme's own port", () => {
    assert.equal(parseEtcdUrl("http://a:80").href, "http://a:80");
    assert.equal(parseEtcdUrl("https://a:443").port, 443);
  });

  it("reads the files of sockets as etcd does", () => {
    const cases: [string, string][] = [
      ["unix://localhost:20001", "localhost:20001"],
      ["unix:///run/etcd.sock", "/run/etcd.sock"],
      ["unixs://run/etcd.sock", "run/etcd.sock"],
      ["unix:/run/etcd.sock", "/run/etcd.sock"],
      ["unix:///a%20b", "/a b"],
      ["unix://", ""],
    ];
    for (const [text, socketPath] of cases) {
      const url = parseEtcdUrl(text);
      assert.deepEqual([url.href, url.socketPath, url.hostname, url.port], [text, socketPath, "", 0], text);
    }
  });

  // What etcd 3.7.3 answers to these.
  const refused: [string, string][] = [
    ["ftp://x:1", "URL scheme must be http, https, unix, or unixs: ftp://x:1"],
    ["localhost:2379", "URL scheme must be http, https, unix, or unixs: localhost:2379"],
    ["//a:1", "URL scheme must be http, https, unix, or unixs: //a:1"],
    ["*", "URL scheme must be http, https, unix, or unixs: *"],
    ["", "URL scheme must be http, https, unix, or unixs: "],
    ["http://x", 'URL address does not have the form "host:port": http://x'],
    ["http:a:1", 'URL address does not have the form "host:port": http:a:1'],
    ["http:/a:1", 'URL address does not have the form "host:port": http:/a:1'],
    ["http:///", 'URL address does not have the form "host:port": http:///'],
    ["http://[::1]", 'URL address does not have the form "host:port": http://[::1]'],
    ["http://[::1:1]", 'URL address does not have the form "host:port": http://[::1:1]'],
    ["http://x:1/p", "URL must not contain a path: http://x:1/p"],
    ["http://x:1/", "URL must not contain a path: http://x:1/"],
    ["127.0.0.1:2379", 'parse "127.0.0.1:2379": first path segment in URL cannot contain colon'],
    ["1http://a:1", 'parse "1http://a:1": first path segment in URL cannot contain colon'],
    [":2379", 'parse ":2379": missing protocol scheme'],
    ["http://[::1:1", "parse \"http://[::1:1\": missing ']' in host"],
    ["http://[::1]x:1", 'parse "http://[::1]x:1": invalid port "x:1" after host'],
    ["http://[foo]:1", 'parse "http://[foo]:1": invalid host: ParseAddr("foo"): unable to parse IP'],
    ["http://[1.2.3.4]:1", 'parse "http://[1.2.3.4]:1": invalid IP-literal'],
    ["http://[::1%eth0]:1", 'parse "http://[::1%eth0]:1": invalid URL escape "%et"'],
    ["http://a:x", 'parse "http://a:x": invalid port ":x" after host'],
    ["http://a:1:2", 'parse "http://a:1:2": invalid port ":1:2" after host'],
    ["http://::1:80", 'parse "http://::1:80": invalid port "::1:80" after host'],
    ["http://a b:1", 'parse "http://a b:1": invalid character " " in host name'],
    ["http://a^b:1", 'parse "http://a^b:1": invalid character "^" in host name'],
    ["http://%zz:1", 'parse "http://%zz:1": invalid URL escape "%zz"'],
    ["http://a%41:1", 'parse "http://a%41:1": invalid URL escape "%41"'],
    ["unix://l:20/%zz", 'parse "unix://l:20/%zz": invalid URL escape "%zz"'],
    ["http://a:1#%zz", 'parse "http://a:1#%zz": invalid URL escape "%zz"'],
    ["http://u^@a:1", 'parse "http://u^@a:1": net/url: invalid userinfo'],
    ["http://a\x01:1", 'parse "http://a\\x01:1": net/url: invalid control character in URL'],
  ];
  for (const [text, message] of refused) {
    it(`refuses ${JSON.stringify(text)} in etcd's words`, () => {
      assert.throws(() => parseEtcdUrl(text), { message });
    });
  }

  it("refuses a port that no machine has", () => {
    assert.throws(() => parseEtcdUrl("http://a:65536"), {
      message: "URL has a port above 65535: http://a:65536",
    });
  });
});

describe("parseEtcdUrls", () => {
  it("sorts, and keeps each once", () => {
    const urls = parseEtcdUrls("http://b:1, http://a:2,http://b:1,http://a:1");
    assert.deepEqual(
      urls.map((url) => url.href),
      ["http://a:1", "http://a:2", "http://b:1"],
    );
  });

  it("refuses an empty piece", () => {
    assert.throws(() => parseEtcdUrls("http://a:1,"), {
      message: "URL scheme must be http, https, unix, or unixs: ",
    });
  });
});
