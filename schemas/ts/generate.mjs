// Makes the TypeScript types of the web SDK and the console from ../openapi.json.
// With --check nothing is written: it fails when a committed file is not what would be made.

import { readFile, writeFile } from "node:fs/promises";
import openapiTS, { astToString } from "openapi-typescript";

const SOURCE = new URL("../openapi.json", import.meta.url);
const TARGETS = ["../../sdk/web/src/generated.ts", "../../web/src/generated.ts"];
// A field with a default may be left out by a client: hence defaultNonNullable is off.
const HEAD = "// Made from schemas/openapi.json by `npm run generate` in schemas/ts. Do not edit.\n\n";

const text = HEAD + astToString(await openapiTS(SOURCE, { alphabetize: true, defaultNonNullable: false }));
const check = process.argv.includes("--check");
for (const target of TARGETS) {
  const path = new URL(target, import.meta.url);
  if (!check) {
    await writeFile(path, text);
  } else if ((await readFile(path, "utf8").catch(() => "")) !== text) {
    console.error(`${target.replaceAll("../", "")} is stale: run \`npm run generate\` in schemas/ts`);
    process.exitCode = 1;
  }
}
