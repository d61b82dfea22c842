/** What an archive says about what is inside: the licences, and a bill of materials (CycloneDX). */
import { createHash } from "node:crypto";
import type { Component } from "./components.ts";
import type { Version } from "./version.ts";

export function licences(components: readonly Component[]): string {
  const parts = components.map(
    ({ name, version, licence, text }) =>
      `${name} ${version} (${licence})\n\n${text || "No text came with it."}`,
  );
  const line = `\n\n${"-".repeat(80)}\n\n`;
  return `What is inside this program besides its own sources (see LICENSE), and under which licences.${line}${parts.join(line)}\n`;
}

export function billOfMaterials(version: Version, target: string, components: readonly Component[]): string {
  const seed = createHash("sha256").update(`${version.commit} ${target}`).digest("hex");
  return `${JSON.stringify(
    {
      bomFormat: "CycloneDX",
      specVersion: "1.5",
      serialNumber: `urn:uuid:${uuid(seed)}`,
      version: 1,
      metadata: {
        timestamp: version.date.toISOString(),
        component: {
          type: "application",
          name: "etclite",
          version: version.name,
          licenses: [{ license: { id: "Apache-2.0" } }],
        },
      },
      components: components.map(({ name, version, licence, purl, sha512 }) => ({
        type: name === "bun" ? "platform" : "library",
        name,
        version,
        purl,
        licenses: [{ expression: licence }],
        ...(sha512 === undefined
          ? {}
          : { hashes: [{ alg: "SHA-512", content: Buffer.from(sha512, "base64").toString("hex") }] }),
      })),
    },
    undefined,
    2,
  )}\n`;
}

/** A UUID of version 8, whose bits are one's own choice: the same for the same build. */
function uuid(hex: string): string {
  const digits = `${hex.slice(0, 12)}8${hex.slice(13, 16)}8${hex.slice(17, 32)}`;
  return digits.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}
