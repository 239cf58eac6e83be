// One file on its way to the service: how far, how fast, and what came of it.

import { Failure } from "../api";
import { type Paper, send } from "./calls";
import type { InvoiceSummary, LogImport } from "./shapes";

/** The rate shown is that of the last seconds, not of the whole way. */
const RATE_MS = 3_000;

export type Standing = "waiting" | "sending" | "counting" | "done" | "refused" | "cancelled";

export interface Upload {
  paper: Paper;
  standing: Standing;
  sent: number;
  /** Bytes per second. */
  rate: number;
  failure: Failure | null;
  result: LogImport | InvoiceSummary | null;
  cancel(): void;
}

export function upload(paper: Paper): Upload & { run(changed: () => void): Promise<void> } {
  const stop = new AbortController();
  const self = { paper, standing: "waiting" as Standing, sent: 0, rate: 0, failure: null as Failure | null, result: null as LogImport | InvoiceSummary | null, cancel, run };
  return self;

  function cancel(): void {
    stop.abort();
    if (self.standing === "waiting") self.standing = "cancelled";
  }

  async function run(changed: () => void): Promise<void> {
    if (self.standing !== "waiting") return;
    self.standing = "sending";
    const marks: Mark[] = [{ at: performance.now(), sent: 0 }];
    changed();
    try {
      self.result = await send(paper, progress, stop.signal);
      self.standing = "done";
    } catch (error) {
      self.standing = stop.signal.aborted ? "cancelled" : "refused";
      self.failure = Failure.of(error);
    }
    changed();

    function progress(sent: number): void {
      self.sent = sent;
      self.rate = rate(marks, { at: performance.now(), sent });
      if (sent >= paper.file.size) self.standing = "counting";
      changed();
    }
  }
}

export interface Mark {
  /** Milliseconds of a clock that only runs forwards. */
  at: number;
  sent: number;
}

/** Bytes per second over the last seconds. `marks` keeps what it needs for the next call. */
export function rate(marks: Mark[], now: Mark): number {
  marks.push(now);
  while (marks.length > 2 && marks[1]!.at < now.at - RATE_MS) marks.shift();
  const first = marks[0] ?? now;
  return now.at > first.at ? ((now.sent - first.sent) * 1000) / (now.at - first.at) : 0;
}
