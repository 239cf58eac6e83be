// Every word of the page, in both languages. A missing one does not compile.

import type { Locale } from "./format";
import type { Range } from "./range";
import type { Room } from "./rooms";

export const LOCALES: readonly Locale[] = ["zh", "en"];
export const NATIVE: Record<Locale, string> = { zh: "中文", en: "English" };
const REMEMBERED = "livemeter.language";

const en = {
  tagline: "The independent meter for live video over several CDNs",
  language: "Language",
  skip: "Skip to the figures",
  rooms: "Pages",
  roomNames: { live: "Live", bill: "Bill check" } as Record<Room, string>,
  view: "View",
  range: "Time range",
  ranges: { "15m": "15 min", "1h": "1 h", "6h": "6 h", "24h": "24 h", today: "Today", yesterday: "Yesterday" } as Record<Range, string>,
  zone: "Time zone",
  ownZone: "this browser",
  app: "App",
  allApps: "All apps",
  updated: (at: string) => `Updated ${at}`,
  loading: "Reading the ledger…",
  pause: "Pause",
  resume: "Resume",
  paused: "Paused",
  away: "The query service does not answer.",
  failed: "The query service could not answer.",
  staleFigures: "The figures below are from the last answer.",
  tryingAgain: "It is asked again every 10 seconds.",
  retry: "Try now",
  empty: "No data yet",
  emptyHint: "The ledger holds no rows. Start the simulated audience, or post an event to ingest; figures appear here within seconds.",
  emptyRange: "Nothing in this range",
  emptyRangeHint: (at: string) => `The newest row was received ${at}. Choose a wider range, another app or another day.`,
  emptyChart: "No finished window in this range yet.",
  figures: "Key figures",
  totalBytes: "Delivered",
  stallRatio: "Stall ratio",
  views: "Views",
  freshness: "Data age",
  newest: (at: string) => `Newest row received ${at}`,
  aborted: (bytes: string) => `+ ${bytes} aborted`,
  stalledFor: (stalled: string) => `${stalled} stalled`,
  playedFor: (played: string) => `${played} played`,
  stalledViews: (percent: string) => `${percent} had a stall`,
  definition: "Definition",
  definitions: "What these columns mean",
  unit: "unit",
  version: "version",
  source: "source",
  bandwidthChart: "Bandwidth per CDN",
  stallChart: "Stall ratio per CDN",
  openWindow: "Dashed: the window still open, so far.",
  chartHelp: "Use the left and right arrow keys to read the values.",
  asTable: "Show as a table",
  windowStart: "Window start",
  trafficTable: "Traffic per CDN",
  qualityTable: "Quality per CDN",
  programmesTable: (most: number) => `Top programmes by traffic (at most ${most})`,
  cdn: "CDN",
  programme: "Programme",
  share: "Share",
  columns: {
    bytes: "Delivered",
    aborted_bytes: "Aborted",
    sessions: "Sessions",
    peak_bandwidth_bps: "Peak bandwidth",
    play_ms: "Played",
    stall_ms: "Stalled",
    stalls: "Stalls",
    stall_ratio: "Stall ratio",
    stalls_per_100s: "Stalls per 100 s",
    stall_ms_per_100s: "Stalled ms per 100 s",
    views: "Views",
    stalled_views_ratio: "Views with a stall",
    startup_p50_ms: "Startup, median",
    startup_p95_ms: "Startup, p95",
  } as Record<string, string>,
  total: "All CDNs",
  truncated: "Only the first rows are here: the report was longer than its limit.",
  sqlTitle: "Ask in SQL",
  sqlHint: "One SELECT over the tables increments, events, traffic_5m, usage_daily, sessions and stalls. Ctrl + Enter runs it.",
  sqlLabel: "SQL statement",
  run: "Run",
  running: "Running…",
  stop: "Stop",
  download: "Download CSV",
  sqlResult: "Result",
  sqlSummary: (rows: string, ms: string, versions: string) => `${rows} rows in ${ms}; ${versions}`,
  sqlTruncated: "There were more rows than one answer may hold.",
  sqlShown: (shown: string) => `The first ${shown} are shown; the CSV has all.`,
  units: "Units are decimal: 1 GB = 1000³ bytes, 1 Mbit/s = 1000² bit/s. Hover over a figure for the exact number.",
  versions: (ledger: string, metrics: string) => `Ledger version ${ledger} · definitions version ${metrics}`,
  contract: "HTTP contract",
};

export type Messages = typeof en;

