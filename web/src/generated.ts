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
    "/v1/bills/check": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Client, log and invoice side by side, and why they differ. */
        get: operations["get_bill_check"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/bills/contracts": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The contracts known, each version of its own. */
        get: operations["get_bill_contracts"];
        /** Keep a version of a contract. One that is kept is never overwritten by another text. */
        put: operations["put_bill_contract"];
        /** The same as PUT. */
        post: operations["post_bill_contract"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/bills/evidence": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** All that the check stands on, as a ZIP that anybody can recompute. */
        get: operations["get_bill_evidence"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/bills/export": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The check as a file. */
        get: operations["get_bill_export"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/bills/formats": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The mapping files of logs that were kept; the formats known by name are not among them. */
        get: operations["get_bill_formats"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/bills/formats/{name}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /** Keep a mapping file of a vendor's logs. What it replaces is told; logs that were imported stay as they were read. */
        put: operations["put_bill_format"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/bills/invoices": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The invoices that were imported. */
        get: operations["get_bill_invoices"];
        put?: never;
        /** Import an invoice: CSV or XLSX. All of it or nothing. */
        post: operations["post_bill_invoice"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/bills/lines": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Lines of a vendor's log as they stand in the file; the bad ones with their reason. */
        get: operations["get_bill_lines"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/bills/logs": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The files of vendors' logs that were imported. */
        get: operations["get_bill_logs"];
        put?: never;
        /** Import a vendor's log: plain, gzip or zstd. All of it or nothing; the same bytes change nothing. */
        post: operations["post_bill_log"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/bills/sessions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The sessions behind a 5-minute window. */
        get: operations["get_bill_sessions"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/bills/simulation": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The same period under every mode, a forecast, and the free slots that are left. */
        get: operations["get_bill_simulation"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/bills/templates": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The templates of invoices that were kept. */
        get: operations["get_bill_templates"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/bills/templates/{name}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /** Keep a template of a vendor's invoices. What it replaces is told; invoices that were imported keep their lines. */
        put: operations["put_bill_template"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/bills/what-if": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What the vendors would have billed, had the traffic been parted otherwise between them. */
        get: operations["get_bill_what_if"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/bills/windows": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The 5-minute series behind a day, with ranks. */
        get: operations["get_bill_windows"];
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
        BadLine: {
            /**
             * Format: uint64
             * @description Counted from 1.
             */
            line: number;
            reason: string;
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
        /** @description `GET /v1/bills/check`: client, log and invoice side by side, and why they differ. */
        BillCheck: {
            /** @description What is owed by our own arithmetic over each side that is there: `client`, `log`. */
            bills: components["schemas"]["BillOf"][];
            /** @description What was found, by name, with its evidence in words. */
            causes: components["schemas"]["Cause"][];
            contract: components["schemas"]["ContractSummary"];
            days: components["schemas"]["CheckDay"][];
            /** @description The part of the period within the contract's validity, RFC 3339 with the zone's offset. */
            from: string;
            invoice: components["schemas"]["InvoiceSummary"] | null;
            lines: components["schemas"]["CheckLine"][];
            period: string;
            source: components["schemas"]["Source"];
            to: string;
            /** @description `ok`, `within_tolerance`, `disputed`, or `incomplete` where a side is missing. */
            verdict: string;
            /** @description Bytes from the client's count to the log's, step by step; adds up exactly. */
            waterfall: components["schemas"]["WaterfallStep"][];
        };
        /** @description What one side's figures cost under the contract. */
        BillOf: {
            amount: string;
            billed_window: string | null;
            currency: string;
            /** Format: uint64 */
            dropped: number | null;
            quantity: string;
            /** Format: uint64 */
            rank: number | null;
            /**
             * Format: uint64
             * @description Of a percentile: samples, how many were dropped, the rank billed, and its window.
             */
            samples: number | null;
            /** @description `client` or `log`. */
            side: string;
            /** @description How it was worked out, a sentence a step. */
            steps: components["schemas"]["BillStep"][];
            unit: string;
        };
        BillSession: {
            cdn: string | null;
            /** Format: int64 */
            client_bytes: number;
            /** Format: int64 */
            log_bytes: number | null;
            /** @description File (first 8 letters of its SHA-256) and lines of the log, first to last. */
            log_lines: string | null;
            /** @description Partition and offset of the first Kafka record behind it. */
            record: string | null;
            /** @description Empty: log lines of no session. */
            session_id: string;
        };
        /** @description `GET /v1/bills/sessions?contract=…&window=…`: who is behind a window. */
        BillSessions: {
            sessions: components["schemas"]["BillSession"][];
            source: components["schemas"]["Source"];
            truncated: boolean;
            window: string;
        };
        BillStep: {
            /** @description The formula in words and signs, with the figures that went in. */
            formula: string;
            formula_zh: string;
            name: string;
            value: string;
        };
        BillWindow: {
            /** Format: int64 */
            client_bytes: number;
            /** Format: int64 */
            log_bytes: number | null;
            /**
             * Format: uint64
             * @description Place among the period's samples, 1 the largest; null where the mode has no rank.
             */
            rank: number | null;
            /** @description `billed`, `dropped` or `counted`. */
            role: string;
            /** @description RFC 3339 with the zone's offset. */
            start: string;
        };
        /** @description `GET /v1/bills/windows?contract=…&day=2026-10-01`: the 5-minute series behind a day. */
        BillWindows: {
            day: string;
            source: components["schemas"]["Source"];
            windows: components["schemas"]["BillWindow"][];
        };
        /** @description How many of the period's free 5-minute slots are used. */
        BurstBudget: {
            /** @description True when no more are left than the share of its own slots at which to tell someone (`bills.burst_alert_percent`). */
            alert: boolean;
            /** Format: uint64 */
            left: number;
            /** @description Whose level it is: `commit` (the contract's minimum), `last_month` (its percentile), or `so_far`. */
            level: string;
            /**
             * Format: int64
             * @description Slots above it are bursts, bit/s of counted bytes.
             */
            level_bps: number;
            /** Format: uint64 */
            slots: number;
            /** Format: uint64 */
            used: number;
        };
        /** @description A difference with a name: `wrong_unit`, `day_billed_twice`, `wrong_zone`, `overhead_twice`, `wrong_tier`, … */
        Cause: {
            /** @description Money it accounts for. */
            amount: string;
            cause: string;
            /** @description The day it is about, where it is about one. */
            day: string | null;
            /** @description Why it is named, in words, with the figures compared. */
            evidence: string;
            evidence_zh: string;
            /**
             * Format: uint64
             * @description Row of the invoice, from 1; null where it is of the whole. Of several, the first.
             */
            invoice_row: number | null;
            /** @description Every row that it rests on, or the first twenty. */
            invoice_rows: number[];
            /**
             * Format: uint64
             * @description How many there are beyond those.
             */
            invoice_rows_more: number;
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
        /** @description One day of the contract's zone. */
        CheckDay: {
            /** Format: int64 */
            client_bytes: number;
            day: string;
            /** Format: int64 */
            log_bytes: number | null;
            /** Format: int64 */
            overhead_bytes: number | null;
            /**
             * Format: int64
             * @description The day's highest 5-minute bandwidth, of the log where there is one, bit/s.
             */
            peak_bandwidth_bps: number;
            /** Format: int64 */
            telemetry_loss_bytes: number | null;
            /**
             * Format: int64
             * @description With `without_sdk` null: both in one figure.
             */
            unexplained_bytes: number | null;
            verdict: string;
            /** Format: int64 */
            without_sdk_bytes: number | null;
        };
        /** @description One line of the bill: a scope of the contract beside the invoice's line for it. */
        CheckLine: {
            /** Format: int64 */
            client_bytes: number;
            difference_amount: string | null;
            domain: string | null;
            expected_amount: string | null;
            expected_quantity: string | null;
            invoice_amount: string | null;
            invoice_quantity: string | null;
            /**
             * Format: uint64
             * @description Row of the invoice, from 1; null: expected, but not invoiced. Of several compared as one, the first.
             */
            invoice_row: number | null;
            /** @description Every row that was compared as one, or the first twenty. */
            invoice_rows: number[];
            /**
             * Format: uint64
             * @description How many there are beyond those.
             */
            invoice_rows_more: number;
            item: string;
            /** Format: int64 */
            log_bytes: number | null;
            region: string | null;
            unit: string | null;
            verdict: string;
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
        /** @description `GET /v1/bills/contracts`: the contracts known, each version of its own. */
        Contracts: {
            contracts: components["schemas"]["ContractSummary"][];
        };
        /** @description One version of one contract. */
        ContractSummary: {
            cdns: string[];
            /** @description ISO 4217. */
            currency: string;
            domains: string[];
            id: string;
            /** @description Billing mode, as `definitions` names it: `traffic`, `p95_month`, … */
            mode: string;
            /** @description SHA-256 of the file's text, hex. */
            sha256: string;
            /** @description IANA zone in which the contract's days begin. */
            tz: string;
            /** @description First and last day, `2026-01-31`; null: open. */
            valid_from: string | null;
            valid_to: string | null;
            vendor: string;
            /** Format: uint32 */
            version: number;
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
        /** @description `GET /v1/definitions`: every metric a report or the bill check may show. */
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
        /** @description The 95th percentile at the period's end, from its windows so far. An estimate, and labelled so. */
        Forecast: {
            /**
             * Format: uint32
             * @description Share of outcomes between low and high, in percent.
             */
            confidence_percent: number;
            /** Format: int64 */
            high_bps: number;
            /** Format: int64 */
            low_bps: number;
            /** @description How it was made, in words. */
            method: string;
            method_zh: string;
            /** Format: int64 */
            p50_bps: number;
        };
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
        Invoices: {
            invoices: components["schemas"]["InvoiceSummary"][];
        };
        /** @description `POST /v1/bills/invoices?vendor=…&template=…&name=…` and `GET /v1/bills/invoices`. */
        InvoiceSummary: {
            currency: string;
            from: string | null;
            known: boolean;
            /** Format: uint64 */
            lines: number;
            name: string;
            sha256: string;
            to: string | null;
            total: string;
            vendor: string;
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
        /** @description `PUT /v1/bills/templates/{name}` and `PUT /v1/bills/formats/{name}`: how a vendor's papers are read, kept by name. */
        Layout: {
            name: string;
            /** @description SHA-256 of the text that it took the place of; null: there was none, or the same. */
            replaced_sha256: string | null;
            /** @description SHA-256 of the text, hex. */
            sha256: string;
        };
        /** @description `GET /v1/bills/templates` and `GET /v1/bills/formats`: those that were kept, by name. */
        Layouts: {
            layouts: components["schemas"]["Layout"][];
        };
        /** @description `POST /v1/bills/logs?vendor=…&format=…&name=…` and `GET /v1/bills/logs`: one file of a vendor's log. */
        LogImport: {
            /** @description The first few bad lines. */
            bad: components["schemas"]["BadLine"][];
            /** Format: uint64 */
            bad_lines: number;
            /** Format: uint64 */
            bytes: number;
            /**
             * Format: uint64
             * @description Lines whose request had been counted before.
             */
            duplicate_lines: number;
            format: string;
            /** @description First and last time in the log, RFC 3339 UTC. */
            from: string | null;
            /** @description True when the same bytes had been imported before; nothing was changed then. */
            known: boolean;
            /** Format: uint64 */
            lines: number;
            name: string;
            /** @description SHA-256 of the file's bytes as given, hex. */
            sha256: string;
            to: string | null;
            vendor: string;
        };
        LogImports: {
            imports: components["schemas"]["LogImport"][];
        };
        LogLine: {
            /**
             * Format: uint64
             * @description Counted from 1.
             */
            line: number;
            /** @description Why it was not counted; null of a good line. */
            reason: string | null;
            text: string;
        };
        /** @description `GET /v1/bills/lines`: lines of a vendor's log as they stand in the file. */
        LogLines: {
            lines: components["schemas"]["LogLine"][];
            name: string;
            sha256: string;
            vendor: string;
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
        ModeCost: {
            amount: string;
            cheapest: boolean;
            /** @description The contract that has the prices, and its mode. */
            contract: string;
            currency: string;
            mode: string;
            quantity: string;
            unit: string;
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
        /** @description `GET /v1/bills/simulation`: the same month under every mode, what is to come, and what is left. */
        Simulation: {
            burst: components["schemas"]["BurstBudget"] | null;
            contract: components["schemas"]["ContractSummary"];
            forecast: components["schemas"]["Forecast"] | null;
            /** @description Every mode a price is known for, cheapest first. */
            modes: components["schemas"]["ModeCost"][];
            period: string;
            source: components["schemas"]["Source"];
        };
        /** @description What an answer was computed from: enough to ask for the same again. */
        Source: {
            contract_sha256: string;
            invoice_sha256: string | null;
            log_sha256: string[];
            /** @description Kafka offsets reached, `partition:offset`. */
            offsets: string[];
            /**
             * Format: int64
             * @description Version of the ledger's table; null when there is none yet.
             */
            table_version: number | null;
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
        /** @description One step of the waterfall. */
        WaterfallStep: {
            /**
             * Format: int64
             * @description Bytes; negative where the step takes away. Of an invoice without a quantity in bytes: null.
             */
            bytes: number | null;
            /** Format: int64 */
            high_bytes: number | null;
            /** @description `total` for `client`, `log` and `invoice`, else `difference`. */
            kind: string;
            /**
             * Format: int64
             * @description Of an estimate: its interval.
             */
            low_bytes: number | null;
            /**
             * @description `client`, `log_overhead`, `telemetry_loss`, `without_sdk`, `unexplained`, `without_sdk_or_unexplained`, `log`,
             *     `overhead`, `invoice_difference`, `invoice`.
             */
            step: string;
        };
        /** @description What was not taken. */
        What: "connection" | "request" | "event" | "record" | "dead_letter";
        /** @description The bills of another allocation beside those of the one that was. */
        WhatIf: {
            contracts: components["schemas"]["WhatIfBill"][];
            /** @description RFC 3339 with the zone's offset. */
            from: string;
            /**
             * Format: int64
             * @description Bytes that left the contract they had been under.
             */
            moved_bytes: number;
            period: string;
            /** @description Whose count: `log` where each contract has logs that count alike, else `client`. */
            side: string;
            to: string;
            /** @description The sum; null where the contracts' currencies differ. */
            total: components["schemas"]["WhatIfTotal"] | null;
        };
        /** @description One contract's bill before and after. */
        WhatIfBill: {
            after: components["schemas"]["WhatIfFigures"];
            /** @description True where it was billed as if it had the first contract's days: its zone or its validity is another. */
            as_if: boolean;
            before: components["schemas"]["WhatIfFigures"];
            contract: components["schemas"]["ContractSummary"];
            /** @description After less before. */
            difference_amount: string;
            source: components["schemas"]["Source"];
        };
        WhatIfFigures: {
            amount: string;
            /** Format: int64 */
            bytes: number;
            quantity: string;
            /** @description Of all bytes, in percent with two decimals; null where there are none. */
            share_percent: string | null;
            unit: string;
        };
        WhatIfTotal: {
            after_amount: string;
            before_amount: string;
            currency: string;
            /** @description After less before: negative is saved. */
            difference_amount: string;
        };
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
    get_bill_check: {
        parameters: {
            query: {
                /**
                 * @description The contract's id; `id@2` for a version of one's choice, else the newest that is valid in the period. Of `export` in
                 *     `xlsx`: several, parted by commas, for a workbook with a sheet per vendor.
                 */
                contract: string;
                /** @description SHA-256 of the invoice, or its first 8 letters; default: the newest of the vendor for the period, if any. */
                invoice?: string;
                /** @description A month of the contract's zone, `2026-10`; or `2026-10-01..2026-10-15`, both inclusive. */
                period: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Client, log and invoice side by side, and why they differ. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["BillCheck"];
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
            /** @description No such contract, log or invoice. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The answer would be larger than the limit. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The papers do not fit together: what, and why. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Too much at once. */
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
            /** @description It took longer than one check may, or the ledger or the folder cannot be read now. */
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
    get_bill_contracts: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The contracts known, each version of its own. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Contracts"];
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
            /** @description No such contract, log or invoice. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The answer would be larger than the limit. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The papers do not fit together: what, and why. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Too much at once. */
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
            /** @description It took longer than one check may, or the ledger or the folder cannot be read now. */
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
    put_bill_contract: {
        parameters: {
            query?: {
                /** @description True: say whether it would be taken, and keep nothing. */
                check?: boolean;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/toml": string;
                "text/plain": string;
            };
        };
        responses: {
            /** @description Keep a version of a contract. One that is kept is never overwritten by another text. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ContractSummary"];
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
            /** @description No such contract, log or invoice. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The body broke off or paused too long; nothing was kept. */
            408: {
                headers: {
                    /** @description Seconds. */
                    "retry-after"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Another text is kept under this name. */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is larger than the limit. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The paper cannot be taken: the field or line, and why. Nothing of it was kept. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Too much at once. */
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
            /** @description It took longer than one check may, or the ledger or the folder cannot be read now. */
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
            /** @description The disk is full; nothing was kept. */
            507: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    post_bill_contract: {
        parameters: {
            query?: {
                /** @description True: say whether it would be taken, and keep nothing. */
                check?: boolean;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/toml": string;
                "text/plain": string;
            };
        };
        responses: {
            /** @description The same as PUT. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ContractSummary"];
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
            /** @description No such contract, log or invoice. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The body broke off or paused too long; nothing was kept. */
            408: {
                headers: {
                    /** @description Seconds. */
                    "retry-after"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Another text is kept under this name. */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is larger than the limit. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The paper cannot be taken: the field or line, and why. Nothing of it was kept. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Too much at once. */
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
            /** @description It took longer than one check may, or the ledger or the folder cannot be read now. */
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
            /** @description The disk is full; nothing was kept. */
            507: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    get_bill_evidence: {
        parameters: {
            query: {
                /**
                 * @description The contract's id; `id@2` for a version of one's choice, else the newest that is valid in the period. Of `export` in
                 *     `xlsx`: several, parted by commas, for a workbook with a sheet per vendor.
                 */
                contract: string;
                /** @description SHA-256 of the invoice, or its first 8 letters; default: the newest of the vendor for the period, if any. */
                invoice?: string;
                /** @description A month of the contract's zone, `2026-10`; or `2026-10-01..2026-10-15`, both inclusive. */
                period: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description All that the check stands on, as a ZIP that anybody can recompute. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/zip": string;
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
            /** @description No such contract, log or invoice. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The answer would be larger than the limit. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The papers do not fit together: what, and why. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Too much at once. */
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
            /** @description It took longer than one check may, or the ledger or the folder cannot be read now. */
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
    get_bill_export: {
        parameters: {
            query: {
                /**
                 * @description The contract's id; `id@2` for a version of one's choice, else the newest that is valid in the period. Of `export` in
                 *     `xlsx`: several, parted by commas, for a workbook with a sheet per vendor.
                 */
                contract: string;
                /** @description Of `export`: `summary` (the default), `windows`, `sessions` or `users`: rows per 5 minutes, and session or user. */
                detail?: string;
                /** @description Of `export`: `csv`, `xlsx`, `parquet`, `focus-1.4`, `focus-1.2`. */
                format?: string;
                /** @description SHA-256 of the invoice, or its first 8 letters; default: the newest of the vendor for the period, if any. */
                invoice?: string;
                /** @description A month of the contract's zone, `2026-10`; or `2026-10-01..2026-10-15`, both inclusive. */
                period: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The check as a file. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/vnd.apache.parquet": string;
                    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": string;
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
            /** @description No such contract, log or invoice. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The answer would be larger than the limit. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The papers do not fit together: what, and why. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Too much at once. */
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
            /** @description It took longer than one check may, or the ledger or the folder cannot be read now. */
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
    get_bill_formats: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The mapping files of logs that were kept; the formats known by name are not among them. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Layouts"];
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
            /** @description No such contract, log or invoice. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The answer would be larger than the limit. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The papers do not fit together: what, and why. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Too much at once. */
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
            /** @description It took longer than one check may, or the ledger or the folder cannot be read now. */
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
    put_bill_format: {
        parameters: {
            query?: {
                /** @description True: say whether it would be taken, and keep nothing. */
                check?: boolean;
            };
            header?: never;
            path: {
                /** @description Letters, digits, - and _; as the text has it. */
                name: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/toml": string;
                "text/plain": string;
            };
        };
        responses: {
            /** @description Keep a mapping file of a vendor's logs. What it replaces is told; logs that were imported stay as they were read. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Layout"];
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
            /** @description No such contract, log or invoice. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The body broke off or paused too long; nothing was kept. */
            408: {
                headers: {
                    /** @description Seconds. */
                    "retry-after"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Another text is kept under this name. */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is larger than the limit. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The paper cannot be taken: the field or line, and why. Nothing of it was kept. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Too much at once. */
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
            /** @description It took longer than one check may, or the ledger or the folder cannot be read now. */
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
            /** @description The disk is full; nothing was kept. */
            507: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    get_bill_invoices: {
        parameters: {
            query?: {
                /** @description Only this vendor's. */
                vendor?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The invoices that were imported. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Invoices"];
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
            /** @description No such contract, log or invoice. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The answer would be larger than the limit. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The papers do not fit together: what, and why. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Too much at once. */
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
            /** @description It took longer than one check may, or the ledger or the folder cannot be read now. */
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
    post_bill_invoice: {
        parameters: {
            query: {
                name?: string;
                /** @description `focus`, or the name of a template in the bill check's folder `templates/`. */
                template: string;
                vendor: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/octet-stream": string;
            };
        };
        responses: {
            /** @description Import an invoice: CSV or XLSX. All of it or nothing. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["InvoiceSummary"];
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
            /** @description No such contract, log or invoice. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The body broke off or paused too long; nothing was kept. */
            408: {
                headers: {
                    /** @description Seconds. */
                    "retry-after"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Another text is kept under this name. */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is larger than the limit. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The paper cannot be taken: the field or line, and why. Nothing of it was kept. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Too much at once. */
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
            /** @description It took longer than one check may, or the ledger or the folder cannot be read now. */
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
            /** @description The disk is full; nothing was kept. */
            507: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    get_bill_lines: {
        parameters: {
            query: {
                /** @description First and last line, counted from 1, both inclusive. Without them: the bad lines that were kept. */
                first?: number;
                last?: number;
                /** @description SHA-256 of the log, or its first 8 letters or more. */
                sha256: string;
                vendor: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Lines of a vendor's log as they stand in the file; the bad ones with their reason. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["LogLines"];
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
            /** @description No such contract, log or invoice. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The answer would be larger than the limit. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The papers do not fit together: what, and why. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Too much at once. */
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
            /** @description It took longer than one check may, or the ledger or the folder cannot be read now. */
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
    get_bill_logs: {
        parameters: {
            query?: {
                /** @description Only this vendor's. */
                vendor?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The files of vendors' logs that were imported. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["LogImports"];
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
            /** @description No such contract, log or invoice. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The answer would be larger than the limit. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The papers do not fit together: what, and why. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Too much at once. */
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
            /** @description It took longer than one check may, or the ledger or the folder cannot be read now. */
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
    post_bill_log: {
        parameters: {
            query: {
                /** @description Domain of lines that name none; default: the only domain of the vendor's contracts. */
                domain?: string;
                /** @description `cloudfront`, `akamai`, `tencent`, `aliyun`, `fastly`, `fastly-clf`, `nginx`, or the name of a mapping file in the bill check's folder `formats/`. */
                format: string;
                /** @description The file's name as people know it. */
                name?: string;
                /** @description Region of lines that name none. */
                region?: string;
                /** @description Small letters, digits and hyphens. */
                vendor: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/octet-stream": string;
            };
        };
        responses: {
            /** @description Import a vendor's log: plain, gzip or zstd. All of it or nothing; the same bytes change nothing. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["LogImport"];
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
            /** @description No such contract, log or invoice. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The body broke off or paused too long; nothing was kept. */
            408: {
                headers: {
                    /** @description Seconds. */
                    "retry-after"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Another text is kept under this name. */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is larger than the limit. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The paper cannot be taken: the field or line, and why. Nothing of it was kept. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Too much at once. */
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
            /** @description It took longer than one check may, or the ledger or the folder cannot be read now. */
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
            /** @description The disk is full; nothing was kept. */
            507: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    get_bill_sessions: {
        parameters: {
            query: {
                contract: string;
                /** @description Start of a 5-minute window, RFC 3339. */
                window: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The sessions behind a 5-minute window. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["BillSessions"];
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
            /** @description No such contract, log or invoice. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The answer would be larger than the limit. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The papers do not fit together: what, and why. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Too much at once. */
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
            /** @description It took longer than one check may, or the ledger or the folder cannot be read now. */
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
    get_bill_simulation: {
        parameters: {
            query: {
                /**
                 * @description The contract's id; `id@2` for a version of one's choice, else the newest that is valid in the period. Of `export` in
                 *     `xlsx`: several, parted by commas, for a workbook with a sheet per vendor.
                 */
                contract: string;
                /** @description SHA-256 of the invoice, or its first 8 letters; default: the newest of the vendor for the period, if any. */
                invoice?: string;
                /** @description A month of the contract's zone, `2026-10`; or `2026-10-01..2026-10-15`, both inclusive. */
                period: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The same period under every mode, a forecast, and the free slots that are left. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Simulation"];
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
            /** @description No such contract, log or invoice. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The answer would be larger than the limit. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The papers do not fit together: what, and why. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Too much at once. */
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
            /** @description It took longer than one check may, or the ledger or the folder cannot be read now. */
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
    get_bill_templates: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The templates of invoices that were kept. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Layouts"];
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
            /** @description No such contract, log or invoice. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The answer would be larger than the limit. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The papers do not fit together: what, and why. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Too much at once. */
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
            /** @description It took longer than one check may, or the ledger or the folder cannot be read now. */
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
    put_bill_template: {
        parameters: {
            query?: {
                /** @description True: say whether it would be taken, and keep nothing. */
                check?: boolean;
            };
            header?: never;
            path: {
                /** @description Letters, digits, - and _; as the text has it. */
                name: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/toml": string;
                "text/plain": string;
            };
        };
        responses: {
            /** @description Keep a template of a vendor's invoices. What it replaces is told; invoices that were imported keep their lines. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Layout"];
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
            /** @description No such contract, log or invoice. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The body broke off or paused too long; nothing was kept. */
            408: {
                headers: {
                    /** @description Seconds. */
                    "retry-after"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Another text is kept under this name. */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is larger than the limit. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The paper cannot be taken: the field or line, and why. Nothing of it was kept. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Too much at once. */
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
            /** @description It took longer than one check may, or the ledger or the folder cannot be read now. */
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
            /** @description The disk is full; nothing was kept. */
            507: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    get_bill_what_if: {
        parameters: {
            query: {
                /** @description The contracts, parted by commas: `acme-live,bolt-live`. The days are those of the first. */
                contracts: string;
                /** @description The contract that bytes are taken from. */
                from?: string;
                /** @description How much of each 5-minute window of `from` goes, in percent with at most two decimals. */
                percent?: string;
                /** @description A month of the first contract's zone, `2026-10`; or `2026-10-01..2026-10-15`, both inclusive. */
                period: string;
                /** @description Each contract's share of all bytes, in percent and in their order: `62.5,37.5`. They add up to 100. */
                shares?: string;
                /** @description The contract that they go to. */
                to?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description What the vendors would have billed, had the traffic been parted otherwise between them. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["WhatIf"];
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
            /** @description No such contract, log or invoice. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The answer would be larger than the limit. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The papers do not fit together: what, and why. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Too much at once. */
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
            /** @description It took longer than one check may, or the ledger or the folder cannot be read now. */
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
    get_bill_windows: {
        parameters: {
            query: {
                contract: string;
                /** @description A day of the contract's zone, `2026-10-01`. */
                day: string;
                /** @description The period whose samples are ranked; default: the day's month. */
                period?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The 5-minute series behind a day, with ranks. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["BillWindows"];
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
            /** @description No such contract, log or invoice. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The answer would be larger than the limit. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The papers do not fit together: what, and why. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Too much at once. */
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
            /** @description It took longer than one check may, or the ledger or the folder cannot be read now. */
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
