// What a refusal means, in the language of the page, by the service's word for programs. The service's own sentence
// follows it: it names the place and the figures. In English that sentence is enough.

import type { Failure } from "./api";
import type { Locale } from "./format";

/** A failure as a sentence. */
export function told(failure: Pick<Failure, "message" | "problem">, locale: Locale): string {
  const word = failure.problem?.error ?? "";
  return locale === "zh" && Object.hasOwn(ZH, word) ? `${ZH[word]}服务原文：${failure.message}` : failure.message;
}

/** Exported for the test that holds it against the service's words. */
export const ZH: Readonly<Record<string, string>> = {
  // The question.
  not_a_select: "只允许 SELECT 语句。",
  statement_count: "一次只允许一条 SELECT 语句。",
  unknown_table: "没有这张表。",
  unknown_table_function: "不允许使用这个表函数。",
  sql: "SQL 有误。",
  bad_parameter: "请求的参数有误。",
  too_large: "超过了大小上限。",
  overflow: "合计超出 64 位整数的范围，请缩短时间范围或增加分组。",
  not_found: "这个地址没有内容。",
  method_not_allowed: "这个地址不接受该请求方法。",
  not_ours: "请求来自其他站点或地址，已拒绝。",
  // Papers: contracts, logs, invoices.
  unknown: "没有找到。",
  conflict: "与已有的内容冲突。",
  upload: "上传中断或长时间没有数据，未保存任何内容。",
  empty: "文件是空的。",
  packed: "压缩文件无法解开。",
  wrong_format: "内容与所选格式不符。",
  format: "日志格式的映射文件有误。",
  template: "发票模板有误。",
  invoice: "发票有误。",
  currency: "币种不符。",
  contract: "合同有误。",
  series: "合同所需的用量序列无法算出。",
  bill: "账单无法算出。",
  // Limits of the service, and its troubles.
  memory: "查询所需的内存超过上限，请减少行数或分组。",
  answer_too_large: "结果超过大小上限，请减少列或行。",
  too_many_rows: "结果的行数超过上限，请加 LIMIT 或缩小 WHERE 的范围。",
  deadline: "查询超过了时限。",
  busy: "服务正忙，请稍后再试。",
  not_ready: "服务尚未就绪，请稍后再试。",
  folder: "服务无法使用账单核对的目录。",
  disk_full: "账单核对所用的磁盘已满。",
  ledger: "账本暂时无法读取。",
  internal: "服务内部出错，详情见其日志。",
};
