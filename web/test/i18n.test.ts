// Words: the same in both languages, and the language chosen as expected.

import { expect, it } from "vitest";
import { MESSAGES, preferred } from "../src/i18n";

it("has a word for each column in both languages", () => {
  expect(Object.keys(MESSAGES.zh.columns).sort()).toEqual(Object.keys(MESSAGES.en.columns).sort());
});

it("leaves nothing untranslated but names", () => {
  const same = Object.entries(MESSAGES.en).filter(([key, value]) => typeof value === "string" && MESSAGES.zh[key as keyof typeof MESSAGES.zh] === value);
  expect(same.map(([key]) => key)).toEqual(["cdn"]);
});

it.each([
  ["zh", ["en-GB"], "zh"],
  ["en", ["zh-CN"], "en"],
  [null, ["zh-TW", "en"], "zh"],
  [null, ["fr", "de", "zh-Hans"], "zh"],
  [null, ["fr"], "en"],
  ["klingon", [], "en"],
] as const)("remembered %s and browser %s speak %s", (remembered, languages, expected) => {
  expect(preferred(remembered, languages)).toBe(expected);
});
