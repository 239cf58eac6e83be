// The Common Media Library's own reporter, without a player: a session whose truth is known beforehand, posted to the
// real collector, with some of its posts lost on the way back, so that it sends them twice.

import { CmcdReporter, type CmcdPlayerState, type CmcdEventType } from "@svta/cml-cmcd";

export interface Truth {
  session: string;
  play_ms: number;
  stall_ms: number;
  stalls: number;
  bytes: number;
  posts: number;
  repeated: number;
}

const KEYS = ["cid", "com.livemeter-bytes", "com.livemeter-cdn", "e", "sid", "sn", "sta", "ts", "v"] as const;

/** Plays through `rounds` of 10 s playing and 1.5 s rebuffering, on a clock of its own that ends now. */
export async function synthetic(collector_url: string, session: string, rounds: number): Promise<Truth> {
  const truth: Truth = { session, play_ms: 0, stall_ms: 0, stalls: 0, bytes: 0, posts: 0, repeated: 0 };
  const posting: Promise<unknown>[] = [];
  const reporter = new CmcdReporter(
    {
      sid: session,
      cid: "synthetic",
      eventTargets: [{ url: collector_url, events: ["ps", "ce"], batchSize: 3, enabledKeys: [...KEYS] as never }],
    },
    ({ url, method, headers, body }) => {
      const post = async (): Promise<{ status: number }> => {
        truth.posts++;
        const answer = await fetch(url, { method, headers, body: body as string } as RequestInit);
        await answer.text();
        return { status: answer.status };
      };
      // Every third answer is lost: the reporter has to think that nothing arrived.
      const lost = truth.posts % 3 === 1;
      const done = posting.length === 0 ? post() : posting[posting.length - 1]!.then(post, post);
      posting.push(done);
      return done.then((answer) => {
        if (!lost) return answer;
        truth.repeated++;
        return { status: 503 };
      });
    },
  );
  let at_ms = Date.now() - rounds * 11_500 - 1_000;
  const say = async (sta: CmcdPlayerState, after_ms: number): Promise<void> => {
    truth.bytes += 1_000;
    const data = { sta, ts: at_ms, "com.livemeter-bytes": String(truth.bytes), "com.livemeter-cdn": "cdn-s" };
    reporter.recordEvent("ps" as CmcdEventType, data as never);
    at_ms += after_ms;
    // One at a time: what is in flight beside one another may overtake.
    await Promise.allSettled(posting);
  };
  await say("s" as CmcdPlayerState, 700);
  for (let round = 0; round < rounds; round++) {
    await say("p" as CmcdPlayerState, 10_000);
    await say("r" as CmcdPlayerState, 1_500);
    truth.play_ms += 10_000;
    truth.stall_ms += 1_500;
    truth.stalls++;
  }
  await say("p" as CmcdPlayerState, 0);
  await say("q" as CmcdPlayerState, 0);
  for (let i = 0; i < 4; i++) {
    reporter.flush();
    await Promise.allSettled(posting);
  }
  return truth;
}
