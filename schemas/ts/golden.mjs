// Checks the golden files against the published JSON Schemas, by a validator that is not ours.

import { readFile, readdir } from "node:fs/promises";
import Ajv2020 from "ajv/dist/2020.js";

const read = async (path) => JSON.parse(await readFile(new URL(`../${path}`, import.meta.url), "utf8"));
const ajv = new Ajv2020({ allErrors: true, strict: false, formats: { uint64: true, int64: true, uint32: true, int32: true, uint16: true } });
const validators = {};
for (const name of ["batch", "event", "record", "deadletter", "answer"]) {
  validators[name] = ajv.compile(await read(`json/${name}.schema.json`));
}

let failed = 0;
const expect = (what, good, validate) => {
  if (good) return;
  failed += 1;
  console.error(`${what}: ${ajv.errorsText(validate.errors)}`);
};

const files = (await readdir(new URL("../golden/v1/", import.meta.url))).filter((f) => f.endsWith(".json"));
for (const file of files) {
  const kind = /\.(batch|event)\.json$/.exec(file)?.[1] ?? file.replace(".json", "");
  const validate = validators[kind];
  const value = await read(`golden/v1/${file}`);
  expect(file, validate(value), validate);
  // A schema that takes everything would prove nothing: each required field, taken away, must be missed.
  for (const field of Object.keys(value).filter((f) => (validate.schema.required ?? []).includes(f))) {
    const { [field]: _, ...rest } = value;
    expect(`${file} without ${field} should be refused`, !validate(rest), validate);
  }
}
console.log(`${files.length} golden files agree with the schemas`);
process.exitCode = failed ? 1 : 0;
