// Bundles dist/livemeter.js (ES module) and dist/livemeter.iife.js (global `Livemeter`);
// with --size it only fails when the ES module is over its budget.
import { build } from 'esbuild';
import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';

const BUDGET_BYTES = 8 * 1024;
const { version } = JSON.parse(readFileSync(new URL('package.json', import.meta.url), 'utf8'));

const common = {
  absWorkingDir: new URL('.', import.meta.url).pathname,
  entryPoints: ['src/index.ts'],
  bundle: true,
  minify: true,
  target: 'es2022',
  legalComments: 'none',
  define: { SDK_VERSION: JSON.stringify(`web/${version}`) },
};

await build({ ...common, format: 'esm', outfile: 'dist/livemeter.js' });
await build({ ...common, format: 'iife', globalName: 'Livemeter', outfile: 'dist/livemeter.iife.js' });

const gzipped = gzipSync(readFileSync(new URL('dist/livemeter.js', import.meta.url)), { level: 9 }).length;
console.log(`dist/livemeter.js: ${gzipped} bytes gzipped; the budget is ${BUDGET_BYTES}`);
if (gzipped > BUDGET_BYTES) process.exitCode = 1;
