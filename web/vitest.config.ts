// Both kinds of tests: `vitest run --dir test` (pure) and `vitest run --dir browser` (a real Chromium).

import { defineConfig } from "vitest/config";

export default defineConfig({
  test: { include: ["**/*.test.ts"], testTimeout: 60_000, hookTimeout: 60_000, fileParallelism: false },
});
