// Bundles dist/livemeter.js (ES module) and dist/livemeter.iife.js (global `Livemeter`);
// with --size it only fails when the ES module is over its budget.
import { build } from 'esbuild';
import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';

const BUDGET_BYTES = 8 * 1024;
const { version } = JSON.parse(readFileSync(new URL('package.json', import.meta.url), 'utf8'));

// Words that only our own modules say to each other: the bundle may shorten them. None of them is on the wire, in an
// option, in `debug()`, or a name of the browser's.
const OURS = [
  'answered', 'awaitedCdn', 'bufferedFrom', 'finished', 'networkBytes', 'outstanding', 'playersJump', 'playheadCdn', 'position_s',
  'beganAt', 'charged', 'failed', 'lastSegment', 'thresholdMs', 'judges',
  'remember', 'restored', 'sentAt_ms', 'soughtAt', 'sourceReplaced', 'startedAt', 'switchOff',
];

const common = {
  absWorkingDir: new URL('.', import.meta.url).pathname,
  entryPoints: ['src/index.ts'],
  bundle: true,
  minify: true,
  target: 'es2022',
  legalComments: 'none',
  mangleProps: new RegExp(`^(${OURS.join('|')})$`),
  define: { SDK_VERSION: JSON.stringify(`web/${version}`) },
};

await build({ ...common, format: 'esm', outfile: 'dist/livemeter.js' });
await build({ ...common, format: 'iife', globalName: 'Livemeter', outfile: 'dist/livemeter.iife.js' });

const gzipped = gzipSync(readFileSync(new URL('dist/livemeter.js', import.meta.url)), { level: 9 }).length;
console.log(`dist/livemeter.js: ${gzipped} bytes gzipped; the budget is ${BUDGET_BYTES}`);
if (gzipped > BUDGET_BYTES) process.exitCode = 1;
