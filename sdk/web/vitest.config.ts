// Unit tests run in Node: the player, the page, the clock and the network are played by test/fakes.ts.
import { defineConfig } from 'vitest/config';

export default defineConfig({ test: { include: ['test/**/*.test.ts'], environment: 'node' } });
