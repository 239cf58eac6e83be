// Bundles the console into dist/: index.html, console.js, console.css. dist is committed, so that a
// machine with only Rust can build the binary; the bundle is the same wherever it is made.
// With --check nothing is written: it fails when a committed file is not what would be made.

import { mkdir, readFile, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const here = (path) => fileURLToPath(new URL(path, import.meta.url));

// The one library inside the bundle, and its licence, which must travel with it.
const licence = await readFile(here("node_modules/uplot/LICENSE"), "utf8");

const bundle = await build({
  absWorkingDir: here("."),
  entryPoints: ["src/console.ts"],
  outdir: "dist",
  bundle: true,
  minify: true,
  write: false,
  format: "esm",
  target: ["es2022"],
  charset: "utf8",
  loader: { ".toml": "text" },
  legalComments: "inline",
  banner: { js: `/*! Contains uPlot.\n${licence.trim()}\n*/` },
  logLevel: "warning",
});

const made = new Map([["index.html", await readFile(here("src/index.html"), "utf8")]]);
for (const file of bundle.outputFiles) made.set(file.path.split("/").at(-1), file.text);

const check = process.argv.includes("--check");
if (!check) await mkdir(here("dist"), { recursive: true });
for (const [name, text] of made) {
  if (!check) {
    await writeFile(here(`dist/${name}`), text);
    console.log(`dist/${name} ${text.length} characters`);
  } else if ((await readFile(here(`dist/${name}`), "utf8").catch(() => "")) !== text) {
    console.error(`web/dist/${name} is stale: run \`npm run build\` in web`);
    process.exitCode = 1;
  }
}
