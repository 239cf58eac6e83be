// Made from schemas/openapi.json by `npm run generate` in schemas/ts. Do not edit.

export interface paths {
    "/healthz": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Whether the process is alive. */
        get: operations["get_healthz"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/metrics": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Prometheus metrics. */
        get: operations["get_metrics"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/openapi.json": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** This document. */
        get: operations["get_openapi"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/readyz": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Whether work can be done now. */
        get: operations["get_readyz"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/cmcd": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Take CMCD reports of a player without an SDK.
         * @description CTA-5004-B event mode, the keys of CTA-5004, or either in JSON. A 2xx means that every accepted report is durable in Kafka. A report needs `sid`; reports are told apart by `sid`, `target` and `sn`, and ordered by `sn`. A key that is unknown or has a bad value is passed over and counted; a report of a higher version than 2, or without a session, is refused and counted. CMCD has no key for a CDN: it is that of the host (`h`, or `url` of a response), by `ingest.cmcd_hosts`; `cdn` and `com.livemeter-cdn` name it outright. Nor has it one for bytes: `com.livemeter-bytes` is what the CDN in use has delivered in this session so far, `com.livemeter-bytes.NAME` the same of the CDN of that name; without them bytes are absent. The user is the session token's, or `com.livemeter-user`. Bodies may be compressed by gzip or zstd.
         */
        post: operations["post_cmcd"];
        delete?: never;
        /** CORS preflight: any origin may post cmcd. */
        options: operations["preflight_cmcd"];
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/definitions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What each figure means: formula, unit, version. */
        get: operations["get_definitions"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/events": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Take a batch of events.
         * @description A 2xx means that every accepted event is durable in Kafka. Each event is answered on its own, in the order of the batch; a refused one must not be sent again as it is. Types are heartbeat, stall, session_start, playback_start, session_end, cdn_switch, error; an unknown type is refused by name, an unknown field is kept. As NDJSON, each line is one event, and `app`, `v` and `sent_at_ms` stand in the query string. `text/plain` is read as `application/json`, for `navigator.sendBeacon`. Bodies may be compressed by gzip or zstd. Where ingest has a file of apps, each request needs the app's write key (`key`, or `authorization: Bearer`), and, where the app says so, a session token (`token` in the batch, or the header `livemeter-token`); an event that its token or app does not allow is refused as `forbidden`.
         */
        post: operations["post_events"];
        delete?: never;
        /** CORS preflight: any origin may post events. */
        options: operations["preflight_events"];
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/refusals": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What the services have refused since they started, by cause. */
        get: operations["get_refusals"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/reports/quality": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Playing, stalls and startup per CDN, programme, user and time.
         * @description With the same `to` and the same `table_version`, the same answer.
         */
        get: operations["get_report_quality"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/reports/traffic": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Bytes and bandwidth per CDN, programme, user and time.
         * @description With the same `to` and the same `table_version`, the same answer.
         */
        get: operations["get_report_traffic"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/sql": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Ask the ledger in SQL.
         * @description One SELECT over the tables `increments` and `events`, and those made from them; anything else is refused by name.
         */
        post: operations["post_sql"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/status": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What the ledger holds, and how fresh it is. */
        get: operations["get_status"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
}
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        /** @description The body of every 200 and 422. */
        Answer: {
            /** Format: uint64 */
            accepted: number;
            events: components["schemas"]["EventAnswer"][];
            /**
             * Format: uint64
             * @description How often the client should send heartbeats from now on.
             */
            heartbeat_ms: number;
            /** Format: uint64 */
            refused: number;
            /**
             * Format: double
             * @description The share of sessions that should report while they play, from 0 to 1; all when absent. The others keep
             *     counting and say only their last counters, so totals stay whole.
             */
            sampling?: number;
        };
        /** @description One service that was asked. */
        Asked: {
            address: string;
            /** @description Why it did not answer; null when it did. Its counts are then missing in `rows`. */
            failure?: string | null;
        };
        /** @description A batch as a client writes it. `POST /v1/events`, `application/json`. */
        Batch: {
            /** @description The app (tenant) these events belong to. */
            app: string;
            events: components["schemas"]["Event"][];
            /**
             * Format: int64
             * @description The session's clock at this attempt to send; stamped anew at each retry.
             */
            sent_at_ms?: number | null;
            /** @description The session token, where the app's sessions have one; a header can carry it too. It is never stored. */
            token?: string | null;
            /**
             * Format: uint32
             * @description Version of the event contract: 1.
             */
            v: number;
        };
        /** @description Bytes of one CDN within one session, cumulative, as a CMCD report's custom key says them. */
        CdnBytes: {
            /** Format: uint64 */
            bytes: number;
            /** @description None is the CDN in use. */
            cdn?: string | null;
        };
        /** @description The session moved to another CDN. */
        CdnSwitch: {
            /**
             * Format: int64
             * @description When it happened: milliseconds since 1970 on the session's own clock, which is read
             *     once at the session's start and then driven by a monotonic timer.
             */
            at_ms: number;
            from_cdn: string;
            /** @description What is being watched. */
            programme_id: string;
            reason: components["schemas"]["SwitchReason"];
            /** @description Where the viewer is, as coarse as the app likes. */
            region?: string | null;
            /**
             * Format: uint64
             * @description Rises by one with every event of the session, whatever its type.
             */
            seq: number;
            /** @description One player object's life: a new random id at each reload, tab or device. */
            session_id: string;
            to_cdn: string;
            /** @description Whose traffic this is. Personal data. */
            user_id: string;
        };
        /**
         * @description One CMCD report (CTA-5004-B) as `POST /v1/cmcd` understood it. Written by ingest alone; `/v1/events` refuses it.
         *     `session_id` is `sid`, `seq` is `sn`, `at_ms` is `ts`, `programme_id` is `cid`.
         */
        Cmcd: {
            /**
             * Format: int64
             * @description When it happened: milliseconds since 1970 on the session's own clock, which is read
             *     once at the session's start and then driven by a monotonic timer.
             */
            at_ms: number;
            /**
             * Format: uint64
             * @description `br`: bitrate of the media.
             */
            bitrate_kbps?: number | null;
            /**
             * Format: uint64
             * @description `bl`: media ahead of the playhead.
             */
            buffer_ms?: number | null;
            /** @description Cumulative bytes by the custom keys; none when the player does not count them. */
            bytes?: components["schemas"]["CdnBytes"][];
            /** @description The CDN in use, by the table of hosts. */
            cdn?: string | null;
            /** @description The first of `ec`: the player's own code of an error. */
            error?: string | null;
            /** @description `e`: what the report tells of, such as `ps` (another state), `t` (an interval) or `rr` (a response). */
            event?: string | null;
            /**
             * Format: uint64
             * @description `ltc`: how far behind live.
             */
            latency_ms?: number | null;
            /** @description What is being watched. */
            programme_id: string;
            /** @description Where the viewer is, as coarse as the app likes. */
            region?: string | null;
            /** @description The report as it was sent; left out where its app's users have pseudonyms. */
            report?: string | null;
            /**
             * Format: uint64
             * @description Rises by one with every event of the session, whatever its type.
             */
            seq: number;
            /** @description One player object's life: a new random id at each reload, tab or device. */
            session_id: string;
            /**
             * Format: uint64
             * @description `msd`: from the viewer's wish to the first picture; said once per session.
             */
            startup_ms?: number | null;
            /** @description `bs` of version 1: the buffer ran dry since the request before. */
            starved?: boolean;
            /** @description `sta`: the state from `at_ms` on. */
            state?: components["schemas"]["State"] | null;
            /** @description Whose traffic this is. Personal data. */
            user_id: string;
        };
        /** @description The cause, for programs. New ones may be added; none changes its meaning. */
        Code: ("missing_field" | "wrong_type" | "unknown_type" | "unsupported_version" | "too_long" | "too_many" | "out_of_range") | "malformed" | "clock" | "control_character" | "counter_fell" | "forbidden";
        /** @description One column of an answer. */
        Column: {
            name: string;
            /** @description The Arrow type's name, such as `Int64` or `Utf8`. */
            type: string;
        };
        /** @description Cumulative counters of one CDN within one session, from the session's start. They never fall. */
        Counters: {
            /**
             * Format: uint64
             * @description Body bytes of aborted responses, as far as they got. Never part of `bytes`.
             * @default 0
             */
            aborted_bytes?: number;
            /**
             * Format: uint64
             * @description Network body bytes of completed responses; playlists included, browser-cache hits excluded.
             */
            bytes: number;
            /** @description Name of the CDN in the registry, such as `cdn-a`. */
            cdn: string;
            /**
             * Format: int64
             * @description When the session first used this CDN: milliseconds since 1970 on the session's own clock.
             */
            first_used_at_ms: number;
            /**
             * Format: uint64
             * @description Milliseconds played of media that came from this CDN.
             */
            play_ms: number;
            /**
             * Format: uint64
             * @description Milliseconds stalled, charged to this CDN; grows in every heartbeat while a stall lasts.
             */
            stall_ms: number;
            /**
             * Format: uint64
             * @description Stalls begun on this CDN; rises when a stall begins.
             */
            stalls: number;
        };
        /** @description `GET /v1/definitions`: every metric a report may show. */
        Definitions: {
            metrics: components["schemas"]["Metric"][];
            /**
             * Format: uint32
             * @description Version of the definitions as a whole.
             */
            version: number;
        };
        /** @description Why a session ended. */
        EndReason: "ended" | "quit" | "fatal";
        /** @description Something failed in the player. */
        ErrorEvent: {
            /**
             * Format: int64
             * @description When it happened: milliseconds since 1970 on the session's own clock, which is read
             *     once at the session's start and then driven by a monotonic timer.
             */
            at_ms: number;
            cdn?: string | null;
            /** @description The player's own code, such as `fragLoadError`. */
            code: string;
            /** @description Whether playback ended by it. */
            fatal: boolean;
            message?: string | null;
            /** @description What is being watched. */
            programme_id: string;
            /** @description Where the viewer is, as coarse as the app likes. */
            region?: string | null;
            /**
             * Format: uint64
             * @description Rises by one with every event of the session, whatever its type.
             */
            seq: number;
            /** @description One player object's life: a new random id at each reload, tab or device. */
            session_id: string;
            /** @description Whose traffic this is. Personal data. */
            user_id: string;
        };
        /** @description Any event, by its `type`. */
        Event: (components["schemas"]["Heartbeat"] & {
            /** @constant */
            type: "heartbeat";
        }) | (components["schemas"]["Stall"] & {
            /** @constant */
            type: "stall";
        }) | (components["schemas"]["SessionStart"] & {
            /** @constant */
            type: "session_start";
        }) | (components["schemas"]["PlaybackStart"] & {
            /** @constant */
            type: "playback_start";
        }) | (components["schemas"]["SessionEnd"] & {
            /** @constant */
            type: "session_end";
        }) | (components["schemas"]["CdnSwitch"] & {
            /** @constant */
            type: "cdn_switch";
        }) | (components["schemas"]["ErrorEvent"] & {
            /** @constant */
            type: "error";
        }) | (components["schemas"]["Cmcd"] & {
            /** @constant */
            type: "cmcd";
        });
        /** @description What became of one event, in the order of the batch. */
        EventAnswer: {
            /** @description Set when times were corrected by more than a minute. */
            note?: string | null;
            /** @constant */
            status: "accepted";
        } | (components["schemas"]["Refusal"] & {
            /** @constant */
            status: "refused";
        });
        /**
         * @description Every 10 s (jittered; the server may set another interval): the cumulative counters of
         *     *every* CDN the session has used, so that one heartbeat makes up for any lost before it.
         */
        Heartbeat: {
            /**
             * Format: int64
             * @description When it happened: milliseconds since 1970 on the session's own clock, which is read
             *     once at the session's start and then driven by a monotonic timer.
             */
            at_ms: number;
            /** @description The CDN in use at `at_ms`. */
            cdn?: string | null;
            counters: components["schemas"]["Counters"][];
            /** @description What is being watched. */
            programme_id: string;
            /** @description Where the viewer is, as coarse as the app likes. */
            region?: string | null;
            /**
             * Format: uint64
             * @description Rises by one with every event of the session, whatever its type.
             */
            seq: number;
            /** @description One player object's life: a new random id at each reload, tab or device. */
            session_id: string;
            /**
             * Format: int64
             * @description When the session began, on its own clock.
             */
            session_started_at_ms: number;
            /** @description The state at `at_ms`. */
            state: components["schemas"]["State"];
            /** @description Whose traffic this is. Personal data. */
            user_id: string;
        };
        /** @description The last media request before a stall: evidence for whose fault it was. */
        LastSegment: {
            /**
             * Format: uint64
             * @description Body bytes received.
             * @default 0
             */
            bytes?: number;
            /** @description Host that was asked. */
            host?: string | null;
            /**
             * Format: uint16
             * @description HTTP status; 0 when no answer came.
             */
            status: number;
            /**
             * Format: uint64
             * @description Body bits per second of that response.
             * @default 0
             */
            throughput_bps?: number;
        };
        /**
         * @description Which medium stalled.
         * @enum {string}
         */
        Media: "video" | "audio" | "muxed";
        /** @description One metric's definition. */
        Metric: {
            formula: string;
            formula_zh: string;
            /** @description Column name in reports. */
            name: string;
            /** @description Where the definition comes from. */
            source: string;
            unit: string;
            /** Format: uint32 */
            version: number;
        };
        /** @description The first picture: starting → playing, once per view. */
        PlaybackStart: {
            /**
             * Format: int64
             * @description When it happened: milliseconds since 1970 on the session's own clock, which is read
             *     once at the session's start and then driven by a monotonic timer.
             */
            at_ms: number;
            cdn: string;
            /** @description What is being watched. */
            programme_id: string;
            /** @description Where the viewer is, as coarse as the app likes. */
            region?: string | null;
            /**
             * Format: uint64
             * @description Rises by one with every event of the session, whatever its type.
             */
            seq: number;
            /** @description One player object's life: a new random id at each reload, tab or device. */
            session_id: string;
            /**
             * Format: uint64
             * @description From the viewer's wish to the first picture.
             */
            startup_ms: number;
            /** @description Whose traffic this is. Personal data. */
            user_id: string;
        };
        /** @description The body of every other answer that is not a success. */
        Problem: {
            /** @description A word for programs, such as `body_too_large`. */
            error: string;
            field?: string | null;
            /** Format: int64 */
            limit?: number | null;
            /** @description One sentence for people. */
            reason: string;
            /** @description Whether the same request may succeed later. */
            retry: boolean;
            /** Format: int64 */
            value?: number | null;
        };
        /** @description Quality of one row. Ratios are null when nothing was played. */
        QualityRow: {
            cdn?: string | null;
            /** Format: int64 */
            play_ms: number;
            programme?: string | null;
            /** Format: int64 */
            stall_ms: number;
            /** Format: double */
            stall_ms_per_100s: number | null;
            /** Format: double */
            stall_ratio: number | null;
            /** Format: double */
            stalled_views_ratio: number | null;
            /** Format: int64 */
            stalls: number;
            /** Format: double */
            stalls_per_100s: number | null;
            /** Format: double */
            startup_p50_ms: number | null;
            /** Format: double */
            startup_p95_ms: number | null;
            /** @description Start of the time bucket, RFC 3339 with the offset of `tz`. */
            time?: string | null;
            user?: string | null;
            /** Format: int64 */
            views: number;
        };
        /** @description A report, with what is needed to ask for exactly the same again. */
        QualityRowReport: {
            app: string | null;
            definitions: components["schemas"]["Metric"][];
            from: string;
            rows: components["schemas"]["QualityRow"][];
            /**
             * Format: int64
             * @description Version of the Delta table that was read; null when it does not exist yet.
             */
            table_version: number | null;
            to: string;
            /** @description True when more rows existed than `limit`. */
            truncated: boolean;
            tz: string;
        };
        /** @description A refusal: names the field, the value's size and the limit, whenever there are any. */
        Refusal: {
            code: components["schemas"]["Code"];
            /** @description Path of the field, such as `counters[1].bytes`. */
            field?: string | null;
            /**
             * Format: int64
             * @description The limit that it broke.
             */
            limit?: number | null;
            /** @description One sentence for people. */
            reason: string;
            /**
             * Format: int64
             * @description The value (a number) or its size (a text or a list).
             */
            value?: number | null;
        };
        /** @description One count. */
        RefusalRow: {
            /** @description `ingest` or `processor`. */
            by: string;
            /** @description A word from a fixed set of the service's, such as `too_long`, `key_refused` or `kafka_away`. */
            cause: string;
            /** Format: uint64 */
            count: number;
            what: components["schemas"]["What"];
        };
        /** @description `GET /v1/refusals`: counts since each service started, added up over all that answered. */
        Refusals: {
            /** @description When the services were asked, RFC 3339 UTC. */
            asked_at: string;
            /** @description Counts that are not zero, the largest first within each `what`. */
            rows: components["schemas"]["RefusalRow"][];
            /** @description Those that are asked, as they are set; none: nobody is. */
            services: components["schemas"]["Asked"][];
        };
        /** @description The last word of a session, with its last counters. */
        SessionEnd: {
            /**
             * Format: int64
             * @description When it happened: milliseconds since 1970 on the session's own clock, which is read
             *     once at the session's start and then driven by a monotonic timer.
             */
            at_ms: number;
            counters: components["schemas"]["Counters"][];
            /** @description What is being watched. */
            programme_id: string;
            reason: components["schemas"]["EndReason"];
            /** @description Where the viewer is, as coarse as the app likes. */
            region?: string | null;
            /**
             * Format: uint64
             * @description Rises by one with every event of the session, whatever its type.
             */
            seq: number;
            /** @description One player object's life: a new random id at each reload, tab or device. */
            session_id: string;
            /** Format: int64 */
            session_started_at_ms: number;
            /** @description Whose traffic this is. Personal data. */
            user_id: string;
        };
        /** @description A viewer asked for a programme. An attempt, whether or not a picture follows. */
        SessionStart: {
            /**
             * Format: int64
             * @description When it happened: milliseconds since 1970 on the session's own clock, which is read
             *     once at the session's start and then driven by a monotonic timer.
             */
            at_ms: number;
            /** @description The first CDN asked. */
            cdn?: string | null;
            /** @description Player and version, such as `hls.js/1.7.4`. */
            player?: string | null;
            /** @description What is being watched. */
            programme_id: string;
            /** @description Where the viewer is, as coarse as the app likes. */
            region?: string | null;
            /** @description SDK and version, such as `web/0.1.0`. */
            sdk?: string | null;
            /**
             * Format: uint64
             * @description Rises by one with every event of the session, whatever its type.
             */
            seq: number;
            /** @description One player object's life: a new random id at each reload, tab or device. */
            session_id: string;
            /** @description Whose traffic this is. Personal data. */
            user_id: string;
        };
        /** @description The answer as JSON. */
        SqlAnswer: {
            columns: components["schemas"]["Column"][];
            /** Format: uint64 */
            elapsed_ms: number;
            /** Format: uint64 */
            row_count: number;
            /** @description Row by row, each value in the order of `columns`. Integers are exact; times are RFC 3339 UTC. */
            rows: unknown[][];
            /** @description The version of each table that was read: asking the same of the same versions gives the same answer. */
            table_versions: {
                [key: string]: number;
            };
            /** @description True when more rows existed than are answered. */
            truncated: boolean;
        };
        /**
         * @description A question: `application/json`. The tables are `increments` and `events`, and those made from them:
         *     `traffic_5m`, `usage_daily`, `sessions`, `stalls`.
         */
        SqlRequest: {
            /** @description `json` (default) or `csv`. */
            format?: string | null;
            /**
             * Format: uint32
             * @description Most rows answered; at most, and by default, the service's own limit (10,000 as JSON).
             */
            limit?: number | null;
            /** @description One SELECT (or WITH … SELECT). */
            sql: string;
        };
        /** @description Explains one stall once it is over. Totals come from the counters alone. */
        Stall: {
            /**
             * Format: int64
             * @description When it happened: milliseconds since 1970 on the session's own clock, which is read
             *     once at the session's start and then driven by a monotonic timer.
             */
            at_ms: number;
            /**
             * Format: int64
             * @description When it began, on the session's own clock.
             */
            began_at_ms: number;
            /** @description The player's own word for the cause. */
            cause?: string | null;
            /** @description The CDN in use when the stall began; it stays charged to that one. */
            cdn: string;
            kind: components["schemas"]["StallKind"];
            last_segment?: components["schemas"]["LastSegment"] | null;
            media: components["schemas"]["Media"];
            /** @description What is being watched. */
            programme_id: string;
            /** @description Where the viewer is, as coarse as the app likes. */
            region?: string | null;
            /**
             * Format: uint64
             * @description Rises by one with every event of the session, whatever its type.
             */
            seq: number;
            /** @description One player object's life: a new random id at each reload, tab or device. */
            session_id: string;
            /**
             * Format: uint64
             * @description How long it lasted.
             */
            stall_ms: number;
            /**
             * Format: uint64
             * @description The gap between frames that counts as frozen, as configured in this player.
             */
            threshold_ms: number;
            /** @description Whose traffic this is. Personal data. */
            user_id: string;
        };
        /**
         * @description What froze: no data to play (`rebuffer`), or a picture that stood still (`frozen`).
         * @enum {string}
         */
        StallKind: "rebuffer" | "frozen";
        /**
         * @description Player states of CTA-5004-B (`sta`); a player is in exactly one at each moment.
         * @enum {string}
         */
        State: "s" | "p" | "k" | "r" | "a" | "e" | "f" | "q" | "d";
        /** @description `GET /v1/status`: what the ledger holds now, and how fresh it is. */
        Status: {
            /** @description Apps and CDNs seen lately, sorted: the choices of a filter. */
            apps: string[];
            cdns: string[];
            /** @description When ingest received the newest row of the ledger, RFC 3339 UTC; null when there is none. */
            newest_received_at: string | null;
            /** @description The query service's clock, RFC 3339 UTC: freshness is `now` − `newest_received_at`. */
            now: string;
            tables: components["schemas"]["TableStatus"][];
        };
        /**
         * @description Why a session moved to another CDN.
         * @enum {string}
         */
        SwitchReason: "stall" | "steering" | "user" | "error";
        /** @description One table of the ledger. */
        TableStatus: {
            /** @description When that version was committed, RFC 3339 UTC. */
            committed_at?: string | null;
            /** @description `increments`, `events`, or the name of a table made from those. */
            name: string;
            /** @description Of a derived table: the versions of `increments` and `events` that it reflects. */
            reflects?: {
                [key: string]: number;
            } | null;
            /**
             * Format: uint64
             * @description Rows it holds.
             * @default 0
             */
            rows: number;
            /**
             * Format: int64
             * @description The newest version of the Delta table; null when it does not exist yet.
             */
            version: number | null;
        };
        /** @description Traffic of one row. Sums are exact 64-bit integers. */
        TrafficRow: {
            /** Format: int64 */
            aborted_bytes: number;
            /** Format: int64 */
            bytes: number;
            cdn?: string | null;
            /**
             * Format: int64
             * @description Highest 5-minute bandwidth within the row: bytes × 8 ÷ 300 s, rounded down.
             */
            peak_bandwidth_bps: number;
            programme?: string | null;
            /** Format: int64 */
            sessions: number;
            /** @description Start of the time bucket, RFC 3339 with the offset of `tz`. */
            time?: string | null;
            user?: string | null;
        };
        /** @description A report, with what is needed to ask for exactly the same again. */
        TrafficRowReport: {
            app: string | null;
            definitions: components["schemas"]["Metric"][];
            from: string;
            rows: components["schemas"]["TrafficRow"][];
            /**
             * Format: int64
             * @description Version of the Delta table that was read; null when it does not exist yet.
             */
            table_version: number | null;
            to: string;
            /** @description True when more rows existed than `limit`. */
            truncated: boolean;
            tz: string;
        };
        /** @description What was not taken. */
        What: "connection" | "request" | "event" | "record" | "dead_letter";
    };
    responses: never;
    parameters: never;
    requestBodies: never;
    headers: never;
    pathItems: never;
}
export type $defs = Record<string, never>;
export interface operations {
    get_healthz: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Alive. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    get_metrics: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Prometheus metrics. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/openmetrics-text": string;
                };
            };
        };
    };
    get_openapi: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description This document. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": Record<string, never>;
                };
            };
        };
    };
    get_readyz: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Ready. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Not ready, and why. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    post_cmcd: {
        parameters: {
            query?: {
                /** @description The app; the key's own when absent. */
                app?: string;
                /** @description A report of version 1. */
                CMCD?: string;
                /** @description The app's write key, `lmw_…`; public. Needed unless ingest is open. */
                key?: string;
                /** @description A name for each further target of one player that leads here: each numbers its reports for itself, and each is a session of its own. */
                target?: string;
                /** @description The session token, a JWT; the header `livemeter-token` can carry it too. */
                token?: string;
            };
            header?: {
                "content-encoding"?: "gzip" | "zstd" | "identity";
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/cmcd": string;
                "application/cmcd+json": Record<string, never> | Record<string, never>[];
                "application/json": Record<string, never> | Record<string, never>[];
                "text/cmcd": string;
                "text/plain": string;
            };
        };
        responses: {
            /** @description At least one report was accepted, or there was none. Durable. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description The body is no text, no app is named, or the list is not one. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The write key is missing, or the session token is missing or proves nothing; the field says which. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The key is not one of the app's that are good now, or the page's origin is not among those that are set. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The body came too slowly. */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The app takes no CMCD (`cmcd = false` in the file of apps): by the standard, a player is silent for the rest of its session. */
            410: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The body, what it unpacks to, or the number of reports is larger than the limit. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Another content type or encoding than those above. */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Every report was refused; do not send them again. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Answer"];
                };
            };
            /** @description More reports than this address or app may send: back off. */
            429: {
                headers: {
                    /** @description Seconds. */
                    "retry-after"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Too much at once, or Kafka does not take it now; nothing is promised. Send the same again after Retry-After. */
            503: {
                headers: {
                    /** @description Seconds. */
                    "retry-after"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    preflight_cmcd: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Allowed methods and headers. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description The page's origin is not among those that are set. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    get_definitions: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description What each figure means: formula, unit, version. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Definitions"];
                };
            };
        };
    };
    post_events: {
        parameters: {
            query?: {
                /** @description The app; NDJSON only. */
                app?: string;
                /** @description The app's write key, `lmw_…`; public. Needed unless ingest is open, or `authorization` carries it. */
                key?: string;
                /** @description The session's clock at this attempt to send; NDJSON only. */
                sent_at_ms?: number;
                /** @description Version of the event contract, default 1; NDJSON only. */
                v?: number;
            };
            header?: {
                "content-encoding"?: "gzip" | "zstd" | "identity";
                /** @description The session token, a JWT; or `token` in the batch. */
                "livemeter-token"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Batch"];
                "application/x-ndjson": string;
                "text/plain": components["schemas"]["Batch"];
            };
        };
        responses: {
            /** @description At least one event was accepted, or the batch was empty. Durable. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Answer"];
                };
            };
            /** @description The body is not JSON, or the batch itself is wrong. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The write key is missing, or the session token is missing or proves nothing; the field says which. With a new token the same batch may be taken. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The key is not one of the app's that are good now, or the page's origin is not among those that are set. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The body came too slowly. */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The body, what it unpacks to, or the number of events is larger than the limit. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Another content type or encoding than those above. */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Every event was refused; do not send them again. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Answer"];
                };
            };
            /** @description More events than this address or app may send; a client treats it as 503. */
            429: {
                headers: {
                    /** @description Seconds. */
                    "retry-after"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Too much at once, or Kafka does not take it now; nothing is promised. Send the same again after Retry-After. */
            503: {
                headers: {
                    /** @description Seconds. */
                    "retry-after"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    preflight_events: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Allowed methods and headers. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description The page's origin is not among those that are set. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    get_refusals: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description What the services have refused since they started, by cause. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Refusals"];
                };
            };
        };
    };
    get_report_quality: {
        parameters: {
            query?: {
                app?: string;
                /**
                 * @description `cdn`, `programme`, `user`, `time`; comma-separated. Default `cdn`.
                 *     Present but empty: one row of totals (views cannot be summed over CDNs).
                 */
                by?: string;
                cdn?: string;
                /** @description `json` (default) or `csv`. */
                format?: string;
                /** @description Start, inclusive: RFC 3339, or a local date or date and time in `tz`. Default: 24 h before `to`. */
                from?: string;
                /** @description Most rows answered; default 10,000. */
                limit?: number;
                programme?: string;
                /** @description Width of a time bucket: `5m`, `1h` or `1d` (a day of `tz`). Default `1h`. Only with `by=time`. */
                step?: string;
                /** @description End, exclusive. Default: now. */
                to?: string;
                /** @description IANA time zone in which dates are read and time buckets begin. Default `UTC`. */
                tz?: string;
                user?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The rows, with the definition of each figure. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["QualityRowReport"];
                    "text/csv": string;
                };
            };
            /** @description A parameter is wrong: its name, the value and what is accepted. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Host or Origin is not this service's own. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many queries at once. */
            429: {
                headers: {
                    /** @description Seconds. */
                    "retry-after"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The ledger cannot be read now. */
            503: {
                headers: {
                    /** @description Seconds. */
                    "retry-after"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    get_report_traffic: {
        parameters: {
            query?: {
                app?: string;
                /**
                 * @description `cdn`, `programme`, `user`, `time`; comma-separated. Default `cdn`.
                 *     Present but empty: one row of totals (views cannot be summed over CDNs).
                 */
                by?: string;
                cdn?: string;
                /** @description `json` (default) or `csv`. */
                format?: string;
                /** @description Start, inclusive: RFC 3339, or a local date or date and time in `tz`. Default: 24 h before `to`. */
                from?: string;
                /** @description Most rows answered; default 10,000. */
                limit?: number;
                programme?: string;
                /** @description Width of a time bucket: `5m`, `1h` or `1d` (a day of `tz`). Default `1h`. Only with `by=time`. */
                step?: string;
                /** @description End, exclusive. Default: now. */
                to?: string;
                /** @description IANA time zone in which dates are read and time buckets begin. Default `UTC`. */
                tz?: string;
                user?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The rows, with the definition of each figure. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TrafficRowReport"];
                    "text/csv": string;
                };
            };
            /** @description A parameter is wrong: its name, the value and what is accepted. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Host or Origin is not this service's own. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many queries at once. */
            429: {
                headers: {
                    /** @description Seconds. */
                    "retry-after"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The ledger cannot be read now. */
            503: {
                headers: {
                    /** @description Seconds. */
                    "retry-after"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    post_sql: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["SqlRequest"];
                "text/plain": string;
            };
        };
        responses: {
            /** @description The rows. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SqlAnswer"];
                    "text/csv": string;
                };
            };
            /** @description Not a SELECT, not SQL, or it names what is not there. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Host or Origin is not this service's own. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The statement or its answer is larger than the limit. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many queries at once. */
            429: {
                headers: {
                    /** @description Seconds. */
                    "retry-after"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description It took longer, or needed more memory, than one query may; or the ledger cannot be read now. */
            503: {
                headers: {
                    /** @description Seconds. */
                    "retry-after"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    get_status: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description What the ledger holds, and how fresh it is. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Status"];
                };
            };
        };
    };
}