const zh: Messages = {
  tagline: "多 CDN 直播的独立计量器",
  language: "语言",
  skip: "跳到数据",
  rooms: "页面",
  roomNames: { live: "实时", bill: "账单核对" },
  view: "视图",
  range: "时间范围",
  ranges: { "15m": "15 分钟", "1h": "1 小时", "6h": "6 小时", "24h": "24 小时", today: "今天", yesterday: "昨天" },
  zone: "时区",
  ownZone: "本浏览器",
  app: "应用",
  allApps: "全部应用",
  updated: (at) => `更新于 ${at}`,
  loading: "正在读取账本…",
  pause: "暂停",
  resume: "继续",
  paused: "已暂停",
  away: "查询服务没有应答。",
  failed: "查询服务未能给出结果。",
  staleFigures: "下面是上一次的数据。",
  tryingAgain: "每 10 秒重试一次。",
  retry: "立即重试",
  empty: "还没有数据",
  emptyHint: "账本中没有记录。启动模拟观众，或向接入服务发送一个事件，几秒内即可在此看到数据。",
  emptyRange: "此范围内没有数据",
  emptyRangeHint: (at) => `最新一行收到于 ${at}。请选择更大的范围、其他应用或其他日期。`,
  emptyChart: "此范围内还没有完整的时间窗口。",
  figures: "关键数据",
  totalBytes: "下发流量",
  stallRatio: "卡顿率",
  views: "观看次数",
  freshness: "数据时延",
  newest: (at) => `最新一行收到于 ${at}`,
  aborted: (bytes) => `另有 ${bytes} 被中止`,
  stalledFor: (stalled) => `卡顿 ${stalled}`,
  playedFor: (played) => `播放 ${played}`,
  stalledViews: (percent) => `${percent} 发生过卡顿`,
  definition: "定义",
  definitions: "各列的含义",
  unit: "单位",
  version: "版本",
  source: "来源",
  bandwidthChart: "各 CDN 带宽",
  stallChart: "各 CDN 卡顿率",
  openWindow: "虚线：尚未结束的窗口，截至目前的值。",
  chartHelp: "用左右方向键读取数值。",
  asTable: "以表格显示",
  windowStart: "窗口开始",
  trafficTable: "各 CDN 流量",
  qualityTable: "各 CDN 播放质量",
  programmesTable: (most) => `流量最高的节目（最多 ${most} 个）`,
  cdn: "CDN",
  programme: "节目",
  share: "占比",
  columns: {
    bytes: "下发流量",
    aborted_bytes: "中止流量",
    sessions: "会话数",
    peak_bandwidth_bps: "峰值带宽",
    play_ms: "播放时长",
    stall_ms: "卡顿时长",
    stalls: "卡顿次数",
    stall_ratio: "卡顿率",
    stalls_per_100s: "每百秒卡顿次数",
    stall_ms_per_100s: "每百秒卡顿毫秒",
    views: "观看次数",
    stalled_views_ratio: "有卡顿的观看",
    startup_p50_ms: "起播中位数",
    startup_p95_ms: "起播 p95",
  },
  total: "全部 CDN",
  truncated: "报表超过行数上限，此处只有前面的部分。",
  sqlTitle: "SQL 查询",
  sqlHint: "对表 increments、events、traffic_5m、usage_daily、sessions、stalls 的一条 SELECT。Ctrl + Enter 运行。",
  sqlLabel: "SQL 语句",
  run: "运行",
  running: "运行中…",
  stop: "停止",
  download: "下载 CSV",
  sqlResult: "结果",
  sqlSummary: (rows, ms, versions) => `${rows} 行，用时 ${ms}；${versions}`,
  sqlTruncated: "结果行数超过一次应答的上限。",
  sqlShown: (shown) => `此处显示前 ${shown} 行；CSV 含全部。`,
  units: "单位为十进制：1 GB = 1000³ 字节，1 Mbit/s = 1000² bit/s。鼠标悬停可见精确值。",
  versions: (ledger, metrics) => `账本版本 ${ledger} · 定义版本 ${metrics}`,
  contract: "HTTP 接口",
};

export const MESSAGES: Record<Locale, Messages> = { en, zh };

/** The language chosen before, else the browser's, else English. */
export function preferred(remembered: string | null, languages: readonly string[]): Locale {
  if (remembered === "en" || remembered === "zh") return remembered;
  const first = languages.map((l) => l.toLowerCase()).find((l) => l.startsWith("zh") || l.startsWith("en"));
  return first?.startsWith("zh") ? "zh" : "en";
}

/** Storage may be forbidden by the browser: then nothing is remembered, and nothing breaks. */
export function recall(): string | null {
  try {
    return localStorage.getItem(REMEMBERED);
  } catch {
    return null;
  }
}

export function remember(locale: Locale): void {
  try {
    localStorage.setItem(REMEMBERED, locale);
  } catch {
    // Only this page's life, then.
  }
}
