// Livemeter itself, as an operator would run it: broker, topics, ingest, processor and query, each its own process.

import path from "node:path";
import { run, until, type Children } from "./children.ts";
import type { Settings } from "./settings.ts";

export interface Services {
  /** Where the SDK posts. */
  events_url: string;
  /** Where players with a reporter of their own post. */
  cmcd_url: string;
  /** Reads the topic again, by the rules, against the ledger; an error says what differs. */
  audit(): Promise<string>;
  query_url: string;
  /** Records accepted by ingest and not yet committed to the ledger. */
  lag(): Promise<number>;
}

interface Ports {
  broker: number;
  ingest: number;
  processor: number;
  query: number;
}

export async function startServices(children: Children, settings: Settings, data: string, ports: Ports, ingest: string[] = []): Promise<Services> {
  const livemeter = path.join(settings.bin, "livemeter");
  const broker = path.join(settings.bin, "livemeter-broker");
  const at = (port: number): string => `127.0.0.1:${port}`;
  const ledger = path.join(data, "ledger");
  const brokers = ["--brokers", at(ports.broker)];

  const mortal = "--die-with-parent";
  await children.start("broker", broker, ["--listen", at(ports.broker), "--data", path.join(data, "broker"), mortal]);
  await until("topics are created", 30_000, async () => run(livemeter, ["topics", "create", ...brokers]), 500);
  await children.start("ingest", livemeter, ["ingest", "--listen", at(ports.ingest), ...brokers, ...ingest, mortal]);
  await children.start("process", livemeter, ["process", "--listen", at(ports.processor), "--ledger", ledger, ...brokers, mortal]);
  await children.start("query", livemeter, ["query", "--listen", at(ports.query), "--ledger", ledger, "--bills", path.join(data, "bills"), mortal]);
  for (const [name, port] of [["ingest", ports.ingest], ["processor", ports.processor], ["query", ports.query]] as const) {
    // Query is ready once there is a ledger to read; until the first heartbeat there may be none.
    const probe = name === "query" ? "healthz" : "readyz";
    await until(`${name} is up`, 60_000, async () => (await fetch(`http://${at(port)}/${probe}`)).ok || undefined);
  }
  return {
    events_url: `http://${at(ports.ingest)}/v1/events`,
    cmcd_url: `http://${at(ports.ingest)}/v1/cmcd`,
    audit: async () => run(livemeter, ["audit", "--ledger", ledger, ...brokers]),
    query_url: `http://${at(ports.query)}`,
    lag: async () => gauge(await (await fetch(`http://${at(ports.processor)}/metrics`)).text(), "livemeter_processor_lag_records"),
  };
}

/** The sum of one gauge over its labels, out of Prometheus text. Absent is an error: it is never zero by silence. */
export function gauge(metrics: string, name: string): number {
  const lines = metrics.split("\n").filter((line) => line.startsWith(name) && /^[{ ]/.test(line.slice(name.length)));
  if (lines.length === 0) throw new Error(`no ${name} in the metrics`);
  return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(" ") + 1)), 0);
}
