// What each figure of a what-if means, in the form of the service's own definitions.

import type { Metric } from "../api";

const define = (name: string, unit: string, formula: string, formula_zh: string): Metric => ({ name, version: 1, unit, formula, formula_zh, source: "Livemeter" });

export const meanings: Metric[] = [
  define("before_bytes", "B", "Bytes counted under the contract as it was, and its share of all of them; by logs where each contract has logs that count alike, else as players report", "该合同实际计量的字节数及其占比；各合同都有同口径日志时以日志为准，否则以播放器上报为准"),
  define("after_bytes", "B", "The same after the share of each 5-minute window has gone to the other contract", "每个 5 分钟窗口按比例移到另一合同之后的字节数"),
  define("before_amount", "", "The bill of the contract over the bytes as they were", "按实际字节数计算的合同账单"),
  define("after_amount", "", "The bill of the contract over the bytes after the move: worked out anew, window by window", "移动之后逐窗口重新计算的合同账单"),
  define("after_less_before_amount", "", "After − before: below zero is saved", "移动后 − 移动前：小于零为节省"),
];
