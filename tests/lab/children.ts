// The processes the lab has started, known by their handles: it ends these and no others.

import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync, readFileSync } from "node:fs";
import net from "node:net";
import path from "node:path";

export interface Child {
  name: string;
  pid: number;
  log: string;
  process: ChildProcess;
}

export class Children {
  private readonly running: Child[] = [];
  private stopping = false;
  private dead: ((child: Child, how: string) => void) | undefined;

  constructor(private readonly logs: string) {}

  /** Called when a child ends that was not asked to. */
  onDeath(tell: (child: Child, how: string) => void): void {
    this.dead = tell;
  }

  /** Starts a program with both outputs going to `<logs>/<name>.log`. */
  async start(name: string, program: string, args: string[], env: NodeJS.ProcessEnv = {}): Promise<Child> {
    const log = path.join(this.logs, `${name}.log`);
    const out = openSync(log, "a");
    // A group of its own: Ctrl-C in the terminal reaches the lab alone, which then ends things in order.
    const process_ = spawn(program, args, { stdio: ["ignore", out, out], detached: true, env: { ...process.env, ...env } });
    closeSync(out);
    await Promise.race([once(process_, "spawn"), once(process_, "error").then(([e]) => Promise.reject(e as Error))]);
    const child: Child = { name, pid: process_.pid ?? 0, log, process: process_ };
    this.running.push(child);
    process_.once("exit", (code, signal) => {
      if (!this.stopping) this.dead?.(child, signal ?? `exit ${code}`);
    });
    return child;
  }

  /** Ends them, the youngest first: TERM, and KILL for what is still there after five seconds. */
  async stop(): Promise<void> {
    this.stopping = true;
    for (const child of this.running.splice(0).reverse()) {
      if (child.process.exitCode !== null || child.process.signalCode !== null) continue;
      const gone = once(child.process, "exit");
      child.process.kill("SIGTERM");
      const late = setTimeout(() => child.process.kill("SIGKILL"), 5_000);
      await gone;
      clearTimeout(late);
    }
  }
}

/** The end of a child's log, for people. */
export function tail(child: Child, lines = 12): string {
  return readFileSync(child.log, "utf8").trimEnd().split("\n").slice(-lines).join("\n");
}

/** Runs a program to its end; its output, or an error that holds it. */
export async function run(program: string, args: string[]): Promise<string> {
  const child = spawn(program, args, { stdio: ["ignore", "pipe", "pipe"] });
  let said = "";
  child.stdout.on("data", (d: Buffer) => (said += d.toString()));
  child.stderr.on("data", (d: Buffer) => (said += d.toString()));
  const [code] = (await once(child, "close")) as [number | null];
  if (code !== 0) throw new Error(`${program} ${args.join(" ")} ended with ${code}:\n${said.trimEnd()}`);
  return said;
}

/** Ports that were free a moment ago, all different. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = net.createServer().listen(0, "127.0.0.1");
      await once(server, "listening");
      return server;
    }),
  );
  const ports = servers.map((s) => (s.address() as net.AddressInfo).port);
  await Promise.all(servers.map((s) => once(s.close(), "close")));
  return ports;
}

/** Asks until `ask` answers something other than undefined. The last error is kept for the complaint. */
export async function until<T>(what: string, ms_max: number, ask: () => Promise<T | undefined>, every_ms = 200): Promise<T> {
  const end = Date.now() + ms_max;
  let last: unknown;
  for (;;) {
    try {
      const answer = await ask();
      if (answer !== undefined) return answer;
    } catch (error) {
      last = error;
    }
    if (Date.now() > end) throw new Error(`${what}: not within ${ms_max} ms${last ? ` (${String(last)})` : ""}`);
    await sleep(every_ms);
  }
}

export const sleep = (ms: number): Promise<void> => new Promise((done) => setTimeout(done, ms));
