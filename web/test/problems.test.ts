// Refusals in the language of the page: every word that the query service refuses with has a sentence.

import { readFileSync, readdirSync } from "node:fs";
import { expect, it } from "vitest";
import { ZH, told } from "../src/problems";

const QUERY = new URL("../../query/src/", import.meta.url);
/** Words of the service's start, which no answer carries. */
const AT_START = ["ledger_place", "listen", "serve"];
const READS = [/=> "([a-z_]+)"/g, /\bpaper\("([a-z_]+)"/g, /\bplain\(StatusCode::\w+, "([a-z_]+)"/g, /\berror: "([a-z_]+)"\.into\(\)/g];

function sources(folder: URL): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    if (entry.isDirectory()) return sources(new URL(`${entry.name}/`, folder));
    const text = readFileSync(new URL(entry.name, folder), "utf8");
    // Arms of a match are words of refusals in one file only.
    const reads = entry.name === "error.rs" ? READS : READS.slice(1);
    return reads.flatMap((pattern) => [...text.matchAll(pattern)].map(([, word]) => word ?? ""));
  });
}

it("has a sentence for each word the service refuses with, and for no other", () => {
  const words = [...new Set(sources(QUERY))].filter((word) => !AT_START.includes(word));
  expect(words.length).toBeGreaterThan(25);
  expect(Object.keys(ZH).sort()).toEqual(words.sort());
});

it("says the cause in Chinese, then the service's own words", () => {
  const failure = { message: "limit is 2,000 rows", problem: { error: "too_many_rows", reason: "limit is 2,000 rows", retry: false } };
  expect(told(failure, "zh")).toBe("结果的行数超过上限，请加 LIMIT 或缩小 WHERE 的范围。服务原文：limit is 2,000 rows");
  expect(told(failure, "en")).toBe("limit is 2,000 rows");
});

it("leaves what it does not know to the service's words", () => {
  expect(told({ message: "HTTP 502 Bad Gateway", problem: null }, "zh")).toBe("HTTP 502 Bad Gateway");
  expect(told({ message: "new", problem: { error: "brand_new", reason: "new", retry: false } }, "zh")).toBe("new");
  expect(told({ message: "odd", problem: { error: "constructor", reason: "odd", retry: false } }, "zh")).toBe("odd");
});
